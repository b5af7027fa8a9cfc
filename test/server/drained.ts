/** A server in a process of its own, that ends as the documents say: when it is told to, and once all is said. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { SessionServer } from '../../src/server'

const name = process.argv[2] ?? ''

const server = new SessionServer({ authenticate: () => 'somebody' })
server.on('session', async session => {
  session.send({ from: name })
  for await (const message of session) session.send({ from: name, heard: message })
})

const http = createServer()
const webSockets = new WebSocketServer({ server: http, maxPayload: server.maxPayload })
webSockets.on('connection', (webSocket, request) => server.accept(webSocket, request))
http.listen(0, '127.0.0.1', () => process.send?.((http.address() as AddressInfo).port))

process.once('SIGTERM', async () => {
  for (const session of server.sessions) session.send({ from: name, last: true })
  await server.close({ retryMs: 50, spreadMs: 200 })
  http.close()
  // The line to whoever started it would keep it, too
  process.disconnect()
})
