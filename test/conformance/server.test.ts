/** The judge of servers: ours keeps to all rules, and one with a bug does not, to the very rule. */

import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type * as demo from '../../demo/servers/node'
import { startConformanceServer } from '../../demo/servers/node'
import document from '../../docs/protocol/exchanges.json'
import type { Outcome } from '../../src/conformance/player'
import { judgeServer } from '../../src/conformance/server'
import { serverExchanges } from '../../src/conformance/steps'
import { ofServers } from './freedom'
import { bundle, createFolder, type Plant, plantsOf } from './rig'
import { mutants } from './server-mutants'

const PATIENCE_MS = 60_000
const { exchanges } = serverExchanges.parse(document)

/** On a busy machine an answer may take its time. */
const judging = { timeoutMs: 5_000, parallel: 8 }

let folder: Awaited<ReturnType<typeof createFolder>>

beforeAll(async () => {
  folder = await createFolder()
})

afterAll(() => folder.remove())

const named = (...rules: string[]) => exchanges.filter(({ rule }) => rules.includes(rule))

/** Ours, with these changes. */
const start = async (plants: readonly Plant[]) => {
  const path = await bundle('demo/servers/node.ts', folder.path, plants)
  const module: typeof demo = await import(/* @vite-ignore */ pathToFileURL(path).href)
  return module.startConformanceServer(0)
}

test(
  'our server keeps to each rule, and none is skipped',
  async () => {
    const server = await startConformanceServer(0)
    const outcomes = await judgeServer(server.url, exchanges, judging)
    await server.close()
    expect(outcomes.flatMap(({ rule, verdict, why }) => (verdict === 'pass' ? [] : [{ rule, why }]))).toEqual(
      [],
    )
    expect(outcomes.map(({ rule }) => rule)).toEqual(exchanges.map(({ rule }) => rule))
  },
  PATIENCE_MS,
)

test.each(ofServers)('$how: that is allowed', { timeout: PATIENCE_MS }, async ({ plants }) => {
  const server = await start(plants)
  const outcomes = await judgeServer(server.url, exchanges, judging)
  await server.close()
  expect(outcomes.flatMap(({ rule, verdict, why }) => (verdict === 'pass' ? [] : [{ rule, why }]))).toEqual(
    [],
  )
})

test.concurrent.each(mutants)('planted: $bug: found by $rule', { timeout: PATIENCE_MS }, async mutant => {
  expect(named(mutant.rule)).toHaveLength(1)
  const server = await start(plantsOf(mutant))
  // Whoever answers, answers soon: what does not come need not be waited for
  const [outcome] = await judgeServer(server.url, named(mutant.rule), { ...judging, timeoutMs: 2_000 })
  await server.close()
  expect(outcome).toMatchObject({
    rule: mutant.rule,
    verdict: 'fail',
    why: expect.any(String),
  } satisfies Partial<Outcome>)
})
