/** What a user may ask for, and what is asked for by default. */

import type { Close } from './core/lifecycle'
import type { OutboxPolicy } from './core/outbox'
import type { SequenceNumber } from './core/sequence'
import type { LogRecord } from './events'
import type { Clock } from './platform/clock'
import type { Page } from './platform/page'
import type { OpenTransport, WebSocketConstructor } from './platform/transport'
import type { StandardSchema } from './schema'
import type { Sequence } from './sequence'
import type { SessionMode } from './session'
import type { Codec } from './wire/codec'

/** What a provider and the handshake are told of the attempt they are asked for. */
export interface AttemptContext {
  /** Failures in a row before this attempt, from 0. */
  readonly attempt: number
  /** How the last connection ended, if there was one. */
  readonly lastClose: Close | undefined
  /** Aborted by `close()`, by the connect timeout, and by whatever else ends the attempt. */
  readonly signal: AbortSignal
  /** With the option `sequence`: the last number of each stream, to ask for what comes after it. */
  readonly sequence: ReadonlyMap<string, SequenceNumber> | undefined
}

/** What `handshake` is told, and may do. */
export interface HandshakeContext<Incoming, Outgoing> extends AttemptContext {
  /** Sends at once, past the queue. Throws a `SocketError` with the code `closed` once the attempt has ended. */
  send(message: Outgoing): void
  /**
   * The next message. What is not taken is delivered as `message` events once open. Rejects when the attempt ends. With
   * the option `sequence` the number of what is taken is the last of its stream.
   */
  receive(): Promise<Incoming>
}

/** One value, or a function that is asked for each attempt: this is how short-lived tokens are refreshed. */
export type Provider<T> = T | ((context: AttemptContext) => T | Promise<T>)

/** How a half-open connection is found. */
export interface HeartbeatOptions<Incoming = unknown, Outgoing = unknown> {
  /**
   * Sent when nothing came for `intervalMs`, to make the server answer: an application message, encoded once.
   * An echo of it is swallowed. Without it nothing is sent, and a peer that is silent for
   * `intervalMs + timeoutMs` is given up: for feeds that always talk.
   */
  readonly message?: NoInfer<Outgoing> | undefined
  /** Whether a message is the answer to `message`. Such a message is measured and not delivered. */
  readonly isPong?: ((message: Incoming) => boolean) | undefined
  /**
   * Silence after which to ask, in ms, from 1. Any inbound message counts as life, so a busy connection never asks.
   * @default 25_000
   */
  readonly intervalMs?: number | undefined
  /**
   * How long an answer, or any other message, may take, in ms, from 1. Then the connection is replaced.
   * @default 10_000
   */
  readonly timeoutMs?: number | undefined
}

/** How long to wait between attempts. */
export interface BackoffOptions {
  /**
   * Ceiling of the first wait in ms, from 1. It doubles with each failure in a row; the wait is drawn below it.
   * @default 1_000
   */
  readonly baseMs?: number | undefined
  /**
   * Ceiling of every wait in ms, from 1. At the ceiling half of the wait is fixed and half is drawn.
   * @default 12_000
   */
  readonly maxMs?: number | undefined
}

/** What bounds the messages that wait to be sent. */
export interface QueueOptions {
  /**
   * Messages that may wait, from 1. `send` answers `false` from half of it.
   * @default 1_000
   */
  readonly maxMessages?: number | undefined
  /**
   * Bytes that may wait (UTF-8, without framing), from 1.
   * @default 4_194_304
   */
  readonly maxBytes?: number | undefined
  /**
   * Bytes from which `send` answers `false`, or half of `maxBytes` if that is less; and bytes that the WebSocket is
   * handed at a time, from 1.
   * @default 1_048_576
   */
  readonly highWaterMarkBytes?: number | undefined
  /**
   * At the limit: `'throw'` makes `send` throw `queue-full`; `'drop-oldest'` and `'drop-newest'` report what had
   * to go by `undelivered`.
   * @default 'throw'
   */
  readonly overflow?: OutboxPolicy['overflow'] | undefined
}

/** How one message is sent. */
export interface SendOptions {
  /** How long it may wait to be sent, in ms, from 0. Then it is undelivered as `expired`. */
  readonly ttlMs?: number | undefined
  /**
   * Of the messages that wait, only the latest with this key is kept, in the place of the first: a position, a price.
   * The others are undelivered as `replaced`.
   */
  readonly key?: string | undefined
  /** Takes it back if it is still waiting when this aborts: it is undelivered as `aborted`. */
  readonly signal?: AbortSignal | undefined
  /** Goes at once, if the connection is open and below the high-water mark, or is undelivered as `volatile`. */
  readonly volatile?: boolean | undefined
}

/** How a socket is closed. */
export interface CloseOptions {
  /** 1000, or 3000 to 4999 (WHATWG WebSockets). */
  readonly code?: number | undefined
  /** At most 123 bytes of UTF-8 (RFC 6455 §5.5). */
  readonly reason?: string | undefined
  /** First sends what waits, connecting again if it must. `send` throws from now on. @default false */
  readonly drain?: boolean | undefined
  /** Bound of draining in ms, from 1. Closing itself has `closeTimeoutMs` on top. @default 10_000 */
  readonly timeoutMs?: number | undefined
}

/** How messages wait to be read. */
export interface MessagesOptions {
  /**
   * Messages that may wait to be read, from 1.
   * @default 1_000
   */
  readonly maxMessages?: number | undefined
  /**
   * At the limit: `'throw'` ends the reading with `inbound-full`, after what was in time; `'drop-oldest'` and
   * `'drop-newest'` go on, and tell each message that had to go by an `error` event.
   * @default 'throw'
   */
  readonly overflow?: OutboxPolicy['overflow'] | undefined
}

/** What becomes of messages that were sent in a session that is lost. */
export type Resend = 'report' | 'resend-certain' | 'resend-all'

/** How a session is kept. */
export interface ResumableOptions {
  /** What the server authenticates by, or a function that is asked on each connection. */
  readonly auth?: unknown
  /** Messages that may come before the first of them is consumed, from 1. @default 256 */
  readonly win?: number
  /** The largest message that is accepted, in bytes, from 1. @default 1_048_576 */
  readonly maxMessageBytes?: number
  /**
   * What is done with messages that were sent in a session that is lost: `'report'` tells them by `undelivered`,
   * `'resend-certain'` sends those again that certainly did not arrive, `'resend-all'` also those that may have; or a
   * function that is told why.
   * @default 'report'
   */
  readonly onSessionLost?: Resend | ((reason: string) => Resend)
}

/** Where time, chance, the page and the network come from. For tests, React Native, and other unusual places. */
export interface Platform {
  /** Where time and chance come from, instead of the runtime. */
  readonly clock: Clock
  /** Where `online`, `visible`, `suspend` and the like come from, instead of the page. */
  readonly page: Page
  /** What opens a connection, instead of `WebSocket`. */
  readonly transport: OpenTransport
}

/** What a socket may be asked for. Durations are in ms, sizes in bytes. */
export interface Options<Incoming = unknown, Outgoing = unknown> {
  /** Subprotocols to offer, or a function that is asked for them for each attempt. @default [] */
  readonly protocols?: Provider<string | readonly string[]> | undefined
  /** Connect at construction. Otherwise `connect()` does. @default true */
  readonly autoConnect?: boolean | undefined
  /** How messages are spelled. @default json() */
  readonly codec?: AnyCodec<Incoming, Outgoing> | undefined
  /**
   * Checks what comes, and gives `message` its type: any Standard Schema, such as one of zod, valibot or arktype. What
   * it refuses becomes an `error` event, and the connection lives on.
   */
  readonly incoming?: StandardSchema<unknown, Incoming> | undefined
  /** Checks what is sent, and gives `send` its type: any Standard Schema. What it refuses, `send` throws. */
  readonly outgoing?: StandardSchema<Outgoing, unknown> | undefined
  /**
   * Runs on each connection before the queue is flushed: authenticate, re-subscribe. A throw fails the attempt; a
   * `FatalError` ends in `closed`.
   */
  readonly handshake?: ((context: HandshakeContext<Incoming, Outgoing>) => unknown) | undefined
  /** `close()` when it aborts. `connect()` throws its reason from then on. */
  readonly signal?: AbortSignal | undefined
  /**
   * Bound of an attempt in ms, from 1: providers, opening handshake and `handshake` together.
   * Browsers give up after 20 to 240 s.
   * @default 10_000
   */
  readonly connectTimeoutMs?: number | undefined
  /** Bound of `close()` in ms, from 1. Browsers take 20 to 60 s on a dead path, or for ever. @default 2_000 */
  readonly closeTimeoutMs?: number | undefined
  /** A connection shorter than this, in ms, from 0, does not reset `attempt`. @default 10_000 */
  readonly minUptimeMs?: number | undefined
  /** How long to wait between attempts. */
  readonly backoff?: BackoffOptions | undefined
  /** Failures in a row after which to give up, from 1, which never retries. @default Infinity */
  readonly maxAttempts?: number | undefined
  /** No attempt is planned for later than this after the outage began, in ms, from 0. @default Infinity */
  readonly maxElapsedMs?: number | undefined
  /**
   * Overrides the decision by close code. `attempt` counts failures in a row, this one included. A number is the
   * delay in ms; `undefined` leaves it to the code. Not asked after a `FatalError`.
   */
  readonly shouldRetry?: ((close: Close, attempt: number) => boolean | number | undefined) | undefined
  /** Finds half-open connections. @default false */
  readonly heartbeat?: HeartbeatOptions<Incoming, Outgoing> | false | undefined
  /** What bounds the messages that wait to be sent. */
  readonly queue?: QueueOptions | undefined
  /**
   * What is done with messages that a lost connection still held, so that they may or may not have arrived: `'never'`
   * tells them by `undelivered`, `'uncertain'` sends them again, in order, at the risk of doubling them.
   * @default 'never'
   */
  readonly resend?: 'never' | 'uncertain' | undefined
  /** Messages that the server numbers: drops duplicates, tells gaps, and can restore order. `sequence({ of })`. */
  readonly sequence?: Sequence<Incoming> | undefined
  /** A larger inbound message becomes an `error` event, in bytes, from 1. @default 16_777_216 */
  readonly maxMessageBytes?: number | undefined
  /** The constructor to use instead of the global one, such as that of the `ws` package. */
  readonly WebSocket?: WebSocketConstructor | undefined
  /** Where time, chance, the page and the network come from, instead of the runtime. */
  readonly platform?: Partial<Platform> | undefined
  /** Sessions that survive reconnects, with a server that speaks their protocol: `resumable()`. Plain without it. */
  readonly session?: SessionMode | undefined
  /** Told of each step, and of what goes wrong. Nothing is logged without it. */
  readonly log?: ((record: LogRecord) => void) | undefined
}

/**
 * Types are taken from the codec only where no schema says more (`& {}` makes an inference that yields to others); and
 * beside a schema, which takes `unknown`, any codec fits.
 */
type AnyCodec<Incoming, Outgoing> = Codec<Incoming & {}, Outgoing & {}> | Codec<unknown, Outgoing & {}>
