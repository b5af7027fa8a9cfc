/** The options of a server are in its document, with the defaults of their comments; and those are what is settled. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settleServer } from '../../src/server/options'
import { plain, table } from './markdown'
import { properties, root } from './source'

const GROUPS: Readonly<Record<string, string>> = {
  queue: 'ServerQueueOptions',
  limits: 'ServerLimits',
  rate: 'ServerRate',
}

/** Each by its path, with what its comment says of the default. */
const documented = (name = 'ServerOptions', path = ''): [option: string, fallback: string | undefined][] =>
  properties('src/server/options.ts', name).flatMap(property => {
    const group = path ? undefined : GROUPS[property.name]
    return group
      ? documented(group, `${property.name}.`)
      : [[path + property.name, property.default] as [string, string | undefined]]
  })

test('the table has all options, and no others', () => {
  const rows = table(readFileSync(`${root}docs/SERVER.md`, 'utf8'), 'Limits')
  const shown = rows.map(([option, fallback]) => [plain(option), plain(fallback)]).sort()
  expect(shown).toEqual(
    documented()
      .map(([option, fallback]) => [option, fallback ?? '–'])
      .sort(),
  )
})

test('the defaults are those of the comments', () => {
  const settings = settleServer({ authenticate: () => 'ada' }) as unknown as Record<string, unknown>
  const figures = documented().filter(([, fallback]) => /^[\d_']/.test(fallback ?? ''))
  expect(figures.length).toBeGreaterThan(15)
  for (const [path, fallback = ''] of figures) {
    const value = path
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], settings)
    expect([path, typeof value === 'string' ? `'${value}'` : `${value}`]).toEqual([
      path,
      fallback.replaceAll('_', ''),
    ])
  }
})
