import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes, json, text } from '../../src/wire/codec'
import { byteLength, sameData, toBytes } from '../../src/wire/data'

const utf8 = (text: string) => new TextEncoder().encode(text)
// Whole code points: a lone surrogate has no UTF-8
const anyText = fc.string({ unit: 'grapheme' })

describe('json', () => {
  test('what is encoded comes back, as text and as UTF-8 bytes', () => {
    const codec = json()
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const data = codec.encode(value) as string
        const expected = JSON.parse(JSON.stringify(value))
        expect(codec.decode(data)).toEqual(expected)
        expect(codec.decode(utf8(data))).toEqual(expected)
      }),
      { seed: 42 },
    )
  })

  test.each([undefined, () => {}, Symbol('s')])('has no %s', value =>
    expect(() => json().encode(value)).toThrow(TypeError),
  )
  test('has no bigint and no cycle', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => json().encode(1n)).toThrow()
    expect(() => json().encode(cycle)).toThrow()
  })
  test.each(['', '{', 'nope', '[1,]'])('does not decode %j', data =>
    expect(() => json().decode(data)).toThrow(),
  )
  test('does not decode malformed UTF-8', () =>
    expect(() => json().decode(new Uint8Array([0x22, 0xff, 0x22]))).toThrow())
})

describe('text', () => {
  test('is itself, and decodes UTF-8 bytes', () => {
    const codec = text()
    fc.assert(
      fc.property(anyText, value => {
        expect(codec.decode(codec.encode(value))).toBe(value)
        expect(codec.decode(utf8(value))).toBe(value.replace(/^\uFEFF/, ''))
      }),
      { seed: 42 },
    )
  })
  test('takes strings only', () => expect(() => text().encode(1 as never)).toThrow(TypeError))
})

describe('bytes', () => {
  test('is itself, from a buffer and from a part of one', () => {
    const codec = bytes()
    const buffer = new Uint8Array([1, 2, 3, 4]).buffer
    expect(codec.encode(buffer)).toEqual(new Uint8Array([1, 2, 3, 4]))
    expect(codec.encode(new DataView(buffer, 1, 2))).toEqual(new Uint8Array([2, 3]))
    expect(codec.decode(new Uint8Array([5]))).toEqual(new Uint8Array([5]))
    expect(codec.decode('é')).toEqual(new Uint8Array([0xc3, 0xa9]))
  })
  test('takes bytes only', () => expect(() => bytes().encode('text' as never)).toThrow(TypeError))
})

test('a lone surrogate is sent as U+FFFD, and counted as its three bytes', () =>
  expect(toBytes('\ud800')).toHaveLength(3))

test('bytes are counted as they would be sent', () => {
  const anyUnits = fc.array(fc.integer({ max: 0xffff, min: 0 })).map(units => String.fromCharCode(...units))
  const surrogates = fc
    .array(fc.integer({ max: 0xe001, min: 0xd7fe }))
    .map(units => String.fromCharCode(...units))
  fc.assert(
    fc.property(fc.oneof(anyText, anyUnits, surrogates), text => {
      expect(byteLength(text)).toBe(toBytes(text).length)
      expect(byteLength(utf8(text))).toBe(toBytes(text).length)
    }),
    { seed: 42, numRuns: 1_000 },
  )
})

test('data is the same whether said as text or as bytes', () => {
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      expect(sameData(a, utf8(a))).toBe(true)
      expect(sameData(utf8(a), utf8(a))).toBe(true)
      expect(sameData(utf8(a), b)).toBe(a === b)
      expect(sameData(a, b)).toBe(a === b)
    }),
    { seed: 42 },
  )
})
