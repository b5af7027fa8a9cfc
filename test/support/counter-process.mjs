/** A server of sessions in a process of its own, which writes down what it has consumed before it says so. */

import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { SessionServer } from '../../dist/server.js'

const [file] = process.argv.slice(2)

const http = createServer()
const sockets = new WebSocketServer({ server: http })
const server = new SessionServer({ authenticate: ({ request }) => request.url })
sockets.on('connection', (webSocket, request) => server.accept(webSocket, request))

server.on('session', session => {
  session.on('message', message => {
    appendFileSync(file, `${JSON.stringify(message)}\n`)
    session.send(message)
  })
})

process.on('SIGTERM', async () => {
  http.close()
  await server.close({ retryMs: 20, timeoutMs: 2_000 })
  process.exit()
})

http.listen(0, '127.0.0.1', () => process.send(http.address().port))
