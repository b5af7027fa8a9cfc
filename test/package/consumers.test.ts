/** What a new user does: installs the package, copies from the README, and puts the address of a server in. */

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startConformanceServer } from '../../demo/servers/node'
import { local, promised } from '../docs/examples'
import { openPage } from '../docs/page'
import { type ExampleServer, startExampleServer } from '../docs/server'
import { buildPage, type Consumer, createConsumer, writePage } from './consumer'

const PATIENCE_MS = 60_000

let consumer: Consumer
let server: ExampleServer
let examples: string[]

beforeAll(async () => {
  server = await startExampleServer()
  consumer = await createConsumer()
  await consumer.add('ws', '@types/ws', '@types/node', '@msgpack/msgpack', 'zod')
  examples = await consumer.readme('ts')
}, PATIENCE_MS)

afterAll(async () => {
  await server.stop()
  await consumer.remove()
})

/** Opens a page of files and answers what it logged, once that is all that was promised. */
async function visit(folder: string, html: string, expected: readonly string[]): Promise<readonly string[]> {
  const page = openPage(html, pathToFileURL(join(folder, 'index.html')).href)
  try {
    await page.said(expected)
    return page.logged
  } finally {
    page.close()
  }
}

test('an installation is the package, zod for its server, and ws for its judge', async () => {
  const lock = JSON.parse(await readFile(join(consumer.folder, 'node_modules/.package-lock.json'), 'utf8'))
  expect(Object.keys(lock.packages)).toEqual([
    'node_modules/reconnecting-socket',
    'node_modules/ws',
    'node_modules/zod',
  ])
})

test(
  'the command that was installed judges a server',
  async () => {
    const server = await startConformanceServer(0)
    const command = join(consumer.folder, 'node_modules/.bin/reconnecting-socket-conformance')
    const { stdout } = await promisify(execFile)(command, ['--only', 'ping/', server.url])
    await server.close()
    expect(stdout).toContain('3 passed, 0 failed, 0 skipped')
  },
  PATIENCE_MS,
)

test(
  'the quick start is built by Vite, and the page logs what the README says',
  async () => {
    const [code = ''] = examples
    const built = await buildPage(consumer, local(code, server))
    const html = await readFile(join(built, 'index.html'), 'utf8')
    const [tag = '', src = ''] = html.match(/<script type="module" crossorigin src="(.*?)"><\/script>/) ?? []
    const bundle = await readFile(join(built, src), 'utf8')
    // jsdom knows no modules, and this one imports nothing
    const page = html.replace(tag, '').concat(`<script>{${bundle}}</script>`)
    expect(promised(code)).toEqual(['connected', "{ type: 'hello' }"])
    expect(await visit(built, page, promised(code))).toEqual(promised(code))
  },
  PATIENCE_MS,
)

test(
  'the script tag of the README runs, with the file that was installed',
  async () => {
    const [html = ''] = await consumer.readme('html')
    const folder = await writePage(consumer, local(html, server), 'script-tag')
    const page = await readFile(join(folder, 'index.html'), 'utf8')
    expect(promised(html)).toEqual(['hello'])
    expect(await visit(folder, page, promised(html))).toEqual(promised(html))
  },
  PATIENCE_MS,
)

describe("the recipe for Node with the WebSocket of 'ws'", () => {
  /** The recipe goes on for ever; this ends it after the echo, and then the process ends by itself. */
  const program = () => {
    const recipe = examples.find(code => code.includes("from 'ws'")) ?? ''
    return `${local(recipe, server)}\nsocket.on('message', () => socket.close())\n`
  }

  test(
    'runs as it is, as a module',
    async () => {
      await consumer.write({ 'recipe.mjs': program() })
      expect((await consumer.node('recipe.mjs')).trim().split('\n')).toEqual(promised(program()))
    },
    PATIENCE_MS,
  )

  test(
    'runs with require instead of import',
    async () => {
      const required = program().replace(/^import (.+) from (.+)$/gm, 'const $1 = require($2)')
      expect(required).toContain("= require('reconnecting-socket')")
      await consumer.write({ 'recipe.cjs': required })
      expect((await consumer.node('recipe.cjs')).trim().split('\n')).toEqual(promised(program()))
    },
    PATIENCE_MS,
  )
})

/** As strict as can be. */
const STRICT = {
  target: 'es2022',
  strict: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
}

/** Answers what the compiler says of examples and of the package's own types, and which of these it found. */
async function compile(folder: string, type: 'module' | 'commonjs', codes: string[], options: object) {
  await consumer.write({ [`${folder}/package.json`]: JSON.stringify({ type }) })
  await consumer.write(Object.fromEntries(codes.map((code, n) => [`${folder}/example-${n}.ts`, code])))
  const config = { compilerOptions: { ...STRICT, ...options } }
  const asked = ts.parseJsonConfigFileContent(config, ts.sys, join(consumer.folder, folder))
  const program = ts.createProgram(asked.fileNames, asked.options)
  const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(consumer.folder))
  // To check the types of browsers and of Node too would take five times as long
  const diagnostics = files.flatMap(file => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ])
  const all = [...asked.errors, ...program.getOptionsDiagnostics(), ...diagnostics]
  return {
    errors: all.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    types: files
      .filter(({ fileName }) => fileName.includes('/reconnecting-socket/'))
      .map(({ fileName }) => basename(fileName))
      .filter(name => name.startsWith('index.d.')),
  }
}

describe('the types compile the examples of the README', () => {
  const BUNDLER = { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: ['node'] }
  const NODE = { ...BUNDLER, module: 'node16', moduleResolution: 'node16' }

  /** In CommonJS nothing can be awaited at the top. */
  const wrapped = (code: string) => {
    const imports = code.match(/^import .*$/gm) ?? []
    return `${imports.join('\n')}\nasync function main() {\n${code.replace(/^import .*$/gm, '')}}\nmain()\n`
  }

  test.each([
    ['for a bundler', () => compile('bundler', 'module', examples, BUNDLER)],
    ['as modules of Node', () => compile('node', 'module', examples, NODE)],
    [
      'in Node without the types of a browser, except MessagePack, whose own types need them',
      () =>
        compile('node-alone', 'module', without("'reconnecting-socket/msgpack'"), {
          ...NODE,
          lib: ['es2022'],
        }),
    ],
    [
      'in a browser without the types of Node',
      () => compile('browser-alone', 'module', without("'ws'"), { ...BUNDLER, types: [] }),
    ],
  ])(
    '%s',
    async (_, answer) => {
      expect(await answer()).toEqual({ errors: [], types: ['index.d.ts'] })
    },
    PATIENCE_MS,
  )

  const without = (name: string) => examples.filter(code => !code.includes(`from ${name}`))

  test(
    'as CommonJS of Node',
    async () => {
      const answer = await compile('node-commonjs', 'commonjs', examples.map(wrapped), NODE)
      expect(answer).toEqual({ errors: [], types: ['index.d.cts'] })
    },
    PATIENCE_MS,
  )

  test(
    'and refuse what is wrong',
    async () => {
      const wrong = examples.slice(0, 1).map(code => code.replace('socket.send', 'socket.sent'))
      const { errors } = await compile('wrong', 'module', wrong, BUNDLER)
      expect(errors).toEqual([expect.stringContaining("Property 'sent' does not exist")])
    },
    PATIENCE_MS,
  )
})
