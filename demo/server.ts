/** Serves the demo: the page, an echo, sessions that count, and the ways to break them. `npm run demo` starts it; a test imports `startDemo`. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createCounting } from './counting'
import { echo } from './echo'
import { createFaultDesk } from './fault-desk'
import { createFileServer } from './files'
import { createLines, type Line } from './lines'

export interface Demo {
  readonly url: string
  /** Says goodbye to everyone (1001; 4503 in sessions) and frees the port. */
  close(): Promise<void>
}

const DEFAULT_PORT = 8080
const PORTS_TO_TRY = 20

/**
 * @param port 0 for any free one
 * @throws (rejects) EADDRINUSE if the port is taken
 */
export async function startDemo(port: number): Promise<Demo> {
  const lines = createLines()
  const counting = createCounting()
  /** What speaks over a WebSocket, by its path. */
  const speakers = new Map<string, (line: Line) => void>([
    ['/echo', echo],
    ['/session', counting.accept],
  ])
  const serveFile = await createFileServer()
  const serveFault = createFaultDesk(lines)
  const server = createServer((request, response) => {
    const isFault = request.url?.split('?')[0] === '/faults'
    const served = (isFault ? serveFault : serveFile)(request, response)
    // Who leaves halfway through a request gets no answer
    served.catch(() => response.destroy())
  })
  server.on('upgrade', (request, socket, head) => {
    const speaker = speakers.get(request.url?.split('?')[0] ?? '')
    if (speaker) lines.welcome(request, socket, head, speaker)
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  // Only this machine: a demo has no business on the network
  server.listen(port, 'localhost')
  await once(server, 'listening')

  async function close(): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    // In this order: sessions say goodbye in their own way
    await Promise.all([counting.close(), lines.close()])
    await closed
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
Open it, send something, and break things: by the panel on the page, or from here.
Ctrl-C stops the server: the page waits, and comes back when you start it again.
Ctrl-Z freezes it: the heartbeat finds out. "fg" wakes it.`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void demo.close())
}
