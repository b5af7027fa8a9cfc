/** A server of sessions behind real WebSockets, clients that speak frames by hand, and a clock that is moved by hand. */

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws'
import { type ServerClock, type ServerOptions, type Session, SessionServer } from '../../src/server'
import { type Frame, type Hello, parseFrame, type Welcome, writeFrame } from '../../src/wire/frames'
import { type FaultProxy, startProxy } from '../support/proxy'

type Data = string | Uint8Array<ArrayBuffer>

const teardown: (() => unknown)[] = []

afterEach(async () => {
  while (teardown.length) await teardown.pop()?.()
})

export const cleanup = (how: () => unknown) => teardown.push(how)

export const proxied = async (target: { readonly port: number }): Promise<FaultProxy> => {
  const proxy = await startProxy(target.port)
  cleanup(() => proxy.close())
  return proxy
}

export interface Served {
  readonly server: SessionServer<unknown, unknown, IncomingMessage>
  readonly port: number
  readonly url: string
  /** All that have begun. */
  readonly sessions: Session<unknown, unknown, IncomingMessage>[]
  /** What went wrong, as the server told. */
  readonly errors: unknown[]
}

/** Whoever says who it is, is that; `'nobody'` is refused, `'villain'` forbidden by tests that say so. */
export const serve = async (
  options: Partial<ServerOptions<unknown, unknown, IncomingMessage>> = {},
  listen: (session: Session<unknown, unknown, IncomingMessage>) => unknown = () => {},
): Promise<Served> => {
  const server = new SessionServer<unknown, unknown, IncomingMessage>({
    authenticate: ({ auth }) => (auth === 'nobody' ? undefined : String(auth ?? 'somebody')),
    ...options,
  })
  const sessions: Served['sessions'] = []
  const errors: unknown[] = []
  server.on('session', session => {
    sessions.push(session)
    return listen(session)
  })
  server.on('error', error => errors.push(error))
  const http = createServer()
  const webSocketServer = new WebSocketServer({ server: http })
  webSocketServer.on('connection', (webSocket, request) => server.accept(webSocket, request))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  cleanup(async () => {
    await server.close({ timeoutMs: 0 })
    for (const client of webSocketServer.clients) client.terminate()
    webSocketServer.close()
    http.closeAllConnections()
    await new Promise(resolve => http.close(resolve))
  })
  return { server, port, url: `ws://127.0.0.1:${port}`, sessions, errors }
}

/** Things in the order they came, each asked for once. */
export class Mailbox<Item> {
  readonly #items: Item[] = []
  readonly #asking: ((item: Item) => void)[] = []

  put(item: Item): void {
    const ask = this.#asking.shift()
    if (ask) ask(item)
    else this.#items.push(item)
  }

  get waiting(): number {
    return this.#items.length
  }

  next(): Promise<Item> {
    const item = this.#items.shift()
    return item === undefined ? new Promise(resolve => this.#asking.push(resolve)) : Promise.resolve(item)
  }
}

export interface Ended {
  readonly code: number
  readonly reason: string
}

/** Speaks frames by hand, and answers nothing by itself. */
export class Raw {
  static made = 0
  readonly frames = new Mailbox<Frame | string>()
  readonly closed: Promise<Ended>
  readonly socket: WebSocket

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('message', (data: Buffer, isBinary) =>
      this.frames.put(parseFrame(isBinary ? new Uint8Array(data) : data.toString())),
    )
    this.closed = new Promise(resolve =>
      socket.on('close', (code, reason) => resolve({ code, reason: `${reason}` })),
    )
  }

  send(frame: Exclude<Frame, { kind: 'unknown' }> | Data): void {
    const isData = typeof frame === 'string' || frame instanceof Uint8Array
    this.socket.send(isData ? frame : writeFrame(frame))
  }

  hello(hello: Partial<Hello> = {}): void {
    this.send({ kind: 'hello', hello: { ...HELLO, ...hello } })
  }

  /** Says hello, and waits for the answer. */
  async welcome(hello?: Partial<Hello>): Promise<Welcome> {
    this.hello(hello)
    const frame = await this.next()
    if (typeof frame === 'string' || frame.kind !== 'welcome') throw new Error(JSON.stringify(frame))
    return frame.welcome
  }

  msg(seq: number, message: unknown, ack = 0): void {
    this.send({ kind: 'msg', seq, ack, data: JSON.stringify(message) })
  }

  next(): Promise<Frame | string> {
    return this.frames.next()
  }

  /** Without a goodbye. */
  cut(): void {
    this.socket.terminate()
  }
}

/** Pings of WebSocket itself. One at a time: `ws` cuts off who sends many without reading the answers. */
export const ping = async ({ socket }: Raw, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) {
    const pong = once(socket, 'pong')
    socket.ping()
    await pong
  }
}

export const HELLO: Hello = {
  v: 1,
  id: 'client-1',
  key: 'secret',
  nonce: 'nonce',
  epoch: 1,
  win: 256,
  max: 1_048_576,
}

export const dial = async (url: string, options: ClientOptions = {}): Promise<Raw> => {
  const socket = new WebSocket(url, options)
  const raw = new Raw(socket)
  await once(socket, 'open')
  cleanup(() => socket.terminate())
  return raw
}

/** Stands still unless it is moved. */
export const fakeClock = () => {
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>()
  let made = 0
  const clock = {
    time: 1_000,
    timers,
    now: () => clock.time,
    setTimeout(callback: () => void, ms: number) {
      timers.set(++made, { at: clock.time + ms, callback })
      return made
    },
    clearTimeout(timer: unknown) {
      timers.delete(timer as number)
    },
    advance(ms: number) {
      const end = clock.time + ms
      for (;;) {
        const [first] = [...timers].sort(([, a], [, b]) => a.at - b.at)
        if (!first || first[1].at > end) break
        timers.delete(first[0])
        clock.time = Math.max(clock.time, first[1].at)
        first[1].callback()
      }
      clock.time = end
    },
  }
  return clock satisfies ServerClock
}

/** Fulfilled once it is so; asked after each macrotask. */
export const until = async (isSo: () => unknown): Promise<void> => {
  while (!isSo()) await new Promise(resolve => setImmediate(resolve))
}

/** Of a session or a server, what the next event of that name tells. */
export const event = <Told>(
  source: { on(event: never, listener: never): () => void },
  name: string,
): Promise<Told> =>
  new Promise(resolve => {
    const off = source.on(
      name as never,
      ((told: Told) => {
        off()
        resolve(told)
      }) as never,
    )
  })
