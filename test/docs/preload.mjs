/** Run before a code block of the README: makes a Node process look like a page, and its end something to wait for. */

import { format } from 'node:util'
import { WebSocket } from 'ws'

const PATIENCE_MS = 5_000

const { WITHOUT_WEBSOCKET, TOKEN_STATUS = '200' } = process.env
const logged = []

console.log = (...values) => void logged.push(format(...values))
if (!WITHOUT_WEBSOCKET) globalThis.WebSocket = WebSocket
globalThis.fetch = async () => Response.json({ token: 'fresh' }, { status: Number(TOKEN_STATUS) })

/** Waits until the block has printed what its comments say, and closes its socket. Then the process ends by itself. */
globalThis.finish = async (socket, expected) => {
  const deadline = Date.now() + PATIENCE_MS
  const isDone = () =>
    socket.state.name === 'closed' ||
    (socket.state.name === 'open' && expected.every(line => logged.includes(line)))
  while (!isDone() && Date.now() < deadline) await new Promise(resolve => setTimeout(resolve, 10))
  const { name: state } = socket.state
  const { undelivered } = await socket.close()
  process.stdout.write(JSON.stringify({ logged, state, undelivered }))
}

/** With all that a page may show of itself: a cookie, a token in a subprotocol, and where it comes from. */
class PageSocket extends WebSocket {
  constructor(url) {
    super(url, ['app', 'bearer.secret'], {
      origin: 'https://example.com',
      headers: { cookie: 'theme=dark; session=secret' },
    })
  }
}

/** Of an example of a server: a client comes, says hi, and goes; then the server is told to end. */
globalThis.visit = async (http, expected) => {
  const { ReconnectingSocket, resumable } = await import('reconnecting-socket')
  const socket = new ReconnectingSocket(`ws://127.0.0.1:${http.address().port}`, {
    WebSocket: PageSocket,
    session: resumable({ auth: 'secret' }),
  })
  socket.on('message', () => {})
  await socket.deliver({ type: 'say', text: 'hi' })
  await globalThis.finish(socket, expected)
  process.emit('SIGTERM')
}
