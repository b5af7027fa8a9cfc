/**
 * The client in each runtime. A runtime that cannot be had is skipped, and says why; in CI it has failed. What was seen
 * is what docs/runtimes.md says: `npm run docs:runtimes` writes it.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { page, type Row } from './page'
import { behaviours } from './program.mjs'
import { type Rig, startRig } from './rig'
import {
  closeBrowsers,
  type Outcome,
  type ProcessRuntime,
  processes,
  type Runtime,
  workers,
} from './runtimes'

/** At a time: a machine that is too busy sees other deadlines than it should. */
const LANES = 3
/** Ends a process that has nothing to do, and not one that waits for a peer. */
const SOON_MS = 3_000

const runtimes: readonly Runtime[] = [...processes, ...workers]

/** Why those that are missing are. */
const missing = new Map<Runtime, Error>()
await Promise.all(
  runtimes.map(runtime =>
    runtime.prepare().catch((error: Error) => {
      if (!process.env.CI) console.warn(`skipped: ${runtime.name}: ${error.message}`)
      missing.set(runtime, error)
    }),
  ),
)
const isSkipped = (runtime: Runtime) => missing.has(runtime) && !process.env.CI

const names = Object.keys(behaviours)
const scopeOf = (rig: Rig, runtime: Runtime, part = '') =>
  `${rig.url}/${workers.includes(runtime) ? 'browser-' : ''}${runtimes.indexOf(runtime)}${part}`

let rig: Rig
const outcomes = new Map<Runtime, Promise<Outcome>>()
/** Of a process that is the last to speak. */
const rows = new Map<Runtime, Row>()

beforeAll(async () => {
  rig = await startRig()
  let before = Array.from({ length: LANES }, () => Promise.resolve<unknown>(undefined))
  for (const runtime of runtimes) {
    if (missing.has(runtime)) continue
    const [free = Promise.resolve(), ...others] = before
    const outcome = free.then(() => runtime.run(scopeOf(rig, runtime)))
    outcomes.set(runtime, outcome)
    before = [...others, outcome.catch(() => {})]
  }
})

afterAll(async () => {
  await Promise.allSettled(outcomes.values())
  await closeBrowsers()
  await rig.close()
})

async function outcomeOf(runtime: Runtime): Promise<Outcome> {
  const error = missing.get(runtime)
  if (error) throw error
  const outcome = await outcomes.get(runtime)
  if (!outcome) throw new Error(`${runtime.name} was not run`)
  const passed = outcome.results.filter(({ status }) => status === 'passed').length
  const { name, webSocket, isPinned } = runtime
  rows.set(runtime, { name, webSocket, isPinned, version: outcome.version, passed })
  return outcome
}

for (const runtime of runtimes)
  describe.skipIf(isSkipped(runtime))(runtime.name, () => {
    test.each(names)('%s', async name => {
      const { results, complaints } = await outcomeOf(runtime)
      const result = results.find(result => result.name === name)
      expect(result ?? complaints).toEqual({ name, status: 'passed' })
    })

    test('nothing is left: nobody has to catch anything, and a process ends by itself', async () => {
      expect((await outcomeOf(runtime)).complaints).toBe('')
    })
  })

const ready = async (runtime: ProcessRuntime) => {
  await outcomeOf(runtime)
  return runtime
}

for (const runtime of processes)
  describe.skipIf(isSkipped(runtime))(runtime.name, () => {
    test('every entry is imported where there is no WebSocket; connecting says what is missing', async () => {
      const { exec } = await ready(runtime)
      const { lines, stderr, status } = await exec('bare.mjs', [])
      const missing = ['provider', 'there is no WebSocket here: hand one over by the option WebSocket']
      expect(stderr).toBe('')
      expect(lines).toEqual([
        {
          globals: 'undefinedundefinedundefined',
          added: [],
          addedByServer: [],
          kept: [],
          state: 'idle',
          errors: [missing, ['closed']],
          end: 'closed',
        },
      ])
      expect(status).toBe(0)
    })

    test(`a process ${runtime.forgets ? 'ends' : 'does not end'} while a connection that was closed is half-open`, async () => {
      const { exec } = await ready(runtime)
      const { lines, stderr, status } = await exec('dead-path.mjs', [scopeOf(rig, runtime, '-dead')], SOON_MS)
      expect([lines, stderr]).toEqual([['closed'], ''])
      // Where it has changed for the better, docs/runtimes.md is to be changed
      expect(status).toBe(runtime.forgets ? 0 : undefined)
    })
  })

/** Only then the page can be written or judged. */
const isWhole = missing.size === 0 && workers.length === 4

test.skipIf(!isWhole)('docs/runtimes.md says what was seen', async () => {
  for (const runtime of runtimes) await outcomeOf(runtime)
  const file = new URL('../../docs/runtimes.md', import.meta.url)
  const seen = runtimes.flatMap(runtime => rows.get(runtime) ?? [])
  if (process.env.WRITE) writeFileSync(file, page(seen, names))
  // What a machine brings along may be newer than what was written
  const written = readFileSync(file, 'utf8')
  const isAsWritten = seen.map(row => {
    const [, version] = written.match(`\\| ${row.name} \\| ([\\w.]+) \\|`) ?? []
    return { ...row, version: row.isPinned ? row.version : (version ?? row.version) }
  })
  expect(written).toBe(page(isAsWritten, names))
})
