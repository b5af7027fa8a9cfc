/**
 * How the session protocol `reconnecting-socket.v1` is spelled: one JSON array in a text frame, or for messages that
 * are bytes, a kind, two LEB128 numbers and the payload in a binary one.
 *
 * What is text and what is binary goes by content, not by opcode: some echo servers answer text in binary frames. A
 * binary frame that starts with `[` is text, and no binary kind has that byte.
 *
 * The payload of a message is not looked at: it is spliced in, and sliced out, as the codec spells it. If it is not
 * JSON, the codec will find out, and that concerns one message only; a malformed frame concerns the session.
 */

import { toText } from './data'

type Data = string | Uint8Array<ArrayBuffer>

/**
 * What a client says first on each connection. Here and in {@link Welcome}, properties that are unknown are ignored,
 * and `null` is as good as absent: not every language knows the difference.
 */
export interface Hello {
  readonly v: 1
  /** Chosen by the client once, public. */
  readonly id: string
  /** Chosen by the client once, secret: appears nowhere else. */
  readonly key: string
  /** Ties the answer to this hello. */
  readonly nonce: string
  /** Counts attempts, from 1. */
  readonly epoch: number
  /** The session to resume; absent if there is none. */
  readonly sid?: string | null | undefined
  /** All up to this number was consumed; absent if `sid` is. */
  readonly ack?: number | null | undefined
  /** Messages that may be on their way to the sender of this, beyond `ack`. */
  readonly win: number
  /** Largest payload that the sender of this accepts, in bytes. */
  readonly max: number
  /** Whatever the application wants to be authenticated by. */
  readonly auth?: unknown
}

/** What the server answers. Resumed, if `sid` is the one that was asked for. */
export interface Welcome {
  readonly v: 1
  readonly nonce: string
  readonly sid: string
  readonly ack: number
  readonly win: number
  readonly max: number
  /** How long the session is kept without a connection, in ms. */
  readonly ttl: number
  /** Silence after which the client should ask, in ms. */
  readonly hb: number
  /** What became of the session that was asked for, and what it had consumed, if that is known. */
  readonly lost?: { readonly reason: string; readonly ack?: number | null | undefined } | null | undefined
}

export type Frame =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'welcome'; readonly welcome: Welcome }
  | { readonly kind: 'msg'; readonly seq: number; readonly ack: number; readonly data: Data }
  | { readonly kind: 'ack'; readonly ack: number }
  | { readonly kind: 'ping' | 'pong' }
  | { readonly kind: 'volatile'; readonly data: Data }
  /** Of an extension that we do not speak: to be ignored. */
  | { readonly kind: 'unknown' }

/** Why something is no frame. `version`: a hello or welcome of another version, which may look different. */
export type Malformed = 'not a frame' | 'version' | 'too large'

/** UTF-16 units, which for ASCII are bytes. */
const LONGEST_HELLO = 4_096
/** Kinds from here on are extensions, and ignored by those who do not know them. */
const FIRST_EXTENSION = 64
const BRACKET = 0x5b

/** The payload of a message has to be JSON text, or bytes. */
export const writeFrame = (frame: Exclude<Frame, { kind: 'unknown' }>): Data => {
  switch (frame.kind) {
    case 'hello':
      return `[0,${JSON.stringify(frame.hello)}]`
    case 'welcome':
      return `[1,${JSON.stringify(frame.welcome)}]`
    case 'msg': {
      const { seq, ack, data } = frame
      if (typeof data === 'string') return `[2,${seq},${ack},${data}]`
      return joined([2, ...leb(seq), ...leb(ack)], data)
    }
    case 'ack':
      return `[3,${frame.ack}]`
    // Constant, so that an edge can answer them without waking anybody
    case 'ping':
      return '[4]'
    case 'pong':
      return '[5]'
    case 'volatile':
      return typeof frame.data === 'string' ? `[6,${frame.data}]` : joined([6], frame.data)
  }
}

const joined = (head: readonly number[], data: Uint8Array): Uint8Array<ArrayBuffer> => {
  const frame = new Uint8Array(head.length + data.length)
  frame.set(head)
  frame.set(data, head.length)
  return frame
}

/** Unsigned LEB128. By division: shifts end at 32 bits. */
const leb = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))]

/** Total: whatever comes, it answers a frame, or says why there is none. */
export const parseFrame = (data: Data): Frame | Malformed => {
  if (typeof data !== 'string' && data[0] !== BRACKET) return parseBinary(data)
  try {
    return parseText(toText(data))
  } catch {
    return 'not a frame'
  }
}

/** The head of a message: digits, and no white space but blanks, so that the payload need not be parsed to be found. */
const HEAD = /^\[ *(?:6|2 *, *(0|[1-9]\d{0,15}) *, *(0|[1-9]\d{0,15})) *,/

const parseText = (text: string): Frame | Malformed => {
  const head = text.endsWith(']') && HEAD.exec(text)
  if (head) {
    const data = text.slice(head[0].length, -1)
    return head[1] ? message(Number(head[1]), Number(head[2]), data) : { kind: 'volatile', data }
  }
  const frame: unknown = JSON.parse(text)
  if (!Array.isArray(frame)) return 'not a frame'
  const [kind, body]: unknown[] = frame
  if (isCount(kind, FIRST_EXTENSION)) return { kind: 'unknown' }
  if (!isCount(kind)) return 'not a frame'
  switch (`${kind} ${frame.length}`) {
    case '0 2':
      if (text.length > LONGEST_HELLO) return 'too large'
      return isHello(body) ? { kind: 'hello', hello: body } : odd(body)
    case '1 2':
      return isWelcome(body) ? { kind: 'welcome', welcome: body } : odd(body)
    case '3 2':
      return isCount(body) ? { kind: 'ack', ack: body } : 'not a frame'
    case '4 1':
      return { kind: 'ping' }
    case '5 1':
      return { kind: 'pong' }
  }
  return 'not a frame'
}

const parseBinary = (bytes: Uint8Array<ArrayBuffer>): Frame | Malformed => {
  let at = 1
  /** NaN for what is cut off, longer than 8 bytes, or longer than it need be. */
  const number = () => {
    let value = 0
    for (let scale = 1; scale <= 128 ** 7; scale *= 128) {
      const byte = bytes[at++] ?? NaN
      value += (byte % 128) * scale
      if (!(byte >= 128)) return byte || scale === 1 ? value : NaN
    }
    return NaN
  }
  const kind = bytes[0] ?? 0
  if (kind === 2) return message(number(), number(), bytes.subarray(at))
  if (kind === 6) return { kind: 'volatile', data: bytes.subarray(at) }
  return kind >= FIRST_EXTENSION ? { kind: 'unknown' } : 'not a frame'
}

const message = (seq: number, ack: number, data: Data): Frame | Malformed =>
  isCount(seq, 1) && isCount(ack) ? { kind: 'msg', seq, ack, data } : 'not a frame'

const isCount = (value: unknown, least = 0): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least

const isPositive = (value: unknown) => isCount(value, 1)
const isText = (value: unknown) => !!value && typeof value === 'string'

const isHello = (body: unknown): body is Hello => {
  const { v, id, key, nonce, epoch, sid, ack, win, max }: Record<string, unknown> = Object(body)
  return (
    v === 1 &&
    [id, key, nonce, sid ?? key].every(isText) &&
    [epoch, win, max].every(isPositive) &&
    isCount(ack ?? 0)
  )
}

const isWelcome = (body: unknown): body is Welcome => {
  const { v, nonce, sid, ack, win, max, ttl, hb, lost }: Record<string, unknown> = Object(body)
  const { reason, ack: consumed }: Record<string, unknown> = Object(lost ?? { reason: sid })
  return (
    v === 1 &&
    [nonce, sid, reason].every(isText) &&
    [win, max, hb].every(isPositive) &&
    [ack, ttl, consumed ?? 0].every(value => isCount(value))
  )
}

/** Another version may look as it likes, but for its number. */
const odd = (body: unknown): Malformed => {
  const { v } = Object(body)
  return isCount(v) && v !== 1 ? 'version' : 'not a frame'
}
