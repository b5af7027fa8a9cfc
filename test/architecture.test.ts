import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../src/', import.meta.url))
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => file.replaceAll('\\', '/'))

/** Source without comments: words in prose are not uses. */
const source = (file: string) =>
  readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')

const room = (file: string) => (file.includes('/') ? dirname(file) : '')

interface Import {
  readonly from: string
  readonly to: string
  readonly isType: boolean
}

const imports: Import[] = files.flatMap(from =>
  [...source(from).matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'/gm)].map(
    ([, type, to = '']) => ({
      from,
      to: to.startsWith('.') ? normalize(join(dirname(from), to)) : to,
      isType: !!type,
    }),
  ),
)

test('no room imports another: core decides, platform touches, wire spells', () => {
  const leaves = imports.filter(({ from }) => ['core', 'platform', 'wire'].includes(room(from)))
  expect(leaves.filter(({ from, to }) => room(to) !== room(from))).toEqual([])
})

/** All that a file brings along when it is bundled. */
const reach = (file: string, seen = new Set<string>()): Set<string> => {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const { from, to, isType } of imports)
    if (from === file && !isType) reach(files.includes(`${to}.ts`) ? `${to}.ts` : to, seen)
  return seen
}

test.each(['index.ts', 'msgpack.ts', 'umd.ts'])(
  '%s, for browsers, brings neither schemas nor the server',
  file => {
    const brought = [...reach(file)].filter(name => /^(zod|ws|spec|server|conformance)\b/.test(name))
    expect(brought).toEqual([])
  },
)

test('the server brings schemas, and nothing of the page', () => {
  const brought = [...reach('server.ts')]
  expect(brought).toEqual(expect.arrayContaining(['zod', 'spec.ts', 'core/registry.ts', 'wire/frames.ts']))
  expect(brought.filter(name => room(name) === 'platform' || name === 'index.ts')).toEqual([])
})

test('nobody imports the server but its annex', () => {
  const visitors = imports.filter(({ from, to }) => room(to) === 'server' && room(from) !== 'server')
  expect(new Set(visitors.map(({ from }) => from))).toEqual(new Set(['server.ts']))
})

test('the judge knows of us only how the protocol is spelled, and nobody knows it', () => {
  const isJudge = (file: string) => room(file) === 'conformance'
  const ours = imports.filter(({ from, to }) => isJudge(from) && files.includes(`${to}.ts`) && !isJudge(to))
  expect(new Set(ours.map(({ to }) => to))).toEqual(new Set(['spec']))
  expect(imports.filter(({ from, to }) => !isJudge(from) && isJudge(to))).toEqual([])
})

test('only the shell knows all three rooms', () => {
  const rooms = (file: string) =>
    new Set(imports.filter(({ from, isType }) => from === file && !isType).map(({ to }) => room(to)))
  const knowing = files.filter(file => ['core', 'platform', 'wire'].every(each => rooms(file).has(each)))
  expect(knowing).toEqual(['socket.ts'])
})

test('schemas stay in the spec: nobody but tests, the server and the judge imports it', () => {
  expect(imports.filter(({ to }) => to === 'spec').map(({ from }) => from)).toEqual([
    'conformance/frame.ts',
    'server/connection.ts',
  ])
})

test('nobody imports the front door but its annexes', () => {
  const visitors = imports.filter(({ to }) => to === 'index').map(({ from }) => from)
  expect(visitors).toEqual(['msgpack.ts', 'umd.ts'])
})

test('from outside come only nanoevents, for the emitter, and what the annexes are about', () => {
  // The judge is a program of its own
  const outside = imports.filter(
    ({ from, to }) => !files.includes(`${to}.ts`) && room(from) !== 'conformance',
  )
  expect(outside.map(({ from, to }) => `${from} ${to}`)).toEqual([
    'emitter.ts nanoevents',
    'msgpack.ts @msgpack/msgpack',
    'spec.ts zod',
    'server/options.ts zod',
  ])
})

const impure =
  /\b(WebSocket|window|document|navigator|setTimeout|Date|Math\.random|performance|crypto|globalThis)\b/

test.each(files.filter(file => /^(core|wire)\//.test(file)))(
  '%s knows no clock, no socket, no chance and no global',
  file => {
    expect(impure.exec(source(file))?.[0]).toBeUndefined()
  },
)

test('the purity test would notice', () => {
  expect(impure.test('const now = Date.now()')).toBe(true)
  expect(impure.test('x = Math.random()')).toBe(true)
})

test.each(files)('%s opens with what it decides', file => {
  if (file === 'index.ts') return
  expect(readFileSync(join(root, file), 'utf8')).toMatch(/^\/\*\*/)
})
