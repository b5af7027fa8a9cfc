/** A small attack run: `npm run attack` is the large one. */

import { expect, test } from 'vitest'
import { runAttacks } from '../support/attack-run'

test('whatever attackers do, the honest client loses nothing, and nothing stays in memory', async () => {
  const { waves, honest } = await runAttacks(0.05, 500, 1_000)
  const { sent, ...harm } = honest
  expect(sent).toBeGreaterThan(100)
  expect(harm).toEqual({ lost: 0, doubled: 0, disordered: 0, sessionsLost: 0, closes: 0 })
  const tolls = Object.fromEntries(waves.map(({ name, toll }) => [name, toll]))
  // Each was noticed, and answered as it deserves
  expect(tolls['slow hello']).toEqual({ 4408: 50, 'cut off': 50 })
  expect(tolls['10 000 hellos']).toEqual({ welcomed: 500 })
  expect(tolls['oversize frames']).toEqual({ 1009: 10 })
  expect(tolls['hijack, by id']).toEqual({ 4403: 25 })
  expect(tolls['hijack, by id and key']).toEqual({ 4403: 25 })
  expect(tolls['replayed hellos']).toEqual({ 4409: 50, 'owner is still there': 1 })
  const [first] = waves
  const last = waves.at(-1)
  if (!first || !last) throw new Error('no waves')
  expect(last.heap - first.heap).toBeLessThan(8_000_000)
  expect(last.stats).toMatchObject({ sessions: 1, connections: 1, detached: 0, queuedBytes: 0 })
  expect(last.stats.evicted).toBeGreaterThan(300)
}, 120_000)
