import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { compare } from '../support/naive-outbox'
import { connectionSchedules } from '../support/schedules'
import { limitSchedules } from '../support/schedules-of-limits'
import { peerSchedules } from '../support/schedules-of-peers'
import { ruleSchedules } from '../support/schedules-of-rules'
import { mutants, type SessionMutant } from '../support/session-mutants'
import { simulate } from '../support/simulation'
import type { Machine } from '../support/stage'

const schedules = Object.entries({
  ...connectionSchedules,
  ...peerSchedules,
  ...ruleSchedules,
  ...limitSchedules,
})
/** More than enough for all but the equivalent. */
const SEEDS = 300

const sourceOf = (file: string) =>
  readFileSync(fileURLToPath(new URL(`../../src/${file}.ts`, import.meta.url)), 'utf8')

const load = async ({ file, find, replace }: SessionMutant): Promise<Machine> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../support/machine.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    write: false,
    plugins: [
      {
        name: 'plant',
        setup: ({ onLoad }) =>
          onLoad({ filter: new RegExp(`src/${file}\\.ts$`) }, () => ({
            contents: sourceOf(file).replace(find, () => replace),
            loader: 'ts',
          })),
      },
    ],
  })
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64')
  return import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)
}

/** @returns who noticed, if anybody */
const refusedBy = (machine: Machine): string | undefined => {
  for (const [name, run] of schedules) {
    try {
      run(machine)
    } catch {
      return name
    }
  }
  try {
    for (let seed = 1; seed <= 8; seed++)
      if (compare(machine.createOutbox, seed, 2_000)) return 'the naive outbox'
  } catch (error) {
    return `the naive outbox: ${error}`
  }
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation } = simulate(machine, seed)
    if (violation) return `seed ${seed}: ${violation}`
  }
  return undefined
}

test.each(mutants)('planted: $bug', { timeout: 30_000 }, async mutant => {
  const { file, find, equivalent } = mutant
  expect(sourceOf(file).split(find), 'the planted bug still has its place in the source').toHaveLength(2)
  const refused = refusedBy(await load(mutant))
  if (equivalent) expect(refused).toBeUndefined()
  else expect(refused).toBeDefined()
})
