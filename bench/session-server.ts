/**
 * The other end, in a process of its own. On `…/send` it answers the last of all messages with one, on `…/receive` it
 * answers a message with all of them; on `/session/…` in a session.
 */

import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

const AT_ONCE = 500
const MESSAGES = Number(process.argv[2])
const message: unknown = JSON.parse(process.argv[3] ?? '')

// By a computed name: type checks have to do without a build
const { SessionServer }: typeof import('../src/server') = await import(
  new URL('../dist/server.js', import.meta.url).href
)

process.on('disconnect', () => process.exit())

/** @returns to be called for each message that came */
const answering = (url: string, send: () => void) => {
  let [received, sent] = [0, 0]
  // Not all in one go: nobody else would have a turn meanwhile
  const sendAll = () => {
    for (let n = 0; n < AT_ONCE && sent < MESSAGES; n++, sent++) send()
    if (sent < MESSAGES) setImmediate(sendAll)
  }
  return () => {
    if (url.endsWith('/send') && ++received === MESSAGES) send()
    if (url.endsWith('/receive')) sendAll()
  }
}

const sessions = new SessionServer<unknown, unknown, { readonly url?: string | undefined }>({
  authenticate: ({ request }) => request.url,
  queue: { maxMessages: MESSAGES, maxBytes: 2 ** 30 },
})
sessions.on('session', session => {
  session.on(
    'message',
    answering(session.principal, () => session.send(message)),
  )
})

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
server.on('listening', () => process.send?.((server.address() as AddressInfo).port))
server.on('connection', (socket, request) => {
  const { url = '' } = request
  if (url.startsWith('/session')) return sessions.accept(socket, request)
  // A server decodes what it gets
  const answer = answering(url, () => socket.send(JSON.stringify(message)))
  socket.on('message', data => {
    JSON.parse(String(data))
    answer()
  })
})
