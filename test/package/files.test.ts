import { execFile } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import { read, root } from './built'

/** What `npm publish` would upload. */
let packed: string[]

beforeAll(async () => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json'], { cwd: root })
  const [tarball] = JSON.parse(stdout) as { files: { path: string }[] }[]
  packed = tarball?.files.map(({ path }) => path) ?? []
}, 30_000)

/** Without comments: a word in prose is not a type. */
const declarations = () =>
  packed
    .filter(path => /\.d\.c?ts$/.test(path))
    .map(path => [path, read(path).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')] as const)

/** Every string in a tree of `exports`. */
const leaves = (tree: unknown): string[] =>
  typeof tree === 'string' ? [tree] : Object.values(tree as object).flatMap(leaves)

test('the tarball has what was built and what tells about it, and nothing else', () => {
  const known = ['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json']
  const others = packed.filter(path => !path.startsWith('dist/') && !known.includes(path))
  expect(others.filter(path => !/^docs\/([A-Z]+\.md|protocol\/[a-z-]+\.json)$/.test(path))).toEqual([])
})

test('who writes the other half of the session protocol finds it in the tarball', () => {
  const files = [
    'PROTOCOL.md',
    'CONFORMANCE.md',
    'protocol/schema.json',
    'protocol/frames.json',
    'protocol/exchanges.json',
  ].map(file => `docs/${file}`)
  expect(packed).toEqual(expect.arrayContaining(files))
})

test('every file that package.json points at is in the tarball', () => {
  const { main, module, types, unpkg, jsdelivr, exports, bin } = JSON.parse(read('package.json'))
  const targets = [main, module, types, unpkg, jsdelivr, ...leaves(exports), ...leaves(bin)].map(path =>
    join(path),
  )
  expect(targets.filter(path => !packed.includes(path))).toEqual([])
})

test('the folder of the UMD build says that it is CommonJS', () => {
  expect(packed).toContain('dist/umd/package.json')
  expect(JSON.parse(read('dist/umd/package.json'))).toEqual({ type: 'commonjs' })
})

/** What the annexes and the command are about, and what is installed with or beside us for them alone. */
const BROUGHT: Readonly<Record<string, readonly string[]>> = {
  cli: ['node:child_process', 'node:crypto', 'node:events', 'node:util', 'ws', 'zod'],
  msgpack: ['@msgpack/msgpack'],
  // Node 18 has no global crypto
  server: ['node:crypto', 'zod'],
  spec: ['zod'],
}

test('the bundles import nothing but what their annexes are about, and none of them nanoevents', async () => {
  for (const file of packed.filter(path => /^dist\/(?!umd)(?:\w+\/)?[^/]*\.c?js$/.test(path))) {
    const { metafile } = await build({
      entryPoints: [root + file],
      bundle: true,
      format: 'esm',
      packages: 'external',
      metafile: true,
      write: false,
      platform: 'node',
    })
    const imports = Object.values(metafile.inputs).flatMap(input => input.imports)
    const external = new Set(imports.filter(({ external }) => external).map(({ path }) => path))
    const name = basename(file).replace(/\.c?js$/, '')
    expect([file, [...external].sort()]).toEqual([file, BROUGHT[name] ?? []])
  }
})

test('the exported types mention no `any` and import nothing of what is bundled', () => {
  expect(declarations().map(([path]) => path)).toEqual(
    expect.arrayContaining(['dist/index.d.ts', 'dist/index.d.cts']),
  )
  for (const [path, types] of declarations()) {
    expect([path, types.match(/\bany\b/g)]).toEqual([path, null])
    expect([path, types.match(/nanoevents/g)]).toEqual([path, null])
  }
})

test('every script names its source map, and each map has the sources in it', () => {
  for (const file of packed.filter(path => /\.c?js$/.test(path))) {
    const map = read(file).match(/\/\/# sourceMappingURL=(\S+)\s*$/)?.[1]
    expect([file, packed.includes(join(dirname(file), map ?? 'none'))]).toEqual([file, true])
  }
  const maps = packed.filter(path => path.endsWith('.map'))
  expect(maps.length).toBeGreaterThanOrEqual(3)
  for (const path of maps) {
    const { version, sources, sourcesContent } = JSON.parse(read(path))
    expect([path, version, sourcesContent.length]).toEqual([path, 3, sources.length])
    // They are not in the tarball otherwise
    expect([path, sources.filter((_: string, i: number) => !sourcesContent[i])]).toEqual([path, []])
    const own = /(conformance\/cli|msgpack|server|spec)\./.exec(path)?.[1] ?? 'socket'
    expect(sources.some((source: string) => source.endsWith(`src/${own}.ts`))).toBe(true)
  }
})

test('nothing in the tarball tells where it was built', () => {
  expect(packed.filter(path => read(path).includes(root))).toEqual([])
})
