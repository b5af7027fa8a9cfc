import { expect, test } from 'vitest'
import * as machine from '../support/machine'
import { PEERS, simulate } from '../support/simulation'

const SEEDS = 3_000

test(`${SEEDS} simulated networks, as rude as can be: nothing is lost, doubled, or told twice`, {
  timeout: 60_000,
}, () => {
  const met = new Set<string>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation, peer } = simulate(machine, seed)
    expect(violation, `npm run soak -- --seed ${seed}`).toBeUndefined()
    met.add(peer)
  }
  expect(met).toEqual(new Set(PEERS))
})
