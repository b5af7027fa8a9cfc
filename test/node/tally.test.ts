/** What the page and the server of the demo check their counts by: it would notice. */

import { expect, test } from 'vitest'
import { createTally } from '../../demo/page/tally.js'

test.each([
  ['all in order', [1, 2, 3], { lost: 0, doubled: 0, disordered: 0 }],
  ['one is missing', [1, 3, 4], { lost: 1, doubled: 0, disordered: 0 }],
  ['the first are missing', [4], { lost: 3, doubled: 0, disordered: 0 }],
  ['one comes again', [1, 2, 2, 1, 3], { lost: 0, doubled: 2, disordered: 0 }],
  ['two change places', [1, 3, 2, 4], { lost: 0, doubled: 0, disordered: 1 }],
  ['a late one comes again', [2, 1, 1], { lost: 0, doubled: 1, disordered: 1 }],
  ['one out of this world', [1, 2 ** 40], { lost: 2 ** 40 - 2, doubled: 0, disordered: 0 }],
])('%s', (_, numbers, told) => {
  const tally = createTally()
  for (const n of numbers) tally.came(n)
  expect(tally.read()).toEqual({ received: numbers.length, ...told })
})
