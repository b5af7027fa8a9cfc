/** The judge of clients: ours keeps to all rules, and one with a bug does not, to the very rule. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import document from '../../docs/protocol/client-exchanges.json'
import { judgeClient } from '../../src/conformance/client'
import { clientExchanges } from '../../src/conformance/steps'
import { mutants } from './client-mutants'
import { ofClients } from './freedom'
import { bundle, createFolder, plantsOf } from './rig'

const PATIENCE_MS = 120_000
const { exchanges } = clientExchanges.parse(document)

/** On a busy machine an answer may take its time. */
const judging = { timeoutMs: 5_000, parallel: 6 }

let folder: Awaited<ReturnType<typeof createFolder>>

beforeAll(async () => {
  folder = await createFolder()
})

afterAll(() => folder.remove())

const named = (...rules: string[]) => exchanges.filter(({ rule }) => rules.includes(rule))

test(
  'our client keeps to each rule, and none is skipped',
  async () => {
    const path = await bundle('demo/clients/node.ts', folder.path)
    const outcomes = await judgeClient([process.execPath, path], exchanges, judging)
    expect(outcomes.flatMap(({ rule, verdict, why }) => (verdict === 'pass' ? [] : [{ rule, why }]))).toEqual(
      [],
    )
    expect(outcomes.map(({ rule }) => rule)).toEqual(exchanges.map(({ rule }) => rule))
  },
  PATIENCE_MS,
)

test.each(ofClients)('$how: that is allowed', { timeout: PATIENCE_MS }, async ({ plants }) => {
  const path = await bundle('demo/clients/node.ts', folder.path, plants)
  const outcomes = await judgeClient([process.execPath, path], exchanges, judging)
  expect(outcomes.flatMap(({ rule, verdict, why }) => (verdict === 'pass' ? [] : [{ rule, why }]))).toEqual(
    [],
  )
})

test.concurrent.each(mutants)('planted: $bug: found by $rule', { timeout: PATIENCE_MS }, async mutant => {
  expect(named(mutant.rule)).toHaveLength(1)
  const path = await bundle('demo/clients/node.ts', folder.path, plantsOf(mutant))
  const [outcome] = await judgeClient([process.execPath, path], named(mutant.rule), {
    ...judging,
    timeoutMs: 2_000,
  })
  expect(outcome).toMatchObject({ rule: mutant.rule, verdict: 'fail', why: expect.any(String) })
  // It is the rule that it breaks, and it has not just fallen over
  expect(outcome?.why).not.toMatch(/it ended with 1|cannot be started/)
})

test('a client that cannot be started, or ends at once, is nobody to be judged', async () => {
  const judge = (...command: string[]) => judgeClient(command, named('ping/answered'), judging)
  await expect(judge('/no/such/client')).rejects.toThrow('cannot be started')
  await expect(judge(process.execPath, '-e', 'throw 7')).rejects.toThrow('it ended with 1')
})
