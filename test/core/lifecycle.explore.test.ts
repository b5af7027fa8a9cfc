import { expect, test } from 'vitest'
import * as machine from '../../src/core/lifecycle'
import { explore, policies } from '../support/worlds'

test('every reachable world keeps the laws', { timeout: 60_000 }, () => {
  const { worlds, edges, violations } = explore(machine, policies)
  console.info(`explored ${worlds} worlds by ${edges} edges`)
  expect(violations).toEqual([])
  expect(worlds).toBeGreaterThan(500)
})
