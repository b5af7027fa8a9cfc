/** The document of the judge lists what is played, and tells of each step. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { withRules } from '../../scripts/rules'
import { root } from './source'

const document = readFileSync(`${root}docs/CONFORMANCE.md`, 'utf8')

test('the rules are those that are played: `npx tsx scripts/rules.ts` writes them', () => {
  expect(document).toBe(withRules(document))
  expect(document).toContain('| `ack/consumed-not-received` |')
})

test('each step that is played is told of', () => {
  const steps = ['exchanges', 'client-exchanges'].flatMap(file => {
    const { exchanges } = JSON.parse(readFileSync(`${root}docs/protocol/${file}.json`, 'utf8')) as {
      exchanges: { steps: object[] }[]
    }
    return exchanges.flatMap(exchange => exchange.steps)
  })
  const actions = new Set(steps.map(step => Object.keys(step)[0] ?? ''))
  expect(actions.size).toBeGreaterThan(10)
  expect([...actions].filter(action => !document.includes(`\`${action}: `))).toEqual([])
})
