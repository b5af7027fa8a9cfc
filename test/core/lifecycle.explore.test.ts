import { expect, test } from 'vitest'
import * as machine from '../../src/core/lifecycle'
import { ENOUGH } from '../support/diagram'
import { explore, policies } from '../support/worlds'

test('every reachable world keeps the laws', { timeout: 60_000 }, () => {
  const { worlds, edges, violations, seen } = explore(machine, policies)
  console.info(`explored ${worlds} worlds by ${edges} edges`)
  expect(violations).toEqual([])
  expect(worlds).toBeGreaterThan(500)
  expect(explore(machine, policies, { most: ENOUGH }).seen).toEqual(seen)
})
