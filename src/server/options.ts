/** What a server can be told, and what it does if it is not. A schema: a server is configured by people and files. */

import * as z from 'zod'
import type { OutboxPolicy } from '../core/outbox'
import { createStore, type SessionStore } from '../core/store'
import { SocketError } from '../errors'
import { LONGEST_TIMER_MS } from '../rules'
import { type Codec, json } from '../wire/codec'
import type { ServerClock } from './deadlines'
import type { ServerLogRecord } from './log'
import { isOrigin, type OriginCheck } from './origin'

/** Answered by `authenticate`: we know who it is, and they may not. The client is closed with 4403 and stays away. */
export const FORBIDDEN: unique symbol = Symbol('forbidden')

/** What `authenticate` decides by. */
export interface Credentials<Request = unknown> {
  /** What the client's option `auth` said on this connection. Anything: it comes from outside. */
  readonly auth: unknown
  /** As it was given to `accept`. */
  readonly request: Request
  /** The client, by the public name it gave itself. */
  readonly id: string
  /** Aborts when the connection is gone, or `helloTimeoutMs` are over: nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** How much may wait to be sent to one client, and be in flight to it. */
export interface ServerQueueOptions {
  /** From 1. @default 1_000 */
  readonly maxMessages?: number | undefined
  /** From 1, of UTF-8, without framing. @default 4_194_304 */
  readonly maxBytes?: number | undefined
  /** Above this, in bytes, `send` answers `false`; and no more is handed to a WebSocket. @default 1_048_576 */
  readonly highWaterMarkBytes?: number | undefined
  /**
   * What a message does that does not fit: `send` throws `queue-full`, or the oldest that waits or the message itself
   * is undelivered. With `'throw'` a session that has no connection then ends as `overflow`: its client would come
   * back to a hole.
   * @default 'throw'
   */
  readonly overflow?: OutboxPolicy['overflow'] | undefined
  /**
   * What may be in flight at a time, from 1, in bytes: sent and not acknowledged, and kept to be sent again. One message
   * always may, however large. So one client costs `maxBytes` and this at most, beside the client's own window, which
   * is in messages.
   * @default 4_194_304
   */
  readonly maxInFlightBytes?: number | undefined
}

/**
 * How much there may be of everything, so that nobody can fill the memory of a server. If there is no room for another
 * session, the one that has been without a connection for the longest ends as `evicted`; its client is told so when it
 * comes back. If all are connected, the newcomer is refused.
 */
export interface ServerLimits {
  /** Sessions of one principal, connected or not, from 1. Then 4429 `too many sessions`. @default 1_000 */
  readonly sessionsPerPrincipal?: number | undefined
  /** Sessions of all, connected or not, from 1. Then 4503 `full`. @default 100_000 */
  readonly sessions?: number | undefined
  /**
   * What is kept for all clients that are away, from 0, in bytes of messages. Above it the first of them that anything
   * is kept for are evicted. @default 268_435_456
   */
  readonly detachedBytes?: number | undefined
  /** Connections that are not closing, from 1. Then 4503 `full`. @default 100_000 */
  readonly connections?: number | undefined
  /**
   * Of these, those that are not authenticated yet, from 1. Above it the one that has said nothing for the longest is
   * closed with 4503 `crowded`; if all have said hello, the newcomer. @default 1_000
   */
  readonly waiting?: number | undefined
  /**
   * Hellos of one principal in a second, on average, above 0; ten times as many may come at once. Then 4429
   * `too many hellos`, until half of them may come again. @default 100
   */
  readonly hellosPerSecond?: number | undefined
  /**
   * Messages of one session that came and are not consumed, from 1, in bytes (UTF-16 units for text): beside `win`,
   * which counts them. One message is always taken. Above it 4429 `not consumed`; the session is kept, and the client
   * sends them again. @default 67_108_864
   */
  readonly unconsumedBytes?: number | undefined
}

/**
 * How fast one session may speak: a token bucket, which survives its connections. Everything counts as a message that
 * comes from the client: messages, acknowledgements, pings of ours and of WebSocket itself. Who exceeds it is closed
 * with 4429 `rate limited`, and again at each attempt until half of what may come at once may come. The session is kept,
 * and what was not taken is sent again.
 */
export interface ServerRate {
  /** On average, above 0. @default 10_000 */
  readonly messagesPerSecond?: number | undefined
  /** On average, above 0, in UTF-8 or UTF-16 units for text. @default as many as the network brings */
  readonly bytesPerSecond?: number | undefined
  /** What may come at once, as the time that it takes on average, in ms, from 1. @default 5_000 */
  readonly burstMs?: number | undefined
}

/** What a server of sessions is asked for. Only `authenticate` is required. */
export interface ServerOptions<Incoming = unknown, Outgoing = unknown, Request = unknown> {
  /**
   * Who a client is: the name of the principal that its session belongs to. Asked on each connection, the first and
   * those that resume. `undefined` (or nothing, or `''`) refuses with 4401, on which a client may fetch a fresh token
   * and try once more; {@link FORBIDDEN} refuses with 4403, for good. What it throws is an `error` event and 4401.
   *
   * Limits are counted by principal: give visitors who have no name one each.
   */
  readonly authenticate: (
    credentials: Credentials<Request>,
  ) => Promise<string | typeof FORBIDDEN | undefined> | string | typeof FORBIDDEN | undefined
  /**
   * The pages that may connect, by their origin, such as `'https://example.com'`; or who decides, by the origin and the
   * request. Looked at before anything else; others are closed with 4403 `origin`, and stay away. Needed if
   * `authenticate` goes by cookies, which browsers send whatever page asks.
   *
   * The origin is read from `request.headers`, an object as of Node's `IncomingMessage`, or a `Headers` as of `fetch`. A
   * request without the header comes from no browser: a list lets it pass, and a function is asked with `undefined`.
   * With a list, a request without readable headers is refused. Only `true` is a yes; what a function throws is an
   * `error` event, and a no.
   * @default any
   */
  readonly origins?: readonly string[] | OriginCheck<Request> | undefined
  /** How messages are spelled; that of the client. @default json() */
  readonly codec?: Codec<Incoming, Outgoing> | undefined
  /** Messages of one client that may wait to be consumed, from 1 to 65_536. @default 256 */
  readonly win?: number | undefined
  /** The largest message that is accepted, in bytes, from 1. A larger one ends its session. @default 1_048_576 */
  readonly maxMessageBytes?: number | undefined
  /** How long a session is kept without a connection, in ms, from 1. @default 120_000 */
  readonly ttlMs?: number | undefined
  /** Time for a connection to say hello and to be authenticated, in ms, from 1; then 4408. @default 10_000 */
  readonly helloTimeoutMs?: number | undefined
  /** How long a closing handshake may take before the WebSocket is terminated, in ms, from 1. @default 2_000 */
  readonly closeTimeoutMs?: number | undefined
  /**
   * `intervalMs`, from 1: silence after which clients are asked to ping. We ask only after
   * `max(2 * intervalMs + timeoutMs, 120_000)` of silence, and give up after `timeoutMs`, from 1, more: 4408.
   * @default { intervalMs: 25_000, timeoutMs: 10_000 }
   */
  readonly heartbeat?:
    | { readonly intervalMs?: number | undefined; readonly timeoutMs?: number | undefined }
    | undefined
  /** The bounds of what waits for each client. */
  readonly queue?: ServerQueueOptions | undefined
  /** The bounds of everything else. */
  readonly limits?: ServerLimits | undefined
  /** How fast each client may speak. */
  readonly rate?: ServerRate | undefined
  /**
   * Told of each occurrence, after it, as a plain object: for log lines and metrics. There is no key and nothing of
   * `auth` in it. What it throws, or rejects with, is an `error` event.
   */
  readonly log?: ((record: ServerLogRecord) => unknown) | undefined
  /** Where it is known which session is whose, and how far it has got. @default in the memory of this process */
  readonly store?: SessionStore | undefined
  /** The name of this server among those that share the store. @default a random one */
  readonly node?: string | undefined
  /** For tests. */
  readonly clock?: ServerClock | undefined
}

/** How a server is closed. */
export interface ServerCloseOptions {
  /** A token that clients are told, of letters, digits and `-_ .`. @default 'draining' */
  readonly reason?: string | undefined
  /** How long clients should wait before they come again, at least, in ms, from 0. @default 5_000 */
  readonly retryMs?: number | undefined
  /**
   * Each client is told a time of its own, at random from `retryMs` to `retryMs + spreadMs`, so that they do not all come
   * at once. In ms, from 0. Clients add up to 20 %. @default as `retryMs`
   */
  readonly spreadMs?: number | undefined
  /** How long to wait for acknowledgements, in ms, from 0. @default 10_000 */
  readonly timeoutMs?: number | undefined
}

/** How a session is ended. */
export interface SessionCloseOptions {
  /** A token that the client is told, of letters, digits and `-_ .`. @default 'gone', or 'closed' with `drain` */
  readonly reason?: string | undefined
  /** First sends what waits, and until it is acknowledged; if the client is away, waits for it. @default false */
  readonly drain?: boolean | undefined
  /** Bound of draining, in ms, from 0. @default 10_000 */
  readonly timeoutMs?: number | undefined
}

/** How a message is sent. */
export interface SessionSendOptions {
  /** How long it may wait to be sent first, in ms, from 0. Then it is undelivered as `expired`. */
  readonly ttlMs?: number | undefined
  /** Of the messages that wait, only the latest with this key is kept; the others are undelivered as `replaced`. */
  readonly key?: string | undefined
  /** Goes at once if there is a connection with room for it, or is undelivered as `volatile`. Never sent again. */
  readonly volatile?: boolean | undefined
}

const duration = (usual: number, least = 1) => z.number().min(least).max(LONGEST_TIMER_MS).default(usual)
const size = (usual: number) => z.number().min(1).default(usual)

const has = <T>(type: 'function' | 'object', ...methods: readonly (keyof T & string)[]) =>
  z.custom<T>(
    value =>
      !!value &&
      typeof value === type &&
      methods.every(method => typeof (value as Record<string, unknown>)[method] === 'function'),
    `expected ${[type, ...methods].join(' ')}`,
  )

const systemClock: ServerClock = {
  // Since the epoch, and never back
  now: () => performance.timeOrigin + performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: timer => clearTimeout(timer as number),
}

const serverOptions = z.strictObject({
  authenticate: has<ServerOptions['authenticate']>('function'),
  origins: z
    .custom<readonly string[] | OriginCheck>(
      value => typeof value === 'function' || (Array.isArray(value) && value.every(isOrigin)),
      "expected a function, or origins such as 'https://example.com', without a path",
    )
    .optional(),
  codec: has<Codec>('object', 'encode', 'decode').default(json),
  win: z.int().min(1).max(65_536).default(256),
  maxMessageBytes: size(1_048_576),
  ttlMs: duration(120_000),
  helloTimeoutMs: duration(10_000),
  closeTimeoutMs: duration(2_000),
  heartbeat: z.strictObject({ intervalMs: duration(25_000), timeoutMs: duration(10_000) }).prefault({}),
  queue: z
    .strictObject({
      maxMessages: size(1_000),
      maxBytes: size(4_194_304),
      highWaterMarkBytes: size(1_048_576),
      overflow: z.enum(['throw', 'drop-oldest', 'drop-newest']).default('throw'),
      maxInFlightBytes: size(4_194_304),
    })
    .prefault({}),
  limits: z
    .strictObject({
      sessionsPerPrincipal: size(1_000),
      sessions: size(100_000),
      detachedBytes: z.number().min(0).default(268_435_456),
      connections: size(100_000),
      waiting: size(1_000),
      hellosPerSecond: z.number().positive().default(100),
      unconsumedBytes: size(67_108_864),
    })
    .prefault({}),
  rate: z
    .strictObject({
      messagesPerSecond: z.number().positive().default(10_000),
      bytesPerSecond: z.number().positive().optional(),
      burstMs: duration(5_000),
    })
    .prefault({}),
  log: has<(record: ServerLogRecord) => unknown>('function').optional(),
  store: has<SessionStore>('object', 'take', 'touch', 'push', 'recv', 'ack', 'end').default(createStore),
  node: z
    .string()
    .min(1)
    .default(() => `node-${Math.random()}`),
  clock: has<ServerClock>('object', 'now', 'setTimeout', 'clearTimeout').default(systemClock),
})

export type ServerSettings = z.output<typeof serverOptions>

/** With `; retry=2147483647` at most 123 bytes: what a close frame holds (RFC 6455 §5.5). */
const token = z
  .string()
  .max(80)
  .regex(/^[\w .-]+$/, "expected letters, digits, '-', '_', '.' and blanks")

const serverClose = z
  .strictObject({
    reason: token.default('draining'),
    retryMs: duration(5_000, 0),
    spreadMs: z.number().min(0).max(LONGEST_TIMER_MS).optional(),
    timeoutMs: duration(10_000, 0),
  })
  .transform(({ spreadMs, ...settings }) => ({ ...settings, spreadMs: spreadMs ?? settings.retryMs }))

const sessionClose = z.strictObject({
  reason: token.optional(),
  drain: z.boolean().default(false),
  timeoutMs: duration(10_000, 0),
})

const sessionSend = z.strictObject({
  ttlMs: z.number().min(0).optional(),
  key: z.string().optional(),
  volatile: z.boolean().default(false),
})

/** @throws SocketError `invalid-option`, with the path of the first that is wrong or unknown, and what was expected */
const settler =
  <Schema extends z.ZodType>(schema: Schema, name: string) =>
  (asked: unknown): z.output<Schema> => {
    const { data, error } = schema.safeParse(asked)
    if (!error) return data
    const [issue = { path: [], message: 'refused' }] = error.issues
    const path = [name, ...issue.path.map(String)].join('.')
    throw new SocketError('invalid-option', `${path}: ${issue.message}`)
  }

export const settleServer = settler(serverOptions, 'options')
export const settleServerClose = settler(serverClose, 'close')
export const settleSessionClose = settler(sessionClose, 'close')
export const settleSend = settler(sessionSend, 'send')
