/** Where a session meets the shell: what each does for the other. Types only, so that plain mode pays nothing. */

import type { Close, Event } from './core/lifecycle'
import type { Entry } from './core/outbox'
import type { SocketError } from './errors'
import type { SessionLost } from './events'
import type { AttemptContext } from './options'
import type { Clock } from './platform/clock'
import type { Transport } from './platform/transport'
import type { Sender } from './sender'
import type { Settings } from './settle'
import type { Codec } from './wire/codec'

type Data = string | Uint8Array<ArrayBuffer>

/** What a session is given: the insides of the shell. */
export interface SessionShell<Outgoing> {
  readonly clock: Clock
  readonly codec: Codec
  readonly settings: Pick<Settings, 'queue'> & {
    readonly handshake?: unknown
    readonly sequence?: unknown
    readonly heartbeat: { readonly intervalMs: number }
  }
  /** The heartbeat of the machine. */
  readonly beat: { intervalMs: number }
  /** Iterators of messages, by whether they ask for the next. */
  readonly readers: ReadonlySet<() => boolean>
  readonly sender: Pick<Sender<Outgoing>, 'outbox' | 'settle' | 'lose'>
  transport(): Transport | undefined
  write(data: Data): void
  /** @returns nothing if it cannot be, which is told */
  decode(data: Data): readonly [message: unknown] | undefined
  dispatch(event: Event): void
  fail(error: SocketError, data?: unknown): void
  /** A ping was answered. */
  ponged(): void
  note(notice: () => unknown): void
  tell(event: 'sessionLost', lost: SessionLost<Outgoing>): void
  /** Tells at once: for within a notice. */
  emit(event: 'message', message: never): void
  hears(event: 'message'): boolean
  publish(): void
}

/** What a session does. Nothing of it throws. */
export interface SessionHooks<Outgoing> {
  /** Whether the present connection went on with the session of the last. */
  readonly isResumed: boolean
  /** The codec, as a session needs it: of JSON, or bytes. */
  readonly codec: Codec
  /** A connection is open. What this throws, the application's `auth` threw. */
  hello(context: AttemptContext): Promise<void>
  received(data: Data, now: number): void
  /** Sends what may be sent. @param now 0: what waits is not too late */
  pump(now: number): void
  /** A connection has ended. @returns as `shouldRetry` */
  judge(close: Close): boolean | number | undefined
  /** The transport is about to be dropped. */
  unlink(): void
  /** Acknowledges at once. */
  flush(): void
  ping(): void
  /** @returns whether it was sent */
  sendVolatile(data: Data, bytes: number): boolean
  /** Somebody listens now, or asks for the next message. */
  advance(): void
  /** The socket is closed for good. @returns what was sent and not acknowledged */
  end(): readonly Entry<Outgoing>[]
}

/** The value of the option `session`: made by `resumable()`. */
export type SessionMode = <Outgoing>(shell: SessionShell<Outgoing>) => SessionHooks<Outgoing>
