/** What the templates and patterns of exchanges mean. */

import { expect, test } from 'vitest'
import { difference, fill } from '../../src/conformance/pattern'

const known = (entries: Readonly<Record<string, unknown>> = {}) => new Map(Object.entries(entries))

test('a template is filled with variables, with numbers beside them, and with long texts', () => {
  const template = [2, '$n', '$n+1', { a: ['$n-1', '$name', 'n$n'], pad: { $pad: '$n' } }]
  expect(fill(template, known({ n: 3, name: 'x' }))).toEqual([2, 3, 4, { a: [2, 'x', 'n$n'], pad: 'xxx' }])
  expect(() => fill('$none', known())).toThrow('$none')
})

test.each<[unknown, unknown, unknown]>([
  [
    [2, '$_', 0],
    [2, 'x', 0],
    [2, 'x'],
  ],
  [{ a: 1 }, { a: 1, b: 2 }, { b: 2 }],
  ['$three', 3, 4],
  ['$three+1', 4, 3],
  [{ $text: true }, 'x', ''],
  [{ $min: 1 }, 1, 0],
  [{ $max: '$three' }, 3, 3.5],
  [{ $min: 2, $max: 3 }, 2, 4],
  [{ $not: '$three' }, 4, 3],
  [{ $any: [1, 2] }, 2, 3],
  [{ a: { $absent: true } }, { a: null }, { a: 0 }],
  [{ $pad: 3 }, 'xxx', 'xx'],
  [{ a: '$_' }, { a: null }, {}],
])('%j fits %j, not %j', (pattern, fits, other) => {
  expect(difference(pattern, fits, known({ three: 3 }))).toBeUndefined()
  expect(difference(pattern, other, known({ three: 3 }))).toEqual(expect.any(String))
})

test('what a pattern names for the first time is known from then on', () => {
  const variables = known()
  expect(difference([1, { sid: '$sid' }], [1, { sid: 'a' }], variables)).toBeUndefined()
  expect(variables.get('sid')).toBe('a')
  expect(difference(['$sid', '$sid'], ['a', 'b'], variables)).toBe('[1] is "b", expected "a"')
})
