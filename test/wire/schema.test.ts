/** The JSON Schema that is published: it is what the command writes, and it says what zod says. */

import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { printed, SCHEMA, schema } from '../../scripts/schema'
import { frames } from '../../src/spec'

const published = readFileSync(SCHEMA, 'utf8')
const conforms = new Ajv2020({ logger: false }).compile(JSON.parse(published))
const spec = z.union(Object.values(frames))

test('the file is what `npm run schema` writes', () => expect(published).toBe(printed()))

test('each kind of frame and each field is described', () => {
  const nodes = (value: unknown): { properties?: Record<string, object> }[] =>
    value && typeof value === 'object' ? [value, ...Object.values(value).flatMap(nodes)] : []
  const { $defs } = schema() as { $defs: Record<string, object> }
  const named = [
    ...Object.entries($defs),
    ...nodes($defs).flatMap(each => Object.entries(each.properties ?? {})),
  ]
  expect(named.length).toBeGreaterThan(25)
  expect(named.filter(([, definition]) => !('description' in definition)).map(([name]) => name)).toEqual([])
})

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', '1', 0, -0, -1, 0.5, 1e300, 2 ** 53, 2 ** 53 - 1, [], {}),
  fc.jsonValue({ maxDepth: 2 }),
)
const often = (right: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: odd })
const text = often(fc.string({ minLength: 1 }))
const count = often(fc.maxSafeNat())
const positive = often(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }))
const any = fc.jsonValue({ maxDepth: 3 })

/** Some of the fields that are optional; of those that are not, one may be missing. */
const record = (
  required: Record<string, fc.Arbitrary<unknown>>,
  optional: Record<string, fc.Arbitrary<unknown>>,
) =>
  fc
    .tuple(
      fc.record({ ...required, ...optional }, { requiredKeys: Object.keys(required) }),
      fc.option(fc.constantFrom(...Object.keys(required)), { freq: 12 }),
    )
    .map(([whole, missing]) => Object.fromEntries(Object.entries(whole).filter(([name]) => name !== missing)))

const v = often(fc.constant(1))
const orNull = (value: fc.Arbitrary<unknown>) => fc.option(value, { freq: 3 })
const hello = record(
  { v, id: text, key: text, nonce: text, epoch: positive, win: positive, max: positive },
  { sid: orNull(text), ack: orNull(count), auth: any, extra: any },
)
const lost = orNull(often(record({ reason: text }, { ack: orNull(count), extra: any })))
const welcome = record(
  { v, nonce: text, sid: text, ack: count, win: positive, max: positive, ttl: count, hb: positive },
  { lost, extra: any },
)

const kind = (first: number, ...rest: fc.Arbitrary<unknown>[]) =>
  fc
    .tuple(
      often(fc.constant(first)),
      fc.tuple(...rest),
      fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(any) }),
    )
    .map(([first, rest, more]) => [first, ...rest, ...more])

const value = fc.oneof(
  kind(0, often(hello)),
  kind(1, often(welcome)),
  kind(2, positive, count, any),
  kind(3, count),
  kind(4),
  kind(5),
  kind(6, any),
  kind(7),
  kind(63, any),
  kind(64, any),
  any,
)

test('an independent validator and zod agree on 20 000 values', () => {
  let accepted = 0
  fc.assert(
    fc.property(value, value => {
      // As it comes from the wire
      const parsed: unknown = JSON.parse(JSON.stringify(value))
      const isFrame = spec.safeParse(parsed).success
      if (isFrame) accepted++
      expect(conforms(parsed)).toBe(isFrame)
    }),
    { numRuns: 20_000 },
  )
  // Neither is rare, or the generator is of no use
  expect(accepted).toBeGreaterThan(4_000)
  expect(accepted).toBeLessThan(16_000)
})
