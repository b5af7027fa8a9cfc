/** What the documents say is what the code does: examples run, tables and figures agree with their source. */

import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as machine from '../../src/core/lifecycle'
import { settle } from '../../src/options'
import { diagram } from '../support/diagram'
import { blocks, type Citation, citations, plain, table } from './markdown'
import { type ExampleServer, startExampleServer } from './server'
import { members, properties, root, titles, typeErrors, union } from './source'
import { SIZES, sizes } from './write-sizes'

const read = (path: string) => readFileSync(root + path, 'utf8')

const readme = read('README.md')
const manifest = JSON.parse(read('package.json')) as { version: string; unpkg: string }
const all = blocks(readme)
const examples = all.filter(({ language }) => language === 'ts' || language === 'js')

/** What an example says that it prints: the comments behind its `console.log`. */
const promised = (code: string) =>
  [...code.matchAll(/console\.log\(.* \/\/ → (.+)$/gm)].map(([, line]) => line)

describe('the examples', () => {
  let server: ExampleServer
  beforeAll(async () => {
    server = await startExampleServer()
  })
  afterAll(() => server.stop())

  const local = (code: string) => code.replaceAll('wss://example.com', `ws://127.0.0.1:${server.port}`)

  /** In a process of its own. It is fulfilled when that ends by itself: whatever is left open keeps it from that. */
  async function run(code: string, env: Readonly<Record<string, string>> = {}) {
    const { code: script } = await transform(local(code), { loader: 'ts', format: 'esm', target: 'es2022' })
    const program = `${script}\nawait globalThis.finish(socket, ${JSON.stringify(promised(code))})`
    const args = [
      '--import',
      './test/docs/preload.mjs',
      '--no-warnings',
      '--input-type=module',
      '-e',
      program,
    ]
    const options = { cwd: root, timeout: 20_000, env: { ...process.env, ...env } }
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options)
    return { ...(JSON.parse(stdout) as { logged: string[]; state: string; undelivered: unknown[] }), stderr }
  }

  test('are of languages that a test knows what to do with', () => {
    expect(new Set(all.map(({ language }) => language))).toEqual(
      new Set(['ts', 'tsx', 'sh', 'html', 'mermaid']),
    )
    expect(examples.length).toBeGreaterThan(5)
  })

  test.each(examples)(
    'at line $line runs, prints what it says, and leaves nothing open',
    async ({ code }) => {
      // What brings its own WebSocket has to do without the global one
      const env: Record<string, string> = code.includes("from 'ws'") ? { WITHOUT_WEBSOCKET: 'yes' } : {}
      const { logged, state, undelivered, stderr } = await run(code, env)
      expect(logged).toEqual(expect.arrayContaining(promised(code)))
      expect([state, undelivered, stderr]).toEqual(['open', [], ''])
    },
    30_000,
  )

  test('would fail if one threw, or printed something else', async () => {
    const [first] = examples
    const broken = (first?.code ?? '').replace('/echo', '/nowhere')
    expect((await run(broken)).state).toBe('closed')
    await expect(run(`throw new Error('broken')\n${first?.code}`)).rejects.toThrow('broken')
  }, 30_000)

  test('with a token ask for it, and end with a FatalError when signed out', async () => {
    const example = examples.find(({ code }) => code.includes('fetch('))?.code ?? ''
    await run(example)
    expect(server.visits).toContain('/echo?token=fresh')
    const { state, logged } = await run(example, { TOKEN_STATUS: '401' })
    expect(state).toBe('closed')
    expect(logged).toContainEqual(expect.stringMatching(/^provider FatalError: signed out/))
  }, 30_000)

  test('with a login end with a FatalError when denied', async () => {
    const example = examples.find(({ code }) => code.includes("'login'"))?.code ?? ''
    const { state, logged } = await run(example.replace("'secret'", "'wrong'"))
    expect(state).toBe('closed')
    expect(logged).toContainEqual(expect.stringMatching(/^handshake FatalError: denied/))
  }, 30_000)

  test('of React shows the state, and follows it', async () => {
    const example = all.find(({ language }) => language === 'tsx')?.code ?? ''
    const { code } = await transform(local(example), { loader: 'tsx', format: 'esm', jsx: 'automatic' })
    const program = `import './test/docs/preload-page.mjs'\n${code}\nawait globalThis.show(Badge, socket)`
    const args = ['--import', './test/docs/preload.mjs', '--input-type=module', '-e', program]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 20_000 })
    expect(JSON.parse(stdout).slice(-3)).toEqual(['open', 'closing', 'closed'])
  }, 30_000)

  test('have no type errors', () => {
    const typed = all.filter(({ language }) => /^tsx?$/.test(language))
    const modules = new Map(
      typed.map(({ line, code, language }) => [`README-line-${line}.${language}`, code]),
    )
    expect(typeErrors(modules)).toEqual([])
    const [[name, code] = ['', '']] = modules
    expect(typeErrors(new Map([[name, `${code}\nsocket.sent()`]]))).toHaveLength(1)
  }, 60_000)

  test('of the script tag run in a page with the built file', async () => {
    const require = createRequire(import.meta.url)
    const { JSDOM, VirtualConsole } = require('jsdom') as {
      JSDOM: new (
        html: string,
        options: object,
      ) => { window: { eval(code: string): Promise<unknown>; close(): void } }
      VirtualConsole: new () => { on(type: string, listener: (...args: unknown[]) => void): void }
    }
    const html = all.find(({ language }) => language === 'html')?.code ?? ''
    const [tag = '', src] = html.match(/<script src="(.*?)"><\/script>/) ?? []
    expect(src).toBe(basename(manifest.unpkg))
    const said: unknown[][] = []
    const virtualConsole = new VirtualConsole()
    for (const type of ['log', 'error', 'jsdomError']) virtualConsole.on(type, (...args) => said.push(args))
    const page = local(html).replace(tag, () => `<script>${read(manifest.unpkg)}</script>`)
    const { window } = new JSDOM(page, {
      url: 'http://localhost/',
      runScripts: 'dangerously',
      virtualConsole,
    })
    await vi.waitFor(() => expect(said).toEqual(promised(html).map(line => [line])), 5_000)
    expect(await window.eval('socket.close()')).toMatchObject({ wasClean: true })
    window.close()
  }, 20_000)
})

test('the diagram is what the machine does', () => {
  expect(all.filter(({ language }) => language === 'mermaid')).toHaveLength(1)
  expect(readme).toContain(diagram(machine))
}, 120_000)

describe('options', () => {
  const FILE = 'src/options.ts'

  /** Each option by its path, and what its comment says of the default. */
  function documented(name = 'Options', path = ''): [option: string, fallback: string | undefined][] {
    return properties(FILE, name).flatMap(property => {
      const own: [string, string | undefined] = [path + property.name, property.default]
      const nested = property.types.find(type => /^(Heartbeat|Backoff|Queue)Options$|^Platform$/.test(type))
      if (!nested) return [own]
      const inner = documented(nested, `${own[0]}.`)
      return property.default === undefined ? inner : [own, ...inner]
    })
  }

  /** Each default by its path, spelled as in the source. */
  function settled(value: unknown, path = ''): [option: string, fallback: string][] {
    if (value === undefined) return []
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).flatMap(([name, inner]) => settled(inner, path ? `${path}.${name}` : name))
    return [[path, typeof value === 'string' ? `'${value}'` : `${value}`]]
  }

  const unspaced = (fallback: string | undefined) => fallback?.replaceAll('_', '')

  /** These are put in where they are used, so `settle` cannot know them. */
  const ELSEWHERE = ['protocols', 'codec', 'heartbeat']

  test('have the defaults that their comments say', () => {
    const claims = documented().flatMap(([option, fallback]) =>
      fallback === undefined || ELSEWHERE.includes(option) ? [] : [[option, unspaced(fallback)]],
    )
    expect(claims.length).toBeGreaterThan(10)
    expect(Object.fromEntries(claims)).toEqual(Object.fromEntries(settled(settle({ heartbeat: {} }))))
  })

  test('are all in the table, with their defaults, and no others', () => {
    const rows = table(readme, 'Options').map(([option, fallback]) => [plain(option), plain(fallback)])
    expect(new Set(rows.map(([option]) => option)).size).toBe(rows.length)
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(documented().map(([option, fallback]) => [option, fallback ?? '–'])),
    )
  })
})

test.each([
  ['States', () => union('src/core/lifecycle.ts', 'StateName')],
  ['Methods', () => members('src/reconnecting-socket.ts', 'ReconnectingSocket')],
  ['Events', () => properties('src/events.ts', 'EventMap').map(({ name }) => name)],
  ['Errors', () => union('src/errors.ts', 'SocketErrorCode')],
])('the table of %s has each of the source, and no others', (heading, source) => {
  const rows = table(readme, heading).map(([name]) => plain(name).replace(/\(.*/, ''))
  expect(rows.length).toBeGreaterThan(5)
  expect(rows.sort()).toEqual(source().sort())
})

test('the sizes are those of the build', async () => {
  const [shown] = readme.match(SIZES) ?? []
  expect(shown, 'Run `npx tsx test/docs/write-sizes.ts`').toBe(await sizes())
}, 30_000)

test('the newest entry of the changelog is for the version of the package', () => {
  const [newest] = [...read('CHANGELOG.md').matchAll(/^## \[(.+?)\] - (\d{4}-\d\d-\d\d)$/gm)]
  expect(newest?.[1]).toBe(manifest.version)
  expect(read('CHANGELOG.md').match(/^## .*$/m)?.[0]).toBe(newest?.[0])
})

describe('a test that the README names', () => {
  const missing = (cited: Citation[]) =>
    cited.filter(({ file, title }) => !existsSync(root + file) || !titles(file).has(title))

  test.each(['What happens when', 'What "sent" means', 'Bugs we refuse to have'])(
    'under %s exists',
    heading => {
      const rows = table(readme, heading)
      expect(rows.length).toBeGreaterThan(4)
      expect(missing(rows.flatMap(row => citations(row.at(-1))))).toEqual([])
    },
  )

  test('by its file alone exists', () => {
    const files = [...readme.matchAll(/`(test\/\S+)`/g)].flatMap(([, file]) => file ?? [])
    expect(files.length).toBeGreaterThan(30)
    expect(files.filter(file => !existsSync(root + file))).toEqual([])
  })

  test('would be missed', () => {
    const file = 'test/node/close.test.ts'
    const cell = ['after close, connect opens anew', 'nothing', 'also by the signal'].map(
      title => `\`${file}\`: ${title}`,
    )
    // The last is there, but elsewhere
    expect(missing(citations(cell.join('<br>')))).toEqual([
      { file, title: 'nothing' },
      { file, title: 'also by the signal' },
    ])
  })
})
