/**
 * The session protocol `reconnecting-socket.v1` as zod schemas: what may be on the wire, said a second time, by the
 * letter and without hurry. Tests hold the parser against it; other implementations can take it for the definition.
 */

import * as z from 'zod'

const count = z.int().min(0)
const positive = z.int().min(1)
const text = z.string().min(1)
const version = z.literal(1).describe('The version of the protocol.')
/** It came out of `JSON.parse`, so there is nothing to check but that it is there. */
const json = z.unknown().refine(value => value !== undefined)

/** `[0, hello]`, client to server: the first frame of each connection. */
export const hello = z.looseObject({
  v: version,
  id: text.describe('The name that the client gave itself, once. Public.'),
  key: text.describe('The secret of the client. Appears nowhere else.'),
  nonce: text.describe('Ties the answer to this hello.'),
  epoch: positive.describe('Counts the connections of this client: larger each time.'),
  sid: text.nullish().describe('The session to resume. Absent if there is none.'),
  ack: count.nullish().describe('The last message of the server that was consumed in it.'),
  win: positive.describe('Messages that may be on their way to the client beyond its ack.'),
  max: positive.describe('The largest payload that the client accepts, in bytes.'),
  auth: z.unknown().optional().describe('What the server authenticates the client by.'),
})

/** `[1, welcome]`, server to client: the answer. */
export const welcome = z.looseObject({
  v: version,
  nonce: text.describe('That of the hello which is answered.'),
  sid: text.describe('The session of this connection. Resumed, if it is the one that was asked for.'),
  ack: count.describe('The last message of the client that was consumed in it.'),
  win: positive.describe('Messages that may be on their way to the server beyond its ack.'),
  max: positive.describe('The largest payload that the server accepts, in bytes.'),
  ttl: count.describe('How long the session is kept without a connection, in ms.'),
  hb: positive.describe('Silence after which the client should ask, in ms.'),
  lost: z
    .looseObject({
      reason: text.describe('Why it ended.'),
      ack: count.nullish().describe('The last message of the client that was consumed in it, if known.'),
    })
    .nullish()
    .describe('What became of the session that was asked for, if it is not this one.'),
})

/** The kinds of frame, as the arrays that they are in text. The payload of a message is any JSON. */
export const frames = {
  hello: z
    .tuple([z.literal(0), hello])
    .describe('Client to server: the first frame of a connection. At most 4096 UTF-16 units of text.'),
  welcome: z.tuple([z.literal(1), welcome]).describe('Server to client: the answer to hello.'),
  msg: z
    .tuple([z.literal(2), positive.describe('Its number.'), count.describe('An acknowledgement.'), json])
    .describe('Both ways: a message. Its payload is any JSON.'),
  ack: z
    .tuple([z.literal(3), count])
    .describe('Both ways: all messages up to this number were consumed, and may be forgotten.'),
  ping: z.tuple([z.literal(4)]).describe('Both ways: asks for a sign of life.'),
  pong: z.tuple([z.literal(5)]).describe('Both ways: answers ping.'),
  volatile: z
    .tuple([z.literal(6), json])
    .describe('Both ways: a message without a number, sent once or never. Its payload is any JSON.'),
  unknown: z
    .tuple([z.int().min(64)], json)
    .describe('Of an extension: to be ignored by those who do not know it.'),
}

const HELLO_LENGTH = 4_096
/** So that a payload can be found without parsing it, less is allowed before it than JSON allows. */
const MESSAGE = /^\[ *(?:2 *, *\d+ *, *\d+|6) *,[\s\S]*\]$/

/** A text frame; or what is in a binary one that starts with `[`. */
export const textFrame = z
  .string()
  .transform((source, context) => {
    try {
      const array: unknown = JSON.parse(source)
      if (Array.isArray(array) && array[0] === 0 && source.length > HELLO_LENGTH)
        context.addIssue({ code: 'too_big', origin: 'string', maximum: HELLO_LENGTH, input: source })
      if (Array.isArray(array) && (array[0] === 2 || array[0] === 6) && !MESSAGE.test(source))
        context.addIssue({ code: 'invalid_format', format: 'message', input: source })
      return array
    } catch {
      context.addIssue({ code: 'invalid_format', format: 'json', input: source })
      return z.NEVER
    }
  })
  .pipe(z.union(Object.values(frames)))

/** Unsigned LEB128, minimal, of at most 8 bytes, up to 2 ** 53 - 1. @returns the number and where it ends */
const leb128 = (bytes: Uint8Array, from: number): readonly [number, number] | undefined => {
  const length = bytes.subarray(from, from + 8).findIndex(byte => byte < 128) + 1
  const groups = [...bytes.subarray(from, from + length)].map(byte => BigInt(byte & 127))
  const value = groups.reduceRight((high, low) => high * 128n + low, 0n)
  const isMinimal = length === 1 || groups.at(-1) !== 0n
  return length && isMinimal && value <= Number.MAX_SAFE_INTEGER ? [Number(value), from + length] : undefined
}

/** A binary frame, as the array that it stands for. */
export const binaryFrame = z.instanceof(Uint8Array).transform((bytes, context): readonly unknown[] => {
  const [kind = 0] = bytes
  if (kind === 6) return [6, bytes.slice(1)]
  if (kind >= 64) return [kind]
  const seq = kind === 2 ? leb128(bytes, 1) : undefined
  const ack = seq?.[0] ? leb128(bytes, seq[1]) : undefined
  if (seq && ack) return [2, seq[0], ack[0], bytes.slice(ack[1])]
  context.addIssue({ code: 'custom', message: 'no binary frame', input: bytes })
  return z.NEVER
})

/** Whatever a WebSocket may hand over. By content, not by opcode: `[` starts no binary kind. */
export const frame = z.union([
  textFrame,
  z
    .instanceof(Uint8Array)
    .refine(([first]) => first === 0x5b)
    .transform((bytes, context) => {
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
      } catch {
        context.addIssue({ code: 'custom', message: 'not UTF-8', input: bytes })
        return z.NEVER
      }
    })
    .pipe(textFrame),
  z
    .instanceof(Uint8Array)
    .refine(([first]) => first !== 0x5b)
    .pipe(binaryFrame),
])
