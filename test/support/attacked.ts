/** The server that is attacked, as the documents say one should be set up. Alone in its process: its heap is its own. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { SessionServer } from '../../src/server'
import { usedHeap } from './heap'

const server = new SessionServer({
  authenticate: ({ auth }) => (auth === 'honest' || auth === 'eve' ? auth : undefined),
  helloTimeoutMs: Number(process.argv[2]),
  // What eve leaves behind is soon over, so that the heap shows what stays
  ttlMs: Number(process.argv[2]),
  limits: { sessionsPerPrincipal: 100, waiting: 500 },
  rate: { messagesPerSecond: 1_000 },
})
server.on('session', async session => {
  for await (const message of session) {
    try {
      session.send(message === 'much' ? 'x'.repeat(100_000) : message)
    } catch {
      // Whoever does not read gets no answers
      session.close()
    }
  }
})
server.on('error', () => {})

const http = createServer()
const webSockets = new WebSocketServer({ server: http, maxPayload: server.maxPayload })
webSockets.on('connection', (webSocket, request) => server.accept(webSocket, request))
http.listen(0, '127.0.0.1', () => process.send?.({ port: (http.address() as AddressInfo).port }))

process.on('message', () => {
  process.send?.({ stats: server.stats(), heap: usedHeap() })
})
process.on('disconnect', () => process.exit())
