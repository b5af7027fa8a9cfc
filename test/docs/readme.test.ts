/** What the documents say is what the code does: examples run, tables and figures agree with their source. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { settle } from '../../src/settle'
import { compile, complaints, documentedOptions, everywhere, readme, typed } from './checks'
import { run } from './examples'
import { blocks } from './markdown'
import { mutants } from './mutants'
import { type ExampleServer, startExampleServer } from './server'
import { root } from './source'

const read = (path: string) => readFileSync(root + path, 'utf8')

const text = read('README.md')
const examples = (markdown: string) =>
  blocks(markdown).flatMap(({ language, code }) => (language === 'ts' ? [code] : []))

/** Whoever holds the diagram against the machine has the machine explored. */
const PATIENCE_MS = 120_000

test.each(Object.entries(readme))(
  'the README is true: %s',
  async (_, check) => {
    expect(await check(text)).toEqual([])
  },
  PATIENCE_MS,
)

/** Documents beside the README have to be right about what they say, but need not say all. */
const documents = ['', 'docs/']
  .filter(folder => existsSync(root + folder))
  .flatMap(folder => readdirSync(root + folder).map(name => folder + name))
  .filter(file => file.endsWith('.md') && file !== 'README.md')

test.each(documents)(
  '%s is true',
  async file => {
    expect(await complaints(everywhere, read(file), dirname(file))).toEqual({})
  },
  PATIENCE_MS,
)

describe('a README that lies in one place', () => {
  const all = mutants(text)

  beforeAll(async () => {
    expect(await complaints(readme, text)).toEqual({})
    compile(all.flatMap(mutant => typed(mutant.text)))
  }, PATIENCE_MS)

  test.each(Object.keys(readme))(
    'is refused, and by the right checks: %s',
    async name => {
      const lies = all.filter(({ guards }) => guards.includes(name))
      expect(lies.length).toBeGreaterThan(0)
      for (const { what, text, guards } of lies) {
        const found = Object.keys(await complaints(readme, text))
        expect([what, ...found.sort()]).toEqual([what, ...[...guards].sort()])
      }
    },
    PATIENCE_MS,
  )
})

describe('the examples', () => {
  let server: ExampleServer
  beforeAll(async () => {
    server = await startExampleServer()
  })
  afterAll(() => server.stop())

  const example = (part: string) => examples(text).find(code => code.includes(part)) ?? ''

  test('of the README are many', () => {
    expect(examples(text).length).toBeGreaterThan(5)
  })

  test('would fail if one threw', async () => {
    await expect(run(`throw new Error('broken')\n${examples(text)[0]}`, server)).rejects.toThrow('broken')
  }, 30_000)

  test('with a token ask for it, and end with a FatalError when signed out', async () => {
    await run(example('fetch('), server)
    expect(server.visits).toContain('/echo?token=fresh')
    const { state, logged } = await run(example('fetch('), server, { TOKEN_STATUS: '401' })
    expect(state).toBe('closed')
    expect(logged).toContainEqual(expect.stringMatching(/^provider FatalError: signed out/))
  }, 30_000)

  test('with a login end with a FatalError when denied', async () => {
    const { state, logged } = await run(example("'login'").replace("'secret'", "'wrong'"), server)
    expect(state).toBe('closed')
    expect(logged).toContainEqual(expect.stringMatching(/^handshake FatalError: denied/))
  }, 30_000)
})

test('the options have the defaults that their comments say', () => {
  /** Each default by its path, spelled as in the source. */
  function settled(value: unknown, path = ''): [option: string, fallback: string][] {
    if (value === undefined) return []
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).flatMap(([name, inner]) => settled(inner, path ? `${path}.${name}` : name))
    return [[path, typeof value === 'string' ? `'${value}'` : `${value}`]]
  }
  /** These are put in where they are used, so `settle` cannot know them. */
  const elsewhere = ['protocols', 'codec', 'heartbeat']
  const claims = documentedOptions().flatMap(([option, fallback]) =>
    fallback === undefined || elsewhere.includes(option) ? [] : [[option, fallback.replaceAll('_', '')]],
  )
  expect(claims.length).toBeGreaterThan(10)
  expect(Object.fromEntries(claims)).toEqual(Object.fromEntries(settled(settle({ heartbeat: {} }))))
})

test('the newest entry of the changelog is for the version of the package', () => {
  const changelog = read('CHANGELOG.md')
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const [newest] = [...changelog.matchAll(/^## \[(.+?)\] - (\d{4}-\d\d-\d\d)$/gm)]
  expect(newest?.[1]).toBe(version)
  expect(changelog.match(/^## .*$/m)?.[0]).toBe(newest?.[0])
})

test('a test that is skipped, or elsewhere, would be missed', () => {
  const file = 'test/node/close.test.ts'
  const row = (title: string) => `\`${file}\`: ${title}`
  const cell = ['after close, connect opens anew', 'nothing', 'also by the signal'].map(row).join('<br>')
  // The last is there, but elsewhere
  expect(everywhere['named tests']?.(cell)).toEqual([
    `there is no test in ${file}: nothing`,
    `there is no test in ${file}: also by the signal`,
  ])
})

test('a link is followed from where the document is', async () => {
  const links = (text: string, folder: string) => everywhere.links?.(text, folder)
  expect(links('[up](../README.md#quick-start), [here](#here)\n\n# Here\n', 'docs')).toEqual([])
  expect(links('[up](../README.md#slow-start), [here](#there), [gone](gone.md)', 'docs')).toEqual([
    '../README.md#slow-start leads nowhere',
    '#there leads nowhere',
    'gone.md leads nowhere',
  ])
})
