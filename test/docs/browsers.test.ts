/** docs/browsers.md has what the table has, and each behaviour in the table has its test. */

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { BEHAVIOURS, type Behaviour } from '../browser/behaviours/table'

const folder = new URL('../browser/behaviours/', import.meta.url)
const tests = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.test.ts'))
  .map(file => readFileSync(new URL(file, folder), 'utf8'))
const tested = tests.flatMap(source =>
  [...source.matchAll(/^behaviour\(\s*'([\w-]+)'/gm)].map(([, id]) => id),
)
const page = readFileSync(new URL('../../docs/browsers.md', import.meta.url), 'utf8')

test('each behaviour has one test', () => {
  expect(tested.sort()).toEqual(Object.keys(BEHAVIOURS).sort())
})

test('the page has all of them and no others, with what we promise', () => {
  const sections = page.split(/^## /m).slice(1)
  const titles = sections.map(section => section.split('\n')[0]?.toLowerCase())
  expect(titles).toEqual(Object.values<Behaviour>(BEHAVIOURS).map(({ title }) => title.toLowerCase()))
  for (const [n, { claim }] of Object.values<Behaviour>(BEHAVIOURS).entries())
    expect(sections[n]).toContain(claim)
})

test.each(Object.entries<Behaviour>(BEHAVIOURS))('%s tells of each engine', (id, { cannot = {} }) => {
  const section = page.split(/^## /m).find(section => section.includes(`| \`${id}\` |`)) ?? ''
  const engines = { chromium: 'Chromium', firefox: 'Firefox', webkit: 'WebKitGTK' } as const
  for (const [engine, name] of Object.entries(engines)) {
    const why = cannot[engine as keyof typeof engines]
    const row = section.split('\n').find(line => line.startsWith(`| ${name} |`))
    if (why) expect(row).toBe(`| ${name} | not tried: ${why} | |`)
    else expect(row).toMatch(/^\|[^|]+\|[^|]+\|[^|]+[^| ][^|]*\|$/)
  }
})
