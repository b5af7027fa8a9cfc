/** What a server tells, and what it counts. */

import type { Session } from './session'

/** A connection was refused: it never came to speak for a session. */
export interface Refused<Request = unknown> {
  /** That it was closed with: 4400, 4401, 4403, 4408, 4409, 4426, 4429, 4503 or 1011; or 1006, 1001 and others by it. */
  readonly code: number
  /** Why, in a word or two. */
  readonly reason: string
  /** As it was given to `accept`. */
  readonly request: Request
  /** The client, by the name it gave itself, if it said hello. It comes from outside. */
  readonly id: string | undefined
  /** What `authenticate` answered, if it did. */
  readonly principal: string | undefined
}

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
  /** And those that have none. */
  readonly detached: number
  /** Messages that wait to be sent for the first time, of all sessions. */
  readonly queuedMessages: number
  /** Their size in bytes (UTF-8, without framing). */
  readonly queuedBytes: number
  /** What was sent and is not acknowledged, of all sessions, in bytes. */
  readonly inFlightBytes: number
  /** Messages that came and are not consumed yet, of all sessions. */
  readonly unconsumed: number
  /** Sessions that began, ever. */
  readonly begun: number
  /** Connections that went on with a session, ever. */
  readonly resumed: number
  /** Sessions that ended, ever. */
  readonly ended: number
  /** Of these, those that ended to make room. */
  readonly evicted: number
  /** Connections that were refused, ever. */
  readonly refused: number
  /** Connections that were refused or closed with 4429, ever: by a limit of their client or principal. */
  readonly limited: number
  /** Messages that were told. */
  readonly received: number
  /** Messages that were reported as undelivered. */
  readonly undelivered: number
}
