/**
 * The annex `reconnecting-socket/server`: the other half of `session: resumable()`. It takes WebSockets that somebody
 * else has accepted, and makes sessions of them that survive their connections.
 *
 * Here it all comes together: a step is taken, then deadlines are looked at, and only then the application is told.
 */

import { type Connection, createRegistry, type ServerSession } from './core/registry'
import { createEmitter } from './emitter'
import { createGuest, type Guest, type Host, type Refused, type ServerWebSocket } from './server/connection'
import { createDeadlines } from './server/deadlines'
import {
  type ServerCloseOptions,
  type ServerOptions,
  settleServer,
  settleServerClose,
} from './server/options'
import { createPull, type Pull } from './server/pull'
import type { Session } from './server/session'
import { createSessionShell, SessionEnded, type SessionHost, type SessionShell } from './server/shell'

import { payload } from './wire/payload'

export type { Lease, Payload, SessionStore, Taken, TakeRequest } from './core/store'
export { SocketError, type SocketErrorCode } from './errors'
export { type AdaptedWebSocket, adapt, type HandledWebSocket } from './server/adapt'
export type { Refused, ServerWebSocket, ServerWebSocketEvent } from './server/connection'
export type { ServerClock } from './server/deadlines'
export {
  type Credentials,
  FORBIDDEN,
  type ServerCloseOptions,
  type ServerOptions,
  type ServerQueueOptions,
  type SessionCloseOptions,
  type SessionSendOptions,
} from './server/options'
export type { Session, SessionCloseResult, SessionEvents, SessionUndelivered } from './server/session'
export type { Codec } from './wire/codec'

/** What the listeners of each event of a server are called with. What they throw, or reject with, is an `error`. */
export interface ServerEvents<Incoming = unknown, Outgoing = unknown, Request = unknown> {
  /** A session has begun. Nothing of it was told before, and messages wait until somebody listens. */
  session: (session: Session<Incoming, Outgoing, Request>) => unknown
  /** A connection ended before it spoke for a session: its client was not let in, or gave up. */
  refused: (event: Refused<Request>) => unknown
  /**
   * What was thrown by `authenticate` or by a listener, and errors of sessions that nobody listens to there. Without a
   * listener it goes to `console.error`.
   */
  error: (error: unknown, session?: Session<Incoming, Outgoing, Request>) => unknown
}

/** What a server has, and what it has seen since it was made. */
export interface ServerStats {
  /** WebSockets, those included that are not authenticated yet, or are closing. */
  readonly connections: number
  /** Of these, those that are not authenticated yet. */
  readonly waiting: number
  /** Those that live, with or without a connection. */
  readonly sessions: number
  /** Of these, those that have a connection. */
  readonly connected: number
  /** Sessions that began, ever. */
  readonly begun: number
  /** Connections that went on with a session, ever. */
  readonly resumed: number
  /** Sessions that ended, ever. */
  readonly ended: number
  /** Connections that were refused, ever. */
  readonly refused: number
  /** Messages that were told. */
  readonly received: number
  /** Messages that were reported as undelivered. */
  readonly undelivered: number
}

type Listener = (...args: never[]) => unknown

/**
 * Sessions for clients that come back.
 *
 * @example
 * const server = new SessionServer({ authenticate: ({ auth }) => userOf(auth) })
 * server.on('session', async session => {
 *   for await (const message of session) session.send({ echo: message })
 * })
 * webSocketServer.on('connection', (webSocket, request) => server.accept(webSocket, request))
 */
export class SessionServer<Incoming = unknown, Outgoing = unknown, Request = unknown>
  implements AsyncIterable<Session<Incoming, Outgoing, Request>, undefined, undefined>
{
  readonly #server: ReturnType<typeof createServer>

  /** @throws SocketError `invalid-option` names the option and what was expected */
  constructor(options: ServerOptions<Incoming, Outgoing, Request>) {
    this.#server = createServer(options)
  }

  /** The sessions that live, whether connected or not. */
  get sessions(): ReadonlySet<Session<Incoming, Outgoing, Request>> {
    return this.#server.sessions() as ReadonlySet<unknown> as ReadonlySet<never>
  }

  /**
   * Takes over a WebSocket that is open: nobody else may read it, write to it or close it. Never throws.
   * @param request whatever `authenticate` may need of the request that it came with
   */
  accept(webSocket: ServerWebSocket, request: Request): void {
    this.#server.accept(webSocket, request)
  }

  /** @returns unsubscribes */
  on<Event extends keyof ServerEvents>(
    event: Event,
    listener: ServerEvents<Incoming, Outgoing, Request>[Event],
  ): () => void {
    return this.#server.on(event, listener)
  }

  /** The sessions that begin from now on. It ends when the server is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<
    Session<Incoming, Outgoing, Request>,
    undefined,
    undefined
  > {
    return this.#server.iterate() as AsyncIterableIterator<never, undefined, undefined>
  }

  /** Counted when asked. */
  stats(): ServerStats {
    return this.#server.stats()
  }

  /**
   * Takes no more connections. Each session ends once everything that came is consumed and everything that was sent is
   * acknowledged, answers included, at the latest after `timeoutMs`; those whose clients are away, at once. Clients are
   * closed with 4503 and come back after `retryMs`, maybe to another server. What was not acknowledged is undelivered.
   * Fulfilled when nothing is left, `closeTimeoutMs` later at most, and never rejected. Again: the same promise.
   * @throws SocketError `invalid-option`
   */
  close(options: ServerCloseOptions = {}): Promise<void> {
    return this.#server.close(options)
  }
}

const createServer = <Incoming, Outgoing, Request>(options: ServerOptions<Incoming, Outgoing, Request>) => {
  const settings = settleServer(options)
  const { clock, store } = settings
  const deadlines = createDeadlines(clock)
  const emitter = createEmitter<ServerEvents>()
  const guests = new Set<Guest>()
  const shells = new Map<ServerSession, SessionShell>()
  const counts = { begun: 0, resumed: 0, ended: 0, refused: 0, received: 0, undelivered: 0 }
  const iterators = new Set<{ readonly waiting: Set<Session>; readonly pull: Pull<Session> }>()
  let closing: { readonly done: Promise<void>; readonly reason: string } | undefined
  let finish = () => {}

  /** How deep in steps we are; what has to wait for the end of the step; what is to be told then, and looked after. */
  let depth = 0
  const mailbox: (() => void)[] = []
  const notices: (() => void)[] = []
  const touched = new Set<SessionShell>()
  let isPublishing = false

  const failed = (error: unknown, session?: Session) => {
    if (error instanceof SessionEnded) return
    if (!emitter.emit('error', error, session)) console.error(error)
  }

  const guard: SessionHost['guard'] =
    (listener, failed) =>
    (...args) => {
      try {
        const answer = listener(...args)
        if (answer instanceof Promise) answer.catch(failed)
      } catch (error) {
        failed(error)
      }
    }

  const attempt = (step: () => void) => {
    depth++
    try {
      step()
    } catch (error) {
      // A store that fails, or a bug of ours: one client's misfortune
      failed(error)
    }
    depth--
  }

  const run = (step: () => void) => {
    attempt(step)
    if (depth) return
    for (let next = mailbox.shift(); next; next = mailbox.shift()) attempt(next)
    publish()
  }

  const act = (step: () => void) => {
    if (depth) mailbox.push(step)
    else run(step)
  }

  const publish = () => {
    if (isPublishing) return
    isPublishing = true
    for (;;) {
      // What these lead to is told after them
      for (const notice of notices) notice()
      notices.length = 0
      const [shell] = touched
      if (!shell) break
      touched.delete(shell)
      shell.settle()
    }
    isPublishing = false
    if (closing && !guests.size && !shells.size) finish()
  }

  const touch = (shell: SessionShell | undefined) => {
    if (shell) touched.add(shell)
  }

  const tell = (notice: () => void) => {
    notices.push(notice)
  }

  const shellOf = ({ session }: Connection) => session && shells.get(session)

  /** Of the hello that is being taken. */
  let principal = ''
  let newSid = ''

  const registry = createRegistry(
    store,
    {
      deliver: (session, data, isVolatile) => shells.get(session)?.deliver(data, isVolatile),
      settled: session => touch(shells.get(session)),
      undelivered: (session, entry, why) => shells.get(session)?.undelivered(entry, why),
      begun(core) {
        const shell = createSessionShell(sessionHost, core, principal)
        const { session } = shell
        shells.set(core, shell)
        counts.begun++
        tell(() => {
          emitter.emit('session', session)
          for (const { waiting, pull } of iterators) {
            waiting.add(session)
            pull.wake()
          }
        })
      },
      ended(core, reason, undelivered) {
        const shell = shells.get(core)
        shells.delete(core)
        counts.ended++
        if (!shell) return
        for (const { waiting } of iterators) waiting.delete(shell.session)
        shell.ended(reason.replace(/;.*/, ''), undelivered)
      },
    },
    {
      node: settings.node,
      win: settings.win,
      max: settings.maxMessageBytes,
      ttlMs: settings.ttlMs,
      heartbeatMs: Math.ceil(settings.heartbeat.intervalMs),
      queue: settings.queue,
      newSid: () => newSid,
    },
  )

  const sessionHost: SessionHost = {
    registry,
    settings,
    deadlines,
    payload: payload(settings.codec),
    act,
    run,
    tell,
    touch,
    guard,
    failed,
    count(what) {
      counts[what]++
    },
  }

  const host: Host = {
    registry,
    settings,
    deadlines,
    act,
    failed,
    hello(connection, hello, who, sid) {
      principal = who
      newSid = sid
      registry.hello(connection, hello, who, clock.now())
    },
    touched: connection => touch(shellOf(connection)),
    connected({ connection, request }) {
      const shell = shellOf(connection)
      if (shell?.connected(request)) counts.resumed++
    },
    disconnected({ connection }, code, reason) {
      shellOf(connection)?.disconnected(code, reason)
    },
    refused(event) {
      counts.refused++
      tell(() => emitter.emit('refused', event))
    },
    gone(guest) {
      guests.delete(guest)
    },
  }

  const on = (event: keyof ServerEvents, listener: Listener) =>
    emitter.on(event, guard(listener, event === 'error' ? console.error : failed) as () => void)

  const close = (asked: ServerCloseOptions): Promise<void> => {
    const { reason: token, retryMs, timeoutMs } = settleServerClose(asked)
    if (closing) return closing.done
    const reason = `${token}; retry=${Math.ceil(retryMs)}`
    const done = new Promise<void>(resolve => {
      finish = resolve
    })
    closing = { done, reason }
    const until = clock.now() + timeoutMs
    const how = { reason, code: 4503, lateReason: reason, lateCode: 4503 }
    act(() => {
      for (const guest of guests) if (guest.isWaiting) guest.close(4503, reason)
      for (const shell of shells.values()) shell.drain({ ...how, until, isServer: true })
      tell(() => {
        for (const { pull } of iterators) pull.wake()
      })
    })
    return done
  }

  return {
    on,
    close,
    sessions: () => new Set([...shells.values()].map(({ session }) => session)),
    accept(webSocket: ServerWebSocket, request: unknown) {
      run(() => {
        const guest = createGuest(host, webSocket, request)
        guests.add(guest)
        if (closing) guest.close(4503, closing.reason)
      })
    },
    iterate() {
      const waiting = new Set<Session>()
      const take = () => {
        const [value] = waiting
        if (!value) return undefined
        waiting.delete(value)
        return { value }
      }
      const pull: Pull<Session> = createPull(
        take,
        () => closing !== undefined,
        () => pull.wake(),
        () => iterators.delete(iterator),
      )
      const iterator = { waiting, pull }
      iterators.add(iterator)
      return pull.iterator
    },
    stats(): ServerStats {
      const connected = [...shells.values()].filter(({ session }) => session.connected)
      return {
        ...counts,
        connections: guests.size,
        waiting: [...guests].filter(({ isWaiting }) => isWaiting).length,
        sessions: shells.size,
        connected: connected.length,
      }
    },
  }
}
