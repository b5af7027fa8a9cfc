/** The server that is judged by `npm run conformance`. By itself: `tsx demo/servers/node.ts [port]`. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { FORBIDDEN, type ServerOptions, SessionServer } from '../../src/server'
import { converse } from '../conformance'

export interface ConformanceServer {
  readonly url: string
  close(): Promise<void>
}

/** Whoever says who it is, is that. */
function authenticate({ auth }: { readonly auth: unknown }) {
  const { principal, forbidden }: Record<string, unknown> = Object(auth)
  if (typeof principal !== 'string') return undefined
  return forbidden === true ? FORBIDDEN : principal
}

/** @param port 0 for any free one */
export async function startConformanceServer(
  port: number,
  settings: Partial<ServerOptions> = {},
): Promise<ConformanceServer> {
  const server = new SessionServer({
    authenticate,
    // Short, so that nobody has to wait long to see them honoured
    ttlMs: 2_000,
    helloTimeoutMs: 1_000,
    maxMessageBytes: 65_536,
    ...settings,
  })
  server.on('session', session => converse(session, () => session.close()))
  const webSocketServer = new WebSocketServer({ port, host: '127.0.0.1' })
  webSocketServer.on('connection', (webSocket, request) => server.accept(webSocket, request))
  await once(webSocketServer, 'listening')
  return {
    url: `ws://127.0.0.1:${(webSocketServer.address() as AddressInfo).port}/`,
    async close() {
      await server.close({ timeoutMs: 0 })
      for (const webSocket of webSocketServer.clients) webSocket.terminate()
      await new Promise(resolve => webSocketServer.close(resolve))
    },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startConformanceServer(Number(process.argv[2] ?? 8081))
  console.log(url)
}
