import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { mutants } from '../support/mutants'
import { explore, type Machine, policies } from '../support/worlds'

const path = fileURLToPath(new URL('../../src/core/lifecycle.ts', import.meta.url))
const source = readFileSync(path, 'utf8')

async function load(contents: string): Promise<Machine> {
  const { outputFiles } = await build({
    stdin: { contents, loader: 'ts', resolveDir: dirname(path) },
    bundle: true,
    format: 'esm',
    write: false,
  })
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64')
  return import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)
}

/** What the explorer does not come by: moments within a deadline, and a long life before a short silence. */
function directed({ IDLE, transition }: Machine): string[] {
  const now = 1_000_000
  const policy = policies.find(({ heartbeat }) => heartbeat.message !== undefined)
  if (!policy) return ['there is a policy with a heartbeat']
  const open = {
    ...IDLE,
    name: 'open' as const,
    attempt: 2,
    since: now - 1_000,
    until: now + 2,
    pingedAt: now - 3,
  }
  const at = { now, random: 0, online: true }
  const asked = transition(open, { type: 'online' }, { ...at, lastSeen: now - 1 }, policy)
  const silent = transition(
    { ...open, until: now },
    { type: 'deadline' },
    { ...at, lastSeen: now - 9 },
    policy,
  )
  return [
    ...(asked.pingedAt === now ? [] : ['who answered may be asked again']),
    ...(silent.downSince === now ? [] : ['an outage begins when it is found']),
  ]
}

test('directed cases hold', async () => expect(directed(await load(source))).toEqual([]))

test.each(mutants)('refused: $bug', { timeout: 30_000 }, async ({ find, replace }) => {
  expect(source.split(find), 'the planted bug still has its place in the source').toHaveLength(2)
  const machine = await load(source.replace(find, () => replace))
  let violations: unknown[]
  try {
    violations = directed(machine)
    if (!violations.length) violations = explore(machine, policies, { stopAtFirst: true }).violations
  } catch (error) {
    violations = [error]
  }
  expect(violations).not.toEqual([])
})
