/** The files of the page, under a policy that lets nothing inline and nothing from elsewhere in. */

import { readdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'self'",
    // `fetch` to break things, and any WebSocket server that you may type
    "connect-src 'self' ws: wss:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // A restarted demo may serve another build
  'Cache-Control': 'no-store',
}

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

interface File {
  readonly type: string
  read(): Promise<string | Buffer>
}

const onDisk = (path: string): File => ({
  type: TYPES[extname(path)] ?? 'text/plain',
  read: () => readFile(new URL(path, import.meta.url)),
})

/** The annex imports a package by its name, which a page cannot: bundled into one module when it is first asked for. */
const msgpackModule: File = {
  type: 'text/javascript',
  async read() {
    const entryPoints = [fileURLToPath(new URL('../dist/msgpack.js', import.meta.url))]
    const { outputFiles } = await build({ entryPoints, bundle: true, format: 'esm', write: false })
    return outputFiles[0]?.text ?? ''
  },
}

export async function createFileServer() {
  const names = await readdir(new URL('page/', import.meta.url))
  /** All that is served. A path is looked up here and never becomes a file name, so it cannot lead elsewhere. */
  const files = new Map<string, File>([
    ...names.map(name => [`/${name}`, onDisk(`page/${name}`)] as const),
    ['/', onDisk('page/index.html')],
    ['/reconnecting-socket.min.js', onDisk('../dist/umd/reconnecting-socket.min.js')],
    ['/msgpack.js', msgpackModule],
  ])

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = (status: number, type: string, body: string | Buffer, more = {}) =>
      response.writeHead(status, { ...HEADERS, 'Content-Type': `${type}; charset=utf-8`, ...more }).end(body)

    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void answer(405, 'text/plain', 'Only GET and HEAD\n', { Allow: 'GET, HEAD' })
    const path = request.url?.split('?')[0] ?? ''
    const file = files.get(path)
    if (!file) return void answer(404, 'text/plain', 'Not found\n')
    try {
      answer(200, file.type, await file.read())
    } catch {
      answer(500, 'text/plain', `${path} is missing: has the library been built?\n`)
    }
  }
}
