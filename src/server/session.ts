/** A session, as the application holds it. How it is made is in `shell`. */

import type { Loss } from '../core/outbox'
import type { SessionCloseOptions, SessionSendOptions } from './options'

/** A message that was accepted by `send` and will not arrive, or may not have. */
export interface SessionUndelivered<Outgoing = unknown> {
  /** As it was given to `send`; as its codec reads it, if it was sent by another server before. */
  readonly message: Outgoing
  /**
   * `queue-full`, `replaced`, `expired` and `volatile` as they are asked for; `too-large`: the client takes none of that
   * size; `ended`: the session did.
   */
  readonly code: Loss | 'too-large' | 'volatile' | 'ended'
  /** Whether it certainly did not arrive: no WebSocket ever had it. */
  readonly certain: boolean
}

/** What the listeners of each event of a session are called with. What they throw, or reject with, is an `error`. */
export interface SessionEvents<Incoming = unknown, Outgoing = unknown, Request = unknown> {
  /** The next message, in order. */
  message: (message: Incoming) => unknown
  /** There is a connection; `resumed`: it is not the first. */
  connected: (event: { readonly request: Request; readonly resumed: boolean }) => unknown
  /** The connection is gone, with that code. The session waits for another, unless `ended` follows. */
  disconnected: (event: { readonly code: number; readonly reason: string }) => unknown
  /** `send` had answered `false`: there is room again. */
  drain: () => unknown
  /** A message that `send` accepted will not arrive, or may not have. */
  undelivered: (event: SessionUndelivered<Outgoing>) => unknown
  /**
   * It is over, and this is the last that is told of it. `closed` by the client, or by us after draining; `gone`, or the
   * reason given to `close`; `expired`: away for longer than `ttlMs`; `overflow`: more waited for it than may;
   * `too large`: a message was; `poison`: frames came that make no sense, again and again; `unknown`, `invalid`: the
   * client began anew; `moved`: to another server; `draining`, or the reason given to the server's `close`.
   */
  ended: (reason: string) => unknown
  /** A message could not be decoded, with the code `decode` (it is skipped), or a listener failed. */
  error: (error: unknown) => unknown
}

/** How a session was closed. */
export interface SessionCloseResult<Outgoing = unknown> {
  /** What the client did not acknowledge. Each was told by `undelivered` too. */
  readonly undelivered: readonly SessionUndelivered<Outgoing>[]
}

/** A client, across its connections. */
export interface Session<Incoming = unknown, Outgoing = unknown, Request = unknown>
  extends AsyncIterable<Incoming, undefined, undefined> {
  /** The client, by the name it gave itself, once. The same in the session that follows, if this one is lost. */
  readonly id: string
  /** This session, by a name that no other has. */
  readonly sid: string
  /** What `authenticate` answered. */
  readonly principal: string
  /** Whether there is a connection now. */
  readonly connected: boolean
  /** Why it has ended; `undefined` while it has not. */
  readonly reason: string | undefined
  /** Messages that wait to be sent for the first time. */
  readonly queuedMessages: number
  /** Their size in bytes (UTF-8, without framing). */
  readonly queuedBytes: number
  /** Messages that came and are not consumed yet. */
  readonly unconsumed: number

  /**
   * Sends, now or when there is a connection; never blocks. In order, and once.
   * @returns `false`: accepted, but please wait for `drain` before the next
   * @throws SocketError `closed` if the session has ended, or was closed; a listener that lets it pass is not reported.
   * `encode` if the codec refuses, `queue-full` by `queue.overflow`, `invalid-option`
   */
  send(message: Outgoing, options?: SessionSendOptions): boolean
  /** Fulfilled once there is room again, at once if there is. Rejects with `closed` when the session ends. */
  drained(): Promise<void>
  /**
   * Ends it for good. At once: the client is closed with 4410, and reports its session as lost; whatever comes from there
   * later finds the same. With `drain`: once the client has acknowledged everything it is closed with 1000, which is the
   * end of a conversation and loses nothing; if it has not within `timeoutMs`, with 4410.
   * Fulfilled when it has ended, and never rejected.
   * @throws SocketError `invalid-option`
   */
  close(options?: SessionCloseOptions): Promise<SessionCloseResult<Outgoing>>
  /** Messages that came before anyone listened are told then. @returns unsubscribes */
  on<Event extends keyof SessionEvents>(
    event: Event,
    listener: SessionEvents<Incoming, Outgoing, Request>[Event],
  ): () => void
  /**
   * The messages, one at a time: the next is asked for when the last has been dealt with. It ends with the session. To
   * leave the loop counts as having dealt with the message.
   * @throws SocketError `invalid-option` if there is such a loop already: order would be lost
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Incoming, undefined, undefined>
}
