/** What a socket shows and tells. */

import type { Close, Event, StateName } from './core/lifecycle'
import type { Gap } from './core/sequence'
import type { SocketError, SocketErrorCode } from './errors'

/** What `socket.state` shows: immutable, and the same object until something in it changes. */
export type SocketState =
  | {
      /** In which state it is. */
      readonly name: Exclude<StateName, 'waiting'>
      /** Failures in a row so far. */
      readonly attempt: number
      /** Only while `waiting`. */
      readonly retryAt?: undefined
    }
  | {
      /** In which state it is: between two attempts. */
      readonly name: 'waiting'
      /** Failures in a row so far. */
      readonly attempt: number
      /** When the next attempt starts, in ms since the epoch. */
      readonly retryAt: number
    }

/** A connection is open, its handshake done, and what was queued handed over. */
export interface OpenEvent {
  /** The subprotocol that the server selected, or `''`. */
  readonly protocol: string
  /** Whether there was an open connection before. */
  readonly reconnected: boolean
  /** Whether it goes on with the session of the last connection. False in plain mode. */
  readonly resumed: boolean
}

/** The end of one connection, or of one attempt at one. */
export interface CloseEvent extends Close {
  /** Whether it had got as far as `open`. */
  readonly wasOpen: boolean
  /** Whether that was the last: nothing opens until `connect()`. */
  readonly final: boolean
  /** When the next attempt starts, in ms from now; `undefined` if final, or put off until the page is restored. */
  readonly retryInMs: number | undefined
}

/** Why a message that was accepted will not arrive, or may not have. */
export type UndeliveredCode =
  /** `close()`, or giving up, came first. */
  | 'closed'
  /** It had to go for another, or was itself too much, by `queue.overflow`. */
  | 'queue-full'
  /** It waited for longer than its `ttlMs`. */
  | 'expired'
  /** A later one with its `key` took its place. */
  | 'replaced'
  /** Its `signal` aborted, or `queue.clear()` was called. */
  | 'aborted'
  /** It was `volatile`, and could not go at once. */
  | 'volatile'
  /** The connection was lost while its WebSocket still held it. It may have arrived. */
  | 'uncertain'
  /** The session that it was sent in is lost. */
  | 'session-lost'
  /** It is larger than the server of the session accepts. */
  | 'too-large'

/** A message that was accepted by `send` and will not arrive, or may not have. */
export interface Undelivered<Outgoing = unknown> {
  /** As it was given to `send`. */
  readonly message: Outgoing
  /** Why. */
  readonly code: UndeliveredCode
  /** Whether it certainly did not arrive: no WebSocket ever had it. */
  readonly certain: boolean
}

/** The server has lost the session: it expired, or the server was started again. Another has begun. */
export interface SessionLost<Outgoing = unknown> {
  /** `expired`, `evicted`, `overflow`, `unknown`, `regressed`, `invalid`, `poison`, `gone`, or what a server calls it. */
  readonly reason: string
  /** What was sent in it and is not sent again. Each was told by `undelivered`, or by its `deliver()`, too. */
  readonly undelivered: readonly Undelivered<Outgoing>[]
  /** How many messages of the session came. What the server sent after them is lost. */
  readonly received: number
}

/** What waits to be sent, in order. */
export interface Queue<Outgoing = unknown> extends Iterable<Outgoing> {
  /** Takes it all out: each is undelivered as `aborted`. @returns what was there */
  clear(): readonly Undelivered<Outgoing>[]
}

/** How `close()` went: `wasClean` if the server confirmed. */
export interface CloseResult<Outgoing = unknown> extends Close {
  /** What was still queued, or held by the WebSocket. Each was told by `undelivered`, or by its `deliver()`, too. */
  readonly undelivered: readonly Undelivered<Outgoing>[]
}

/** What the listeners of each event are called with. */
export interface EventMap<Incoming = unknown, Outgoing = unknown> {
  /** The name, the attempts, or the time of the next attempt changed. */
  state: (next: SocketState, previous: SocketState) => void
  /** A connection is open, its handshake done, and what was queued handed over. */
  open: (event: OpenEvent) => void
  /** A message came: decoded. */
  message: (message: Incoming) => void
  /** A connection ended, or an attempt at one. */
  close: (event: CloseEvent) => void
  /** `send` had answered `false`, or `drained()` was asked for: there is room again. */
  drain: () => void
  /** A message that was sent by `send` will not arrive, or may not have. */
  undelivered: (event: Undelivered<Outgoing>) => void
  /** Before anything of the next session is told. In session mode only. */
  sessionLost: (event: SessionLost<Outgoing>) => void
  /** With the option `sequence`: numbers are missing. What is told next comes after them. */
  gap: (event: Gap) => void
  /** Something was not as it should be, and the socket goes on. Without a listener it goes to `reportError`. */
  error: (error: SocketError) => void
}

/** What `stats()` answers: plain data. Times are in ms. Sizes are in bytes, of UTF-8, without framing. */
export interface Stats {
  /** The socket, by a random id, and its present or last attempt: `'<id>.<attempts>'`, as in the log. */
  readonly connection: string
  /** What came from WebSockets, heartbeats included. */
  readonly messagesIn: number
  /** Their size. */
  readonly bytesIn: number
  /** What was handed to WebSockets, heartbeats included. */
  readonly messagesOut: number
  /** Their size. */
  readonly bytesOut: number
  /** Messages that wait to be sent. */
  readonly queuedMessages: number
  /** Their size. */
  readonly queuedBytes: number
  /** Connections that were tried. */
  readonly attempts: number
  /** Connections that became open. */
  readonly opens: number
  /** Of the open connection; 0 if there is none. */
  readonly uptimeMs: number
  /** From heartbeat to answer, if there was one: `smoothedMs` as in RFC 6298 §2, the others of the last 100. */
  readonly roundTrip:
    | { readonly lastMs: number; readonly smoothedMs: number; readonly p50Ms: number; readonly p95Ms: number }
    | undefined
  /** Time spent in each state that was entered. */
  readonly stateMs: { readonly [name in StateName]?: number }
  /** Messages that were told by `undelivered`, by their code. */
  readonly undelivered: { readonly [code in Undelivered['code']]?: number }
}

/** One step of the machine: what it was, what happened, what it became. Plain data, for a bug report. */
export interface Transition {
  /** The state before. */
  readonly from: StateName
  /** What happened, by its name in the diagram of states. */
  readonly event: Event['type']
  /** The state after. */
  readonly to: StateName
  /** Close code and reason, if that is what it was about, or `''`. */
  readonly reason: string
  /** Failures in a row. */
  readonly attempt: number
  /** In ms since the epoch. */
  readonly at: number
}

/** What the option `log` is told. */
export type LogRecord = {
  /** The socket, by a random id, and its attempt, by its number: `'<id>.<attempts>'`. */
  readonly connection: string
  /** In ms since the epoch. */
  readonly at: number
} & (
  | ({ readonly type: 'transition' } & Transition)
  | { readonly type: 'ping' }
  | { readonly type: 'pong'; readonly roundTripMs: number }
  | ({ readonly type: 'undelivered' } & Pick<Undelivered, 'code' | 'certain'>)
  | { readonly type: 'error'; readonly code: SocketErrorCode; readonly message: string }
)
