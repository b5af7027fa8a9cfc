import { describe, expect, test } from 'vitest'
import { type Hello, parseFrame, type Welcome, writeFrame } from '../../src/wire/frames'
import { disagreement, garbage, mutated, wellFormed } from '../support/frames'
import { random } from '../support/random'

const hello: Hello = { v: 1, id: 'i', key: 'k', nonce: 'n', epoch: 1, win: 256, max: 1_048_576 }
const welcome: Welcome = {
  v: 1,
  nonce: 'n',
  sid: 's',
  ack: 0,
  win: 256,
  max: 1_048_576,
  ttl: 120_000,
  hb: 25_000,
}
const bytes = (...values: number[]) => Uint8Array.from(values)
const LARGEST = 2 ** 53 - 1

test('what is written is what is read', () => {
  const { next, below } = random(1)
  expect(parseFrame(writeFrame({ kind: 'hello', hello }))).toEqual({ kind: 'hello', hello })
  expect(parseFrame(writeFrame({ kind: 'welcome', welcome }))).toEqual({ kind: 'welcome', welcome })
  for (const kind of ['ping', 'pong'] as const) expect(parseFrame(writeFrame({ kind }))).toEqual({ kind })
  for (let n = 0; n < 20_000; n++) {
    const seq = Math.floor(2 ** (53 * next()))
    const ack = below(2) ? 0 : Math.floor(2 ** (53 * next()))
    const data = below(2) ? JSON.stringify({ n, text: ']'.repeat(below(4)) }) : bytes(n % 256, below(256))
    for (const frame of [
      { kind: 'msg', seq, ack, data } as const,
      { kind: 'volatile', data } as const,
      { kind: 'ack', ack } as const,
    ])
      expect(parseFrame(writeFrame(frame))).toEqual(frame)
  }
})

/** Vectors that any other implementation can run. */
test.each([
  ['[2,1,0,{"a":1}]', { kind: 'msg', seq: 1, ack: 0, data: '{"a":1}' }],
  ['[ 2, 300 , 7, "x" ]', { kind: 'msg', seq: 300, ack: 7, data: ' "x" ' }],
  ['[2,1,0,no JSON]', { kind: 'msg', seq: 1, ack: 0, data: 'no JSON' }],
  [bytes(2, 1, 0), { kind: 'msg', seq: 1, ack: 0, data: bytes() }],
  [bytes(2, 0xac, 2, 127, 9, 8), { kind: 'msg', seq: 300, ack: 127, data: bytes(9, 8) }],
  [bytes(2, 255, 255, 255, 255, 255, 255, 255, 15, 0), { kind: 'msg', seq: LARGEST, ack: 0, data: bytes() }],
  [new TextEncoder().encode('[3,5]'), { kind: 'ack', ack: 5 }],
  [bytes(6, 1), { kind: 'volatile', data: bytes(1) }],
  ['[64,{"later":true}]', { kind: 'unknown' }],
  [bytes(64, 1), { kind: 'unknown' }],
])('%j is a frame', (data, frame) => expect(parseFrame(data)).toEqual(frame))

test.each<[string | Uint8Array<ArrayBuffer>, string]>([
  ['', 'nothing'],
  ['hello', 'not JSON'],
  ['{"kind":2}', 'not an array'],
  ['[]', 'of no kind'],
  ['[7]', 'of a kind yet to be defined'],
  ['["4"]', 'of a kind that is text'],
  ['[4,0]', 'too long'],
  ['[2,0,0,1]', 'with number 0'],
  ['[2,01,0,1]', 'with a number that JSON does not know'],
  ['[2,9007199254740992,0,1]', 'with a number that is too large'],
  ['[2,1,-1,1]', 'with a negative number'],
  ['[2,1,0]', 'cut off'],
  ['[2,1e0,0,1]', 'with a number that is not in digits'],
  ['[\n2,1,0,1]', 'with a line break in the head of a message'],
  ['[2,1,0,1]\n', 'with a line break after a message'],
  ['[3,0.5]', 'with half a number'],
  [bytes(), 'no bytes'],
  [bytes(2), 'cut off before the numbers'],
  [bytes(2, 1), 'cut off between the numbers'],
  [bytes(2, 0x80, 0, 0), 'with a number that is longer than it need be'],
  [bytes(2, 255, 255, 255, 255, 255, 255, 255, 16, 0), 'with 2 ** 53'],
  [bytes(2, 128, 128, 128, 128, 128, 128, 128, 128, 1, 0), 'with a number of nine bytes'],
  [bytes(4), 'a ping that is binary'],
  [bytes(0x5b, 0xff, 0x5d), 'not UTF-8'],
])('%j is none: %s', data => expect(parseFrame(data)).toBe('not a frame'))

describe('hello', () => {
  test('of another version may look as it likes', () => {
    expect(parseFrame('[0,{"v":2}]')).toBe('version')
    expect(parseFrame('[1,{"v":2}]')).toBe('version')
    expect(parseFrame('[0,{"v":"1"}]')).toBe('not a frame')
  })

  test('may take 4 kB', () => {
    const auth = (length: number) =>
      writeFrame({ kind: 'hello', hello: { ...hello, auth: 'x'.repeat(length) } })
    const rest = 4_096 - auth(0).length
    expect(parseFrame(auth(rest))).toMatchObject({ kind: 'hello' })
    expect(parseFrame(auth(rest + 1))).toBe('too large')
  })

  test('null is as good as absent', () => {
    expect(
      parseFrame(writeFrame({ kind: 'hello', hello: { ...hello, sid: null, ack: null } })),
    ).toMatchObject({ kind: 'hello' })
    expect(parseFrame(writeFrame({ kind: 'welcome', welcome: { ...welcome, lost: null } }))).toMatchObject({
      kind: 'welcome',
    })
  })
})

/** More of them: `FRAMES=1000000 npx vitest run test/wire/frames` */
const amount = Number(process.env.FRAMES ?? 50_000)

test(`parser and spec agree on ${amount} frames, well-formed, mutated and garbage`, {
  timeout: 600_000,
}, () => {
  const chance = random(7)
  const counts = { wellFormed: 0, malformed: 0 }
  for (let n = 0; n < amount; n++) {
    const make = n % 10 === 0 ? wellFormed : n % 10 === 1 ? garbage : mutated
    const data = make(chance)
    expect(disagreement(data)).toBeUndefined()
    const isFrame = typeof parseFrame(data) !== 'string'
    counts[isFrame ? 'wellFormed' : 'malformed']++
    if (make === wellFormed) expect(isFrame).toBe(true)
  }
  // Neither is rare, or the generator is of no use
  expect(Math.min(counts.wellFormed, counts.malformed)).toBeGreaterThan(amount / 5)
})
