/** Whatever happens, what becomes of each message is told exactly once. See `test/support/flow.ts`. */

import { describe, test } from 'vitest'
import { run } from '../support/flow'
import { useFakes } from '../support/shell'

useFakes()

const SEEDS = 400
const BLOCK = 50
const STEPS = 80

describe('whatever happens, each accepted message is settled exactly once, in order and in bounds', () => {
  const first = Number(process.env.SEED ?? 1)
  const starts = Array.from({ length: process.env.SEED ? 1 : SEEDS / BLOCK }, (_, n) => first + n * BLOCK)

  test.each(starts)('from seed %i', { timeout: 60_000 }, async start => {
    for (let seed = start; seed < start + (process.env.SEED ? 1 : BLOCK); seed++) await run(seed, STEPS)
  })
})
