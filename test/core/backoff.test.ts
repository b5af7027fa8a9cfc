import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoff } from '../../src/core/backoff'

const defaults = { baseMs: 1_000, maxMs: 12_000 }
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('never below 100 ms, never above the cap, never NaN, for any number of failures', () => {
  fc.assert(
    fc.property(
      fc.nat(5_000),
      random,
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 1, max: 600_000 }),
      (attempt, r, baseMs, maxMs) => {
        const wait = backoff(attempt, r, { baseMs, maxMs })
        expect(wait).toBeGreaterThanOrEqual(Math.min(100, baseMs, maxMs))
        expect(wait).toBeLessThanOrEqual(maxMs)
      },
    ),
    { seed: 42 },
  )
})

test('full jitter below the cap: from the shortest wait up to the ceiling', () => {
  for (const [attempt, ceiling] of [1_000, 2_000, 4_000, 8_000].entries()) {
    expect(backoff(attempt, 0, defaults)).toBe(100)
    expect(backoff(attempt, 0.5, defaults)).toBe(ceiling / 2)
    expect(backoff(attempt, 0.999, defaults)).toBeCloseTo(ceiling * 0.999)
  }
})

test('equal jitter at the cap: half is certain, and the jitter is not lost', () => {
  for (const attempt of [4, 5, 50, 1_014, 1_100, 100_000]) {
    expect(backoff(attempt, 0, defaults)).toBe(6_000)
    expect(backoff(attempt, 0.999, defaults)).toBeCloseTo(11_994)
  }
})
