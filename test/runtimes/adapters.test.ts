/**
 * The programs of docs/adapters.md, each in its runtime, with the package as it was built. Our client goes through
 * connections that end at any byte, and what it is answered is counted.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Codec, json, type Options, ReconnectingSocket, resumable } from '../../dist/index.js'
import { msgpack } from '../../dist/msgpack.js'
import { blocks } from '../docs/markdown'
import { startByteProxy } from '../server/byte-proxy'
import { random } from '../support/random'
import { processes } from './runtimes'

const root = fileURLToPath(new URL('../..', import.meta.url))
const programs = blocks(await readFile(join(root, 'docs/adapters.md'), 'utf8')).filter(
  ({ language }) => language === 'ts',
)

/** `of` is the number of the program on the page. */
const recipes = [
  { name: 'ws', of: 0, runtime: 'Node 20', path: '/', codecs: ['JSON', 'MessagePack'] },
  { name: 'Node, several paths: the first', of: 1, runtime: 'Node 20', path: '/chat', codecs: ['JSON'] },
  {
    name: 'Node, several paths: the second',
    of: 1,
    runtime: 'Node 20',
    path: '/feed',
    codecs: ['MessagePack'],
  },
  { name: 'Bun', of: 2, runtime: 'Bun', path: '/', codecs: ['JSON', 'MessagePack'] },
  { name: 'Deno', of: 3, runtime: 'Deno', path: '/', codecs: ['JSON', 'MessagePack'] },
] as const

const CODECS = { JSON: json, MessagePack: msgpack }

const missing = new Map<string, Error>()
for (const runtime of processes.filter(({ name }) => recipes.some(recipe => recipe.runtime === name)))
  await runtime.prepare().catch((error: Error) => {
    if (!process.env.CI) console.warn(`skipped: ${runtime.name}: ${error.message}`)
    missing.set(runtime.name, error)
  })

const MESSAGES = 1_000
const CUTS = 12
const LATE_MS = 100

interface Numbered {
  readonly n: number
  readonly pad: string
}
interface Answer {
  readonly by?: string
  readonly heard: Numbered
}

let home: string
const teardown: (() => unknown)[] = []

/** A project that has the package, not just a link to it, and what it and the programs need. */
beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'adapters-')))
  const own = join(home, 'node_modules/reconnecting-socket')
  for (const part of ['dist', 'package.json'])
    await cp(join(root, part), join(own, part), { recursive: true })
  for (const name of ['ws', 'zod', '@msgpack/msgpack']) {
    const link = join(home, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', name), link, 'junction')
  }
  const dependencies = { 'reconnecting-socket': '*', ws: '*' }
  await writeFile(join(home, 'package.json'), JSON.stringify({ type: 'module', dependencies }))
})

afterAll(() => rm(home, { recursive: true, force: true }))

afterEach(async () => {
  while (teardown.length) await teardown.pop()?.()
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** There is no event for it in another process. */
async function listens(port: number, isOver: () => boolean): Promise<void> {
  for (;;) {
    if (isOver()) throw new Error('the server has ended')
    const socket = connect(port, '127.0.0.1')
    const isThere = await new Promise(resolve => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isThere) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Runs the program of a recipe as it is written, but for the port; and for the codec, if it is not JSON. */
async function start({ name, runtime: wanted, of }: (typeof recipes)[number], isBinary: boolean) {
  const runtime = processes.find(({ name }) => name === wanted)
  if (!runtime) throw new Error(`there is no ${wanted}`)
  const port = await freePort()
  const written = programs[of]?.code ?? ''
  const packed = `import { msgpack } from 'reconnecting-socket/msgpack'\n${written.replace('authenticate:', 'codec: msgpack(), authenticate:')}`
  const code = (isBinary ? packed : written).replaceAll('8080', `${port}`)
  const isNode = wanted.startsWith('Node')
  const file = join(home, `${name.replace(/\W+/g, '-')}-${port}.${isNode ? 'mjs' : 'ts'}`)
  await writeFile(file, isNode ? (await transform(code, { loader: 'ts', target: 'node20' })).code : code)

  const { command, args, env } = runtime.invocation(file)
  // The types of the others are checked with those of the document
  const [verb = '', ...rest] = args
  const child = spawn(command, wanted === 'Deno' ? [verb, '--check', '--quiet', ...rest] : args, {
    cwd: home,
    env: { ...process.env, ...env },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', chunk => {
      output += chunk
    })
  const exited = once(child, 'close').then(([status]) => status as number | null)
  teardown.push(async () => {
    child.kill('SIGKILL')
    await exited
  })
  await listens(port, () => child.exitCode !== null).catch(error => {
    throw new Error(`${error.message}: ${output}`)
  })
  return {
    port,
    async stop() {
      child.kill('SIGTERM')
      return { status: await exited, output: output.replace(/^Listening on .*\n/m, '') }
    },
  }
}

function open(url: string, options: Options<Answer, Numbered> = {}) {
  const socket = new ReconnectingSocket<Answer, Numbered>(url, {
    WebSocket,
    backoff: { baseMs: 20, maxMs: 100 },
    connectTimeoutMs: 1_000,
    closeTimeoutMs: 200,
    minUptimeMs: 0,
    ...options,
  })
  teardown.push(() => socket.close())
  return socket
}

for (const recipe of recipes)
  describe.skipIf(missing.has(recipe.runtime) && !process.env.CI)(recipe.name, () => {
    test.each(recipe.codecs)(
      '1 000 messages each way as %s, through 12 cuts, exactly once; then it ends',
      async name => {
        const codec: Codec = CODECS[name]()
        const error = missing.get(recipe.runtime)
        if (error) throw error
        const { port, stop } = await start(recipe, name === 'MessagePack')
        const { below } = random(recipe.of + 1)
        let made = 0
        const proxy = await startByteProxy({ port }, () => ({
          bytes: made++ < CUTS ? 1 + below(made % 4 ? 30_000 : 500) : Infinity,
          isZombie: made % 3 === 0,
          lateMs: below(LATE_MS),
        }))
        teardown.push(() => proxy.close())

        const told: unknown[] = []
        const answers: Answer[] = []
        let resumed = 0
        const socket = open(`${proxy.url}${recipe.path}?some=query`, {
          session: resumable({ auth: 'secret' }),
          codec: codec as Codec<Answer, Numbered>,
          heartbeat: { intervalMs: 100, timeoutMs: 200 },
          queue: { maxMessages: MESSAGES },
        })
        socket.on('error', ({ code, message }) => told.push([code, message]))
        socket.on('sessionLost', ({ reason }) => told.push(reason))
        socket.on('undelivered', ({ code }) => told.push(code))
        socket.on('open', event => {
          if (event.resumed) resumed++
        })
        const all = new Promise<void>(resolve =>
          socket.on('message', answer => {
            if (answers.push(answer) >= MESSAGES) resolve()
          }),
        )
        const numbers = Array.from({ length: MESSAGES }, (_, n) => n)
        await Promise.all(numbers.map(n => socket.deliver({ n, pad: 'x'.repeat(below(200)) })))
        await all
        // What the dead still have to say
        await new Promise(resolve => setTimeout(resolve, LATE_MS))

        expect(answers.map(({ heard }) => heard.n)).toEqual(numbers)
        expect(new Set(answers.map(({ by }) => by))).toEqual(
          new Set([recipe.of === 1 ? recipe.path : undefined]),
        )
        expect(told).toEqual([])
        expect(proxy.ended.reset + proxy.ended.zombies).toBeGreaterThanOrEqual(CUTS - 2)
        expect(resumed).toBeGreaterThanOrEqual(4)

        const stranger = open(`ws://127.0.0.1:${port}${recipe.path}`, {
          session: resumable({ auth: 'wrong' }),
          codec: codec as Codec<Answer, Numbered>,
        })
        const refused = await new Promise(resolve => stranger.once('close', resolve))
        expect(refused).toMatchObject({ code: 4401, reason: 'unauthenticated' })
        await stranger.close()

        const closed = new Promise(resolve => socket.once('close', resolve))
        const { status, output } = await stop()
        expect(await closed).toMatchObject({ code: 4503, wasClean: true })
        expect([status, output]).toEqual([0, ''])
      },
    )
  })

test('Node, several paths: another path is not there, and the pages are', async () => {
  const recipe = recipes[1]
  if (!recipe) throw new Error('there is no such recipe')
  const { port } = await start(recipe, false)
  const nowhere = new WebSocket(`ws://127.0.0.1:${port}/nowhere`)
  const [error] = (await once(nowhere, 'error').catch((error: Error) => [error])) as [Error]
  expect(error.message).toContain('404')
  expect(await (await fetch(`http://127.0.0.1:${port}/chat`)).text()).toBe('a page')
})

test('each program of the page is run', () => {
  expect(new Set(recipes.map(({ of }) => of)).size).toBe(programs.length)
})
