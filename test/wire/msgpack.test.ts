import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Codec, json } from '../../src/index'
import { msgpack } from '../../src/msgpack'

describe.each<[string, () => Codec]>([
  ['json', json],
  ['msgpack', msgpack],
])('%s', (_, create) => {
  const codec = create()
  const roundTrip = (value: unknown) => codec.decode(codec.encode(value))

  test.each([
    null,
    true,
    false,
    0,
    -1,
    1.5,
    2 ** 31,
    -(2 ** 31),
    2 ** 53 - 1,
    -(2 ** 53 - 1),
    5e-324,
    '',
    'é€😀',
    [],
    [1, [2]],
    {},
  ])('%j comes back', value => expect(roundTrip(value)).toEqual(value))

  test('whatever JSON can say comes back', () => {
    // -0 is 0 to JSON, and a key `__proto__` is refused by decoders for good reason
    const values = fc.jsonValue().filter(value => !JSON.stringify(value).includes('__proto__'))
    fc.assert(
      fc.property(values, value => {
        expect(roundTrip(value)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { seed: 42 },
    )
  })

  test('one message does not show through in the next', () => {
    const first = codec.encode({ n: 'x'.repeat(500) })
    codec.encode({ n: 'y'.repeat(500) })
    expect(codec.decode(first)).toEqual({ n: 'x'.repeat(500) })
  })

  test.each([() => {}, Symbol('s')])('has no %s', value => expect(() => codec.encode(value)).toThrow())

  test('whatever is not its own throws, and the next message is as good as ever', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), data => {
        try {
          codec.decode(new Uint8Array(data))
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        expect(roundTrip([1, 'two'])).toEqual([1, 'two'])
      }),
      { seed: 42, numRuns: 2_000 },
    )
  })
})

describe('msgpack says more than JSON', () => {
  const roundTrip = (value: unknown) => msgpack().decode(msgpack().encode(value))

  test('dates', () => {
    for (const ms of [0, 1, 1_700_000_000_123, -1, 2 ** 40 * 1_000])
      expect(roundTrip(new Date(ms))).toEqual(new Date(ms))
  })

  test('binary', () => {
    for (const size of [0, 1, 255, 256, 70_000]) {
      const bytes = new Uint8Array(size).fill(7)
      expect(roundTrip({ bytes })).toEqual({ bytes })
    }
  })

  test('big integers', () => {
    for (const big of [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n])
      expect(roundTrip(big)).toBe(big)
  })

  test('but only in binary messages', () => expect(() => msgpack().decode('text')).toThrow(TypeError))

  test('options are those of the library', () => {
    const codec = msgpack({ useBigInt64: false, sortKeys: true })
    expect(codec.encode({ b: 1, a: 2 })).toEqual(codec.encode({ a: 2, b: 1 }))
    expect(codec.decode(codec.encode(2 ** 40))).toBe(2 ** 40)
  })
})
