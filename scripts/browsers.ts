/**
 * Writes docs/browsers.md by what the tests of behaviours measure, here and now, in each browser that is found; or by
 * what they have written to the file that is given, if `BROWSERS_REPORT` named it.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result } from '../test/browser/behaviours/behaviour'
import { BEHAVIOURS, type Behaviour } from '../test/browser/behaviours/table'
import type { EngineName } from '../test/browser/engines/engine'
import { found } from '../test/browser/found'

const NAMES: Readonly<Record<EngineName, string>> = {
  chromium: 'Chromium',
  firefox: 'Firefox',
  webkit: 'WebKitGTK',
}
const engines = Object.keys(NAMES) as EngineName[]

async function run(engine: EngineName, report: string, ...more: string[]): Promise<void> {
  const vitest = ['vitest', 'run', '--config', 'vitest.browser.config.ts', '--project', 'behaviours', ...more]
  const env = { ...process.env, BROWSERS: engine, BROWSERS_REPORT: report }
  const [code] = await once(spawn('npx', vitest, { env, stdio: 'inherit' }), 'exit')
  if (code !== 0) throw new Error(`${engine} does not behave: nothing is written`)
}

const read = async (report: string): Promise<readonly Result[]> =>
  (await readFile(report, 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Result)

/** Most of it is waiting, so they run at once. */
async function measure(): Promise<readonly Result[]> {
  const folder = await mkdtemp(join(tmpdir(), 'browsers-'))
  const report = join(folder, 'report.jsonl')
  try {
    await Promise.all(
      engines
        .filter(engine => found[engine])
        .map(async engine => {
          await run(engine, report)
          await run(engine, report, '--mode', 'slow')
        }),
    )
    return await read(report)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const row = (id: string, { cannot }: Behaviour, engine: EngineName, results: readonly Result[]): string => {
  const result = results.find(each => each.id === id && each.engine === engine)
  if (result) return `| ${NAMES[engine]} | ${result.raw} | ${result.ours} |`
  return `| ${NAMES[engine]} | not tried: ${cannot?.[engine] ?? 'it cannot be done on the machine that wrote this'} | |`
}

const section = ([id, behaviour]: readonly [string, Behaviour], results: readonly Result[]): string =>
  [
    `## ${behaviour.title[0]?.toUpperCase()}${behaviour.title.slice(1)}`,
    '',
    behaviour.claim,
    '',
    `| \`${id}\` | a WebSocket | reconnecting-socket |`,
    '|---|---|---|',
    ...engines.map(engine => row(id, behaviour, engine, results)),
    '',
  ].join('\n')

const [, , given] = process.argv
const results = given ? await read(given) : await measure()
const versions = engines.flatMap(engine => {
  const { version } = results.find(result => result.engine === engine) ?? {}
  return version ? [`${NAMES[engine]} ${version}`] : []
})
const page = `# What browsers do, and what we do about it

Each of these is a test, of the built package in a browser that nobody has prepared for tests: \`npm run test:browser\` runs them, and \`npm run test:browser:slow\` those that take minutes. In each, a WebSocket as the browser has it stands beside one of ours. What was measured of both, on ${new Date().toISOString().slice(0, 10)} in ${versions.join(', ')}, is written here by \`npm run browsers:report\`: each number is of one run, the promises are held by every run.

${Object.entries<Behaviour>(BEHAVIOURS)
  .map(entry => section(entry, results))
  .join('\n')}`
await writeFile(new URL('../docs/browsers.md', import.meta.url), page)
