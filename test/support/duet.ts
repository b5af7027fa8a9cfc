/** A client and servers, connected by hand: every frame waits until the schedule lets it through. */

import type { Limits } from '../../src/core/census'
import type { Client } from '../../src/core/client'
import type { Entry, Outbox } from '../../src/core/outbox'
import type { Connection, Registry, ServerSession } from '../../src/core/registry'
import type { Outbound } from '../../src/core/session'
import type { SessionStore } from '../../src/core/store'
import type { Wire } from './network'
import type { Machine } from './stage'

export interface Duet {
  readonly client: Client<string>
  readonly outbox: Outbox<string>
  /** Which server the next connection goes to. */
  server: Server
  now: number
  /** What the client consumed, settled, and lost; what it closed connections with; what else it said. */
  readonly got: string[]
  readonly settled: string[]
  readonly lost: { reason: string; certain: string[]; maybe: string[]; received: number }[]
  readonly closed: number[]
  readonly said: string[]
  /** Whether delivered messages are consumed at once. */
  isEager: boolean
  /** Those that are not. */
  readonly waiting: (() => void)[]
  /** Whether the client's transport has no room. */
  isFull: boolean
  send(...messages: string[]): void
  connect(): Wires
}

export interface Server {
  readonly registry: Registry
  readonly store: SessionStore
  readonly got: string[]
  readonly settled: number[]
  /** By session: why it ended, what was certainly undelivered, and what maybe. */
  readonly ended: { sid: string; reason: string; certain: string[]; maybe: string[] }[]
  readonly begun: ServerSession[]
  /** Whose limit refused a newcomer. */
  readonly crowded: string[]
  isEager: boolean
  readonly waiting: (() => boolean)[]
  send(...messages: string[]): void
}

export interface Wires {
  readonly up: Wire[]
  readonly down: Wire[]
  /** Lets so many through. */
  letUp(count?: number): void
  letDown(count?: number): void
  /** Lets everything through, both ways, until nothing comes any more. */
  flow(): void
  /** The client lets go, and hears nothing any more. What it sent may still arrive. */
  leave(code?: number, isTimeout?: boolean): false | number | undefined
  /** The server is told of the end. */
  end(code?: number): void
  /** Codes that the server closed it with. */
  readonly codes: number[]
  readonly connection: Connection
}

const text = (data: Wire) => (typeof data === 'string' ? data : new TextDecoder().decode(data))

export interface Tuning {
  readonly win?: { readonly client?: number; readonly server?: number }
  readonly max?: { readonly client?: number; readonly server?: number }
  readonly ttlMs?: number
  readonly resend?: boolean
  readonly maxInFlightBytes?: number
  readonly limits?: Partial<Limits>
}

const QUEUE = { maxMessages: 300, maxBytes: 1e6, highWaterMarkBytes: 1e5, overflow: 'throw' } as const

export const createServer = (
  machine: Machine,
  name: string,
  clock: { now: number },
  { win, max, ttlMs = 1_000, maxInFlightBytes = Infinity, limits }: Tuning = {},
  store: SessionStore = machine.createStore(),
): Server => {
  const entries = (list: readonly Entry<undefined>[], certain: boolean) =>
    list.filter(entry => entry.certain === certain).map(({ data }) => text(data))
  let sids = 0
  const server: Server = {
    store,
    got: [],
    settled: [],
    ended: [],
    begun: [],
    crowded: [],
    isEager: true,
    waiting: [],
    registry: machine.createRegistry(
      store,
      {
        deliver(session, data) {
          const consume = () => {
            const isOurs = server.registry.consumed(session, clock.now)
            if (isOurs) server.got.push(text(data))
            return isOurs
          }
          if (server.isEager) consume()
          else server.waiting.push(consume)
        },
        settled: (_, list) => server.settled.push(...list.map(({ seq }) => seq)),
        undelivered() {},
        begun: session => server.begun.push(session),
        crowded(connection, by) {
          server.crowded.push(by)
          connection.link.close(4429, by)
        },
        ended: ({ lease: { sid } }, reason, list) =>
          server.ended.push({ sid, reason, certain: entries(list, true), maybe: entries(list, false) }),
      },
      {
        node: name,
        win: win?.server ?? 256,
        max: max?.server ?? 1e6,
        queue: QUEUE,
        maxInFlightBytes,
        limits: { sessionsPerPrincipal: Infinity, sessions: Infinity, detachedBytes: Infinity, ...limits },
        ttlMs,
        heartbeatMs: 25_000,
        newSid: () => `${name}${++sids}`,
      },
    ),
    send(...messages) {
      const session = server.begun.at(-1)
      for (const message of messages)
        if (session)
          server.registry.send(session, new machine.Entry(undefined, message, message.length), clock.now)
    },
  }
  return server
}

let nonces = 0

/** @param identity of the client; two with the same are one tab, duplicated */
export const createDuet = (
  machine: Machine,
  tuning: Tuning = {},
  shared?: Server,
  identity = 'id',
  principal = 'principal',
): Duet => {
  const { win, max, resend } = tuning
  let wires: { readonly up: Wire[] } | undefined
  const put = (wire: Wire[], frame: Outbound) => {
    if (wire.push(machine.writeFrame(frame)) > 10_000) throw new Error('it never stops')
  }
  const names = (list: readonly Entry<string>[]) => list.map(({ message }) => message)
  const outbox = machine.createOutbox<string>(QUEUE, ({ message }, why) =>
    duet.said.push(`${why} ${message}`),
  )
  const client = machine.createClient<string>(
    outbox,
    {
      write(frame) {
        if (wires) put(wires.up, frame)
      },
      hasRoom: () => !duet.isFull,
      deliver(data, session) {
        if (!session) duet.said.push(`volatile ${text(data)}`)
        const consume = () => {
          duet.got.push(text(data))
          session?.consumed(duet.now)
        }
        if (duet.isEager || !session) consume()
        else duet.waiting.push(consume)
      },
      settled: entries => duet.settled.push(...names(entries)),
      refused: ({ message }) => duet.said.push(`refused ${message}`),
      pong: () => duet.said.push('pong'),
      close: code => duet.closed.push(code),
      lost({ reason, undelivered, received }) {
        const some = (certain: boolean) => names(undelivered.filter(entry => entry.certain === certain))
        duet.lost.push({ reason, certain: some(true), maybe: some(false), received })
        if (resend) outbox.restore(undelivered)
      },
      welcomed: isResumed => duet.said.push(isResumed ? 'resumed' : 'welcomed'),
      preamble: () => duet.said.push('preamble'),
      unsupported: () => duet.said.push('unsupported'),
    },
    { win: win?.client ?? 256, max: max?.client ?? 1e6 },
  )
  const clock = { now: 1_000 }
  const duet: Duet = {
    client,
    outbox,
    server: shared ?? createServer(machine, 'a', clock, tuning),
    get now() {
      return clock.now
    },
    set now(now) {
      clock.now = now
    },
    got: [],
    settled: [],
    lost: [],
    closed: [],
    said: [],
    isEager: true,
    waiting: [],
    isFull: false,
    send(...messages) {
      for (const message of messages)
        outbox.push(new machine.Entry(message, message, message.length), duet.now)
      client.session.pump(duet.now)
    },
    connect() {
      const up: Wire[] = []
      const down: Wire[] = []
      const codes: number[] = []
      const { registry } = duet.server
      const connection = registry.connect({
        write: frame => put(down, frame),
        welcome: answer => down.push(machine.writeFrame({ kind: 'welcome', welcome: { v: 1, ...answer } })),
        hasRoom: () => true,
        close(code) {
          codes.push(code)
          registry.closed(connection, code, duet.now)
        },
      })
      let isHeard = true
      const mine: Wires = {
        up,
        down,
        codes,
        connection,
        letUp(count = up.length) {
          for (const data of up.splice(0, count)) {
            const frame = machine.parseFrame(data)
            if (typeof frame === 'string' || frame.kind !== 'hello')
              registry.receive(connection, frame, duet.now)
            else registry.hello(connection, frame.hello, principal, duet.now)
          }
        },
        letDown(count = down.length) {
          for (const data of down.splice(0, count))
            if (isHeard) client.receive(machine.parseFrame(data), duet.now)
        },
        flow() {
          while (up.length || down.length) {
            mine.letUp()
            mine.letDown()
          }
        },
        leave(code = 1006, isTimeout) {
          isHeard = false
          wires = undefined
          return client.dropped(code, isTimeout)
        },
        end: (code = 1006) => registry.closed(connection, code, duet.now),
      }
      wires = mine
      const hello = client.opened(`nonce ${++nonces}`)
      up.push(machine.writeFrame({ kind: 'hello', hello: { v: 1, id: identity, key: 'key', ...hello } }))
      return mine
    },
  }
  return duet
}
