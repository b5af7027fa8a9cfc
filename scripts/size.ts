/** What an application's page pays for us and for our peers, measured the same way. Over budget is an error. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

export interface Size {
  readonly raw: number
  readonly gzip: number
}

export interface Subject {
  readonly name: string
  readonly ours: boolean
  /** The module that a page would have to write; or a file that is served as it is. */
  readonly source: { readonly module: string } | { readonly file: string }
}

const root = fileURLToPath(new URL('..', import.meta.url))

export const SUBJECTS: readonly Subject[] = [
  {
    name: 'plain',
    ours: true,
    source: {
      module: "import { ReconnectingSocket } from './dist/index.js'; globalThis.x = ReconnectingSocket",
    },
  },
  {
    name: 'with sessions',
    ours: true,
    source: {
      module: `import { ReconnectingSocket, resumable } from './dist/index.js'
        globalThis.x = [ReconnectingSocket, resumable]`,
    },
  },
  {
    name: 'everything',
    ours: true,
    source: { module: "import * as all from './dist/index.js'; globalThis.x = all" },
  },
  {
    name: 'msgpack',
    ours: true,
    source: { module: "import { msgpack } from './dist/msgpack.js'; globalThis.x = msgpack" },
  },
  { name: 'UMD', ours: true, source: { file: 'dist/umd/reconnecting-socket.min.js' } },
  {
    name: 'reconnecting-websocket',
    ours: false,
    source: { module: "import Socket from 'reconnecting-websocket'; globalThis.x = Socket" },
  },
  {
    name: 'partysocket',
    ours: false,
    source: { module: "import Socket from 'partysocket/ws'; globalThis.x = Socket" },
  },
  {
    // Without a backoff it does not reconnect, and without a buffer it drops what is sent in between
    name: 'websocket-ts',
    ours: false,
    source: {
      module: `import { ArrayQueue, ExponentialBackoff, Websocket, WebsocketBuilder } from 'websocket-ts'
        globalThis.x = [ArrayQueue, ExponentialBackoff, Websocket, WebsocketBuilder]`,
    },
  },
  {
    name: 'socket.io-client',
    ours: false,
    source: { module: "import { io } from 'socket.io-client'; globalThis.x = io" },
  },
]

/** Bytes after gzip, by subject. If a feature does not fit, it moves into an import of its own. */
export const BUDGETS: Readonly<Record<string, number>> = {
  plain: 10_150,
  'with sessions': 13_600,
  UMD: 16_000,
}

export async function measure({ source }: Subject): Promise<Size> {
  const code = 'file' in source ? readFileSync(`${root}/${source.file}`) : await bundle(source.module)
  return { raw: code.length, gzip: gzipSync(code, { level: 9 }).length }
}

async function bundle(module: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents: module, resolveDir: root },
    bundle: true,
    minify: true,
    target: 'es2022',
    format: 'esm',
    write: false,
  })
  return Buffer.concat(outputFiles.map(({ contents }) => contents))
}

async function main() {
  const digits = (bytes: number) => bytes.toLocaleString('en').padStart(9)
  console.log(`${''.padEnd(24)}${'raw'.padStart(9)}${'gzip'.padStart(9)}${'budget'.padStart(9)}   (bytes)`)
  const excesses: string[] = []
  for (const subject of SUBJECTS) {
    const { name, ours } = subject
    const { raw, gzip } = await measure(subject)
    const budget = ours ? BUDGETS[name] : undefined
    const label = ours ? `* ${name}` : `  ${name}`
    console.log(label.padEnd(24) + digits(raw) + digits(gzip) + (budget ? digits(budget) : ''))
    if (budget && gzip > budget)
      excesses.push(`OVER BUDGET: ${name} has ${gzip} bytes gzip, ${gzip - budget} more than ${budget}`)
  }
  console.log('* ours; all by esbuild --bundle --minify, ES2022, ESM, gzip -9, except the UMD file as it is')
  for (const excess of excesses) console.error(excess)
  if (excesses.length) process.exitCode = 1
}

// A test of the docs imports this file to measure, not to print
if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
