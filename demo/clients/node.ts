/** The client that is judged by `npm run conformance`. By itself: `tsx demo/clients/node.ts ws://…`. */

import { WebSocket } from 'ws'
import { ReconnectingSocket, resumable } from '../../src/index'
import { converse } from '../conformance'

const url = process.argv.at(-1) ?? ''
let attempt = 0

const socket = new ReconnectingSocket(url, {
  WebSocket,
  session: resumable({
    // Afresh each time, as a token would be
    auth: () => ({ principal: 'alice', attempt: ++attempt }),
    maxMessageBytes: 65_536,
  }),
  // Short, so that nobody has to wait long to see them honoured
  connectTimeoutMs: 3_000,
  backoff: { baseMs: 100, maxMs: 300 },
  heartbeat: { timeoutMs: 1_000 },
})
socket.on('error', () => {})
socket.on('sessionLost', ({ reason, undelivered }) => {
  socket.send({ conformance: 'lost', reason, undelivered: undelivered.length })
})

await converse(socket, () => void socket.close())
