/** A server of sessions, in Node, behind a network whose connections end at any byte; for a page to talk with. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { SessionServer } from '../../src/server'
import { startByteProxy } from '../server/byte-proxy'
import { random } from '../support/random'

export interface SessionsWish {
  /** Each way. */
  readonly messages: number
  /** So many connections end: a third of them half-open, the others reset. */
  readonly cuts: number
  readonly seed: number
}

export interface SessionsReport {
  /** The numbers, as they came from the page. */
  readonly up: readonly number[]
  readonly ended: { readonly reset: number; readonly zombies: number }
  readonly stats: Record<'begun' | 'resumed' | 'ended' | 'undelivered', number>
  readonly errors: readonly string[]
}

export interface Sessions {
  readonly port: number
  report(): Promise<SessionsReport>
  close(): Promise<void>
}

/** What is in a message, with its pads and the frame, and its part of the acknowledgements. */
const MESSAGE_BYTES = 150
/** A zombie's last words come so late, at most. */
const LATE_MS = 300

export async function startSessionServer({ messages, cuts, seed }: SessionsWish): Promise<Sessions> {
  const { below } = random(seed)
  const up: number[] = []
  const errors: string[] = []
  let allCame = () => {}
  const all = new Promise<void>(resolve => {
    allCame = resolve
  })
  const server = new SessionServer<{ n: number }, { n: number; pad: string }, unknown>({
    authenticate: () => 'somebody',
    queue: { maxMessages: messages },
  })
  server.on('error', error => errors.push(`${error}`))
  server.on('session', async session => {
    for (let n = 0; n < messages; n++) session.send({ n, pad: 'x'.repeat(below(200)) })
    for await (const { n } of session) if (up.push(n) >= messages) allCame()
  })

  const http = createServer()
  const webSocketServer = new WebSocketServer({ server: http })
  webSocketServer.on('connection', (webSocket, request) => server.accept(webSocket, request))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')

  // All of them shall end before everything has come
  const most = Math.floor((2 * messages * MESSAGE_BYTES * 2) / (cuts * 1.25))
  let made = 0
  const proxy = await startByteProxy(http.address() as AddressInfo, () => ({
    // Every fifth dies in its handshake or soon after
    bytes: made++ < cuts ? 1 + below(made % 5 ? most : 1_000) : Infinity,
    isZombie: made % 3 === 0,
    lateMs: below(LATE_MS),
  }))

  return {
    port: Number(new URL(proxy.url).port),
    async report() {
      await all
      await new Promise(resolve => setTimeout(resolve, LATE_MS))
      const { begun, resumed, ended, undelivered } = server.stats()
      return { up, ended: proxy.ended, stats: { begun, resumed, ended, undelivered }, errors }
    },
    async close() {
      await server.close({ timeoutMs: 0 })
      for (const client of webSocketServer.clients) client.terminate()
      webSocketServer.close()
      await proxy.close()
      http.closeAllConnections()
      await new Promise(resolve => http.close(resolve))
    },
  }
}
