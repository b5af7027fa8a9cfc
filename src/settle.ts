/** What was asked for is checked, and the defaults are put in: once, before anything is done with it. */

import { checkProtocols, provider } from './address'
import type { Backoff } from './core/backoff'
import type { OutboxPolicy } from './core/outbox'
import type { CloseOptions, HeartbeatOptions, MessagesOptions, Options, Platform, Provider } from './options'
import { amount, choice, duration, group, optional, type Rule, refuse } from './rules'
import type { StandardSchema } from './schema'
import type { Codec } from './wire/codec'
import { byteLength } from './wire/data'

/** {@link Options} with the defaults in. */
export interface Settings<Incoming = unknown, Outgoing = unknown>
  extends Pick<
    Options<Incoming, Outgoing>,
    | 'handshake'
    | 'incoming'
    | 'log'
    | 'outgoing'
    | 'sequence'
    | 'session'
    | 'shouldRetry'
    | 'signal'
    | 'WebSocket'
  > {
  readonly protocols: Provider<string | readonly string[]>
  readonly autoConnect: boolean
  /** Whatever its types, the schemas stand between. */
  readonly codec: Codec | undefined
  readonly connectTimeoutMs: number
  readonly closeTimeoutMs: number
  readonly minUptimeMs: number
  readonly maxAttempts: number
  readonly maxElapsedMs: number
  readonly maxMessageBytes: number
  readonly backoff: Backoff
  readonly heartbeat: Beat<Incoming, Outgoing>
  readonly queue: OutboxPolicy
  readonly resend: 'never' | 'uncertain'
  readonly platform: Partial<Platform>
}

interface Beat<Incoming, Outgoing> extends Pick<HeartbeatOptions<Incoming, Outgoing>, 'message' | 'isPong'> {
  readonly intervalMs: number
  readonly timeoutMs: number
}

const schema: Rule<StandardSchema | undefined> = (value, path) => {
  // Those of arktype are functions
  const asked = value as StandardSchema | undefined
  return asked === undefined || typeof asked?.['~standard']?.validate === 'function'
    ? asked
    : refuse(path, 'a Standard Schema', value)
}

const overflow = choice<OutboxPolicy['overflow']>('throw', 'drop-oldest', 'drop-newest')

const beat = group<Beat<unknown, unknown>>({
  message: value => value,
  isPong: optional('function'),
  intervalMs: duration(25_000),
  timeoutMs: duration(10_000),
})

const settled = group<Settings>({
  protocols: (value = []) => provider(value as Settings['protocols'], checkProtocols),
  autoConnect: choice(true, false),
  codec: optional('object', 'encode', 'decode'),
  incoming: schema,
  outgoing: schema,
  handshake: optional('function'),
  signal: optional('object', 'throwIfAborted', 'addEventListener'),
  connectTimeoutMs: duration(10_000),
  closeTimeoutMs: duration(2_000),
  minUptimeMs: amount(10_000, 0),
  backoff: group<Backoff>({ baseMs: duration(1_000), maxMs: duration(12_000) }),
  maxAttempts: amount(Infinity),
  maxElapsedMs: amount(Infinity, 0),
  shouldRetry: optional('function'),
  // Without one, hearing nothing is right for as long as it takes
  heartbeat: (value = false, path) =>
    value ? beat(value, path) : { ...beat({}, path), intervalMs: Infinity },
  queue: group<OutboxPolicy>({
    maxMessages: amount(1_000),
    maxBytes: amount(4_194_304),
    highWaterMarkBytes: amount(1_048_576),
    overflow,
  }),
  resend: choice('never', 'uncertain'),
  sequence: optional('object', 'bind'),
  maxMessageBytes: amount(16_777_216),
  WebSocket: optional('function'),
  platform: group<Partial<Platform>>({
    clock: optional('object', 'now', 'random', 'setTimeout', 'clearTimeout', 'hop'),
    page: optional('object', 'online', 'listen'),
    transport: optional('function'),
  }),
  session: optional('function'),
  log: optional('function'),
})

const settledClose = group<SettledClose>({
  code: (value, path) => {
    const code = value as number | undefined
    const isLegal =
      code === undefined || code === 1000 || (Number.isInteger(code) && code >= 3000 && code < 5000)
    return isLegal ? code : refuse(path, '1000 or 3000 to 4999', value)
  },
  reason: (value = '', path) =>
    byteLength(`${value}`) <= 123 ? `${value}` : refuse(path, 'at most 123 bytes', value),
  drain: choice(false, true),
  timeoutMs: duration(10_000),
})

interface SettledClose {
  readonly code: number | undefined
  readonly reason: string
  readonly drain: boolean
  readonly timeoutMs: number
}

const settledTtl = amount(Infinity, 0)

/** @throws SocketError `invalid-option` */
export const settleTtl = (asked: unknown): number => settledTtl(asked, 'send.ttlMs')

/** @throws SocketError `invalid-option` */
export const settleClose = (asked: CloseOptions) => settledClose(asked, 'close')

const settledMessages = group<Required<MessagesOptions>>({ maxMessages: amount(1_000), overflow })

/** @throws SocketError `invalid-option` */
export const settleMessages = (asked: MessagesOptions | undefined) =>
  settledMessages(asked, 'messages') as { maxMessages: number; overflow: OutboxPolicy['overflow'] }

/**
 * Checks what was asked for and puts the defaults in; `undefined` asks for nothing.
 * @throws SocketError `invalid-option`, with the path of the first option that is wrong or unknown
 */
export const settle = <Incoming, Outgoing>(
  asked: Options<Incoming, Outgoing>,
): Settings<Incoming, Outgoing> => {
  // A session has its own heartbeat, which is on
  const { session, heartbeat = {} } = Object(asked)
  return settled(session ? { ...asked, heartbeat } : asked, '') as Settings<Incoming, Outgoing>
}
