/** What a test sets up: quick to react, and taken down after each test whatever became of it. */

import { afterEach } from 'vitest'
import { WebSocket } from 'ws'
import { type Options, type Provider, ReconnectingSocket } from '../../src/index'
import { type FaultProxy, startProxy } from '../support/proxy'
import {
  type ServerKind,
  type ServerOptions,
  startServer,
  startServerProcess,
  type TestServer,
  type TestServerProcess,
} from '../support/servers'

export const QUICK = {
  WebSocket,
  backoff: { baseMs: 20, maxMs: 100 },
  closeTimeoutMs: 200,
} satisfies Options

/** Longer than any wait between attempts, and than any deadline of these tests that must not come true. */
export const LONGER_MS = 300

const teardown: (() => unknown)[] = []

// The last first: a socket says goodbye to a server that is still there
afterEach(async () => {
  while (teardown.length) await teardown.pop()?.()
})

export const cleanup = (how: () => unknown) => teardown.push(how)

export async function serve(kind: ServerKind, options?: ServerOptions): Promise<TestServer> {
  const server = await startServer(kind, options)
  cleanup(() => server.stop())
  return server
}

export async function serveInProcess(kind: ServerKind, port?: number): Promise<TestServerProcess> {
  const server = await startServerProcess(kind, port)
  cleanup(() => server.kill())
  return server
}

export async function proxied(target: { readonly port: number }): Promise<FaultProxy> {
  const proxy = await startProxy(target.port)
  cleanup(() => proxy.close())
  return proxy
}

export function connect<I = unknown, O = unknown>(
  url: Provider<string | URL>,
  options: Options<I, O> = {},
): ReconnectingSocket<I, O> {
  const socket = new ReconnectingSocket<I, O>(url, { ...QUICK, ...options })
  cleanup(() => socket.close())
  return socket
}
