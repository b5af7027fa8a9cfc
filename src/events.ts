/** What a socket shows and tells. */

import type { Close, StateName } from './core/lifecycle'
import type { SocketError } from './errors'

/** What `socket.state` shows: immutable, and the same object until something in it changes. */
export type SocketState =
  | {
      readonly name: Exclude<StateName, 'waiting'>
      /** Failures in a row so far. */
      readonly attempt: number
      readonly retryAt?: undefined
    }
  | {
      readonly name: 'waiting'
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

/** A message that was accepted by `send` and will not arrive. */
export interface Undelivered<Outgoing = unknown> {
  readonly message: Outgoing
  readonly code: 'closed' | 'queue-full'
  /** Whether it certainly did not arrive. */
  readonly certain: boolean
}

/** How `close()` went: `wasClean` if the server confirmed. */
export interface CloseResult<Outgoing = unknown> extends Close {
  /** What was still queued. Each was told by an `undelivered` event too. */
  readonly undelivered: readonly Undelivered<Outgoing>[]
}

export interface EventMap<Incoming = unknown, Outgoing = unknown> {
  /** The name, the attempts, or the time of the next attempt changed. */
  state: (next: SocketState, previous: SocketState) => void
  open: (event: OpenEvent) => void
  message: (message: Incoming) => void
  close: (event: CloseEvent) => void
  /** `send` had answered `false`, or `drained()` was asked for: there is room again. */
  drain: () => void
  undelivered: (event: Undelivered<Outgoing>) => void
  /** Something was not as it should be, and the socket goes on. Without a listener it goes to `reportError`. */
  error: (error: SocketError) => void
}
