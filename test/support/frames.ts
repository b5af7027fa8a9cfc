/** Frames to try a parser with: well-formed, nearly so, and not at all; and whether parser and spec agree on them. */

import { isDeepStrictEqual } from 'node:util'
import { frame as spec } from '../../src/spec'
import { type Frame, parseFrame, writeFrame } from '../../src/wire/frames'
import type { Random } from './random'

type Data = string | Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()

const number = ({ below, pick }: Random) =>
  pick([0, 1, 2, below(300), below(2 ** 31), below(2 ** 53), 127, 128, 2 ** 32, 2 ** 53 - 1])

const payload = ({ below, pick }: Random): Data =>
  pick<() => Data>([
    () =>
      pick(['null', '{"a":[1,2]}', '"\\u00e9\ud83d\ude00"', '[]', '1e400', '{"__proto__":{"a":1}}', '"]"']),
    () => JSON.stringify({ text: 'x'.repeat(below(40)), at: below(1e6) }),
    () => Uint8Array.from({ length: below(20) }, () => below(256)),
    () => new Uint8Array(),
  ])()

/** `undefined` leaves it out. */
const optional = <T>({ pick }: Random, value: T) => pick([value, undefined, value, null])

export const wellFormed = (random: Random): Data => {
  const { pick } = random
  const n = () => number(random)
  const name = () => pick(['S1', 'b64-url_0', 'é'])
  const hello = () => ({
    v: 1,
    id: name(),
    key: name(),
    nonce: name(),
    epoch: n() || 1,
    sid: optional(random, name()),
    ack: optional(random, n()),
    win: n() || 1,
    max: n() || 1,
    auth: optional(random, { token: 'x', constructor: 1 }),
  })
  const welcome = () => ({
    v: 1,
    nonce: name(),
    sid: name(),
    ack: n(),
    win: n() || 1,
    max: n() || 1,
    ttl: n(),
    hb: n() || 1,
    lost: optional(random, { reason: 'expired', ack: optional(random, n()) }),
  })
  const data = pick<() => Data>([
    () => writeFrame({ kind: 'msg', seq: n() || 1, ack: n(), data: payload(random) }),
    () => writeFrame({ kind: 'msg', seq: n() || 1, ack: n(), data: payload(random) }),
    () => writeFrame({ kind: 'volatile', data: payload(random) }),
    () => JSON.stringify([0, hello()]),
    () => JSON.stringify([1, welcome()]),
    () => JSON.stringify([3, n()]),
    () => pick(['[4]', '[5]', '[64]', '[99,{"a":1}]', '[65,1,2,3]']),
  ])()
  // As echo servers flip it
  return typeof data === 'string' && pick([true, false, false]) ? encoder.encode(data) : data
}

const splice = (data: Data, at: number, remove: number, insert: Data): Data => {
  if (typeof data === 'string') return data.slice(0, at) + String(insert) + data.slice(at + remove)
  const bytes = typeof insert === 'string' ? encoder.encode(insert) : insert
  return Uint8Array.from([...data.subarray(0, at), ...bytes, ...data.subarray(at + remove)])
}

const CRUMBS = ['[', ']', ',', '"', '{', '}', '0', '1', '9', '-', '.', 'e', ' ', '\n', '\\', 'null', '\ud800']
const WORDS = ['true', '2', '-0', '1e0', '1.0', '9007199254740992', '""', '[]', '{"v":2}', '0.5', '"2"', '64']

export const mutated = (random: Random): Data => {
  const { below, pick, chance } = random
  let data = wellFormed(random)
  for (let n = 1 + below(3); n > 0; n--) {
    if (typeof data === 'string' && chance(0.4)) {
      // Replaces one value by another
      const values: RegExpMatchArray[] = [...data.matchAll(/-?\d+|"[^"]*"|null/g)]
      const value = values[below(values.length)]
      if (value) data = splice(data, value.index ?? 0, value[0].length, pick(WORDS))
    } else {
      const insert =
        typeof data === 'string' || chance(0.3)
          ? pick(CRUMBS)
          : Uint8Array.of(pick([0, 2, 6, 64, 0x5b, 0x7f, 0x80, 0xff, below(256)]))
      data = splice(data, below(data.length + 1), below(3), chance(0.7) ? insert : '')
    }
  }
  return data
}

export const garbage = ({ below, pick, chance }: Random): Data =>
  chance(0.5)
    ? Uint8Array.from({ length: below(24) }, () => pick([below(256), 0x5b, 2, 6, 0x80]))
    : Array.from({ length: below(24) }, () => pick([...CRUMBS, ...WORDS])).join('')

/** A frame as the array that the spec makes of it; `undefined` if the payload is not JSON. */
const asArray = (frame: Frame): readonly unknown[] | undefined => {
  const value = (data: Data): unknown => (typeof data === 'string' ? JSON.parse(data) : data)
  try {
    switch (frame.kind) {
      case 'hello':
        return [0, frame.hello]
      case 'welcome':
        return [1, frame.welcome]
      case 'msg':
        return [2, frame.seq, frame.ack, value(frame.data)]
      case 'ack':
        return [3, frame.ack]
      case 'ping':
        return [4]
      case 'pong':
        return [5]
      case 'volatile':
        return [6, value(frame.data)]
      case 'unknown':
        return ['unknown']
    }
  } catch {
    return undefined
  }
}

/**
 * The parser takes what the spec takes, and reads the same in it; beyond that only messages with a payload that is
 * not JSON, because it does not look.
 * @returns what they do not agree on, if anything
 */
export const disagreement = (data: Data): unknown => {
  const parsed = parseFrame(data)
  const said = spec.safeParse(data)
  const array = typeof parsed === 'string' ? undefined : asArray(parsed)
  if (!array) return said.success ? { data, parsed, said: said.data } : undefined
  const expected = said.success && (said.data[0] as number) >= 64 ? ['unknown'] : said.data
  const same = isDeepStrictEqual(array.map(plain), expected && [...expected].map(plain))
  return same ? undefined : { data, array, expected }
}

/** Bytes compare as bytes, whatever buffer they are in; and -0 is as good as 0. */
const plain = (value: unknown) =>
  value instanceof Uint8Array ? Uint8Array.from(value) : value === 0 ? 0 : value
