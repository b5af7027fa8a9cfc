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

test.each(mutants)('the explorer refuses: $bug', { timeout: 30_000 }, async ({ find, replace }) => {
  expect(source.split(find), 'the planted bug still has its place in the source').toHaveLength(2)
  const machine = await load(source.replace(find, () => replace))
  let violations: unknown[]
  try {
    violations = explore(machine, policies, { stopAtFirst: true }).violations
  } catch (error) {
    violations = [error]
  }
  expect(violations).not.toEqual([])
})
