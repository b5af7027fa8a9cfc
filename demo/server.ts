/** Serves the demo page and a WebSocket that echoes. `npm run demo` starts it; a test imports `startDemo`. */

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'

export interface Demo {
  readonly url: string
  /** Says goodbye to everyone (1001) and frees the port. */
  close(): Promise<void>
}

const DEFAULT_PORT = 8080
const PORTS_TO_TRY = 20
/** How long a client may take to answer the goodbye: a frozen tab never does. */
const GOODBYE_MS = 500

/** All that is served. A path is looked up here and never becomes a file name, so it cannot lead elsewhere. */
const FILES = new Map([
  ['/', { file: 'index.html', type: 'text/html' }],
  ['/index.html', { file: 'index.html', type: 'text/html' }],
  ['/demo.js', { file: 'demo.js', type: 'text/javascript' }],
  ['/demo.css', { file: 'demo.css', type: 'text/css' }],
  ['/icon.svg', { file: 'icon.svg', type: 'image/svg+xml' }],
  [
    '/reconnecting-socket.min.js',
    { file: '../dist/umd/reconnecting-socket.min.js', type: 'text/javascript' },
  ],
])

const HEADERS = {
  'Content-Security-Policy': "default-src 'self'; connect-src ws: wss:",
  'X-Content-Type-Options': 'nosniff',
  // A restarted demo may serve another build
  'Cache-Control': 'no-store',
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = (status: number, type: string, body: string | Buffer, more = {}) =>
    response.writeHead(status, { ...HEADERS, 'Content-Type': `${type}; charset=utf-8`, ...more }).end(body)

  if (request.method !== 'GET' && request.method !== 'HEAD')
    return void answer(405, 'text/plain', 'Only GET and HEAD\n', { Allow: 'GET, HEAD' })
  const found = FILES.get(request.url?.split('?')[0] ?? '')
  if (!found) return void answer(404, 'text/plain', 'Not found\n')
  try {
    answer(200, found.type, await readFile(new URL(found.file, import.meta.url)))
  } catch {
    answer(500, 'text/plain', `${found.file} is missing: has the library been built?\n`)
  }
}

/**
 * @param port 0 for any free one
 * @throws (rejects) EADDRINUSE if the port is taken
 */
export async function startDemo(port: number): Promise<Demo> {
  const server = createServer(serve)
  // Only this machine: a demo has no business on the network
  server.listen(port, 'localhost')
  await once(server, 'listening')

  const echo = new WebSocketServer({ server, path: '/echo' })
  echo.on('connection', socket => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    // After a protocol error ws closes the connection by itself; without a listener it would end the process
    socket.on('error', () => {})
  })

  async function close(): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    echo.close()
    for (const client of echo.clients) client.close(1001, 'server stopped')
    const impatience = setTimeout(() => {
      for (const client of echo.clients) client.terminate()
    }, GOODBYE_MS)
    await closed
    clearTimeout(impatience)
  }

  let closing: Promise<void> | undefined
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close() {
      closing ??= close()
      return closing
    },
  }
}

async function startOnFreePort(first: number): Promise<Demo> {
  for (let port = first; ; port++) {
    try {
      return await startDemo(port)
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!taken || port + 1 >= first + PORTS_TO_TRY) throw error
      console.log(`Port ${port} is taken, trying the next`)
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { PORT } = process.env
  const demo = await startOnFreePort(Number(PORT || DEFAULT_PORT))
  console.log(`The demo is at ${demo.url}
Ctrl-C stops it: the page waits, and comes back when you start it again.
Ctrl-Z freezes it: the heartbeat finds out. "fg" wakes it.`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void demo.close())
}
