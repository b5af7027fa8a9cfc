/**
 * A million messages of 100 bytes, queued before the connection is there: what each costs while it waits, whether the
 * page can do anything else while they go out, and whether they arrive in order. In Chromium, beside its peers.
 */

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { heapOf, serveModule } from '../test/browser/drive'
import { startChromium } from '../test/browser/engines/chromium'
import type { Engine } from '../test/browser/engines/engine'
import { found } from '../test/browser/found'

const MESSAGES = Number(process.env.MESSAGES ?? 1_000_000)
const MESSAGE_BYTES = 100

/** In the page: `start` queues, and is done before the connection is open. */
const PAGE = `
  import { ReconnectingSocket, text } from './dist/index.js'
  import ReconnectingWebSocket from 'reconnecting-websocket'
  import PartySocket from 'partysocket/ws'
  import { ArrayQueue, ExponentialBackoff, WebsocketBuilder } from 'websocket-ts'

  const OPENING = { connectionTimeout: 600_000 }
  const subjects = {
    'raw WebSocket': url => {
      const queue = []
      const socket = new WebSocket(url)
      socket.onopen = () => {
        for (const message of queue) socket.send(message)
        queue.length = 0
      }
      return { send: message => queue.push(message), close: () => socket.close() }
    },
    'raw, in slices': url => {
      const queue = []
      let sent = 0
      const socket = new WebSocket(url)
      socket.onopen = function flush() {
        const started = performance.now()
        while (sent < queue.length && socket.bufferedAmount < 2 ** 20 && performance.now() - started < 8)
          for (let n = 0; n < 64 && sent < queue.length; n++) socket.send(queue[sent++])
        if (sent < queue.length) setTimeout(flush, 4)
      }
      return { send: message => queue.push(message), close: () => socket.close() }
    },
    'reconnecting-socket': url => new ReconnectingSocket(url, {
      codec: text(),
      connectTimeoutMs: 600_000,
      queue: { maxMessages: ${MESSAGES * 2}, maxBytes: ${MESSAGES * MESSAGE_BYTES * 2} },
    }),
    'reconnecting-websocket': url => new ReconnectingWebSocket(url, [], OPENING),
    'partysocket': url => new PartySocket(url, [], OPENING),
    'websocket-ts': url => new WebsocketBuilder(url)
      .withBuffer(new ArrayQueue())
      .withBackoff(new ExponentialBackoff(1_000, 3))
      .build(),
  }

  // One string, not a rope of two
  const message = n => JSON.stringify({ n, text: 'x'.repeat(${MESSAGE_BYTES - '{"n":,"text":""}'.length} - \`\${n}\`.length) })
  const tick = () => new Promise(resolve => setTimeout(resolve))
  let socket
  let tasks = []

  globalThis.bench = {
    connect(name, url) {
      socket = subjects[name](url)
    },
    async queue(from, to) {
      for (let n = from; n < to; n++) {
        socket.send(message(n))
        if (n % 10_000 === 0) await tick()
      }
      await tick()
    },
    watch() {
      new PerformanceObserver(list => {
        for (const { duration } of list.getEntries()) tasks.push(duration)
      }).observe({ type: 'longtask' })
    },
    // The last is told a little later
    longTasks: () => new Promise(resolve => setTimeout(() => resolve(tasks), 200)),
    stop() {
      socket.close()
    },
  }
`

/** RFC 6455 §5.2, of a client: two bytes, the mask, and what is masked. */
const HEADER_BYTES = 6
const FRAME_BYTES = HEADER_BYTES + MESSAGE_BYTES
/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** The number in the message of a frame. */
const numberIn = (frame: Buffer): number => {
  const start = HEADER_BYTES + '{"n":'.length
  let text = ''
  for (let n = start; n < start + 10; n++)
    text += String.fromCharCode((frame[n] ?? 0) ^ (frame[2 + ((n - HEADER_BYTES) % 4)] ?? 0))
  return Number.parseInt(text, 10)
}

/**
 * Opens no connection before it is told to. It keeps what comes, and looks at the number of each message once all are
 * there: a server that reads frames as they come would take from the page what it is measured with.
 */
async function startSink() {
  let open = () => {}
  let done = () => {}
  let bytes = 0
  const chunks: Buffer[] = []
  const server = createServer()
  server.on('upgrade', ({ headers }, socket) => {
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${GUID}`).digest('base64')
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= MESSAGES * FRAME_BYTES) done()
    })
    open = () =>
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => open(),
    received: new Promise<void>(resolve => {
      done = resolve
    }),
    inOrder: () => {
      const all = Buffer.concat(chunks)
      return Array.from({ length: MESSAGES }, (_, n) => n).every(
        n => numberIn(all.subarray(n * FRAME_BYTES, (n + 1) * FRAME_BYTES)) === n,
      )
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

interface Flush {
  readonly heapBytes: number
  readonly seconds: number
  /** Tasks of 50 ms and more, in ms. */
  readonly longTasks: readonly number[]
  readonly inOrder: boolean
}

/** What the module of the page gives. */
declare const bench: {
  connect(name: string, url: string): void
  queue(from: number, to: number): Promise<void>
  watch(): void
  longTasks(): Promise<number[]>
  stop(): void
}

/** Playwright would be told of each frame, by the thread that is measured here. */
async function open(browser: Engine) {
  const served = await serveModule(PAGE)
  const tab = await browser.open(served.url)
  return {
    run: tab.run,
    heapBytes: () => heapOf(tab.tools),
    async close() {
      await tab.close()
      served.close()
    },
  }
}

async function flush(browser: Engine, name: string): Promise<Flush> {
  const sink = await startSink()
  const { run, heapBytes, close } = await open(browser)
  try {
    await run((name, url) => bench.connect(name, url), name, sink.url)
    // What a thousand make of it belongs to the first
    await run(() => bench.queue(0, 1_000))
    const before = await heapBytes()
    await run(count => bench.queue(1_000, count), MESSAGES)
    const heap = ((await heapBytes()) - before) / (MESSAGES - 1_000)
    await run(() => bench.watch())
    const started = performance.now()
    sink.open()
    await sink.received
    const seconds = (performance.now() - started) / 1_000
    const longTasks = await run(() => bench.longTasks())
    await run(() => bench.stop())
    return { heapBytes: heap, seconds, longTasks, inOrder: sink.inOrder() }
  } finally {
    await close()
    sink.close()
  }
}

const NAMES = [
  'raw WebSocket',
  'raw, in slices',
  'reconnecting-socket',
  'reconnecting-websocket',
  'partysocket',
  'websocket-ts',
]

/** `npm run bench -- flush reconnecting-socket` for some of them. */
const asked = process.argv.slice(3)

const row = (...cells: string[]) =>
  console.log(cells.map((cell, i) => (i ? cell.padStart(14) : cell.padEnd(24))).join(''))

if (!found.chromium) throw new Error('this takes Chromium')
const browser = await startChromium(found.chromium, {})
console.log(
  `${MESSAGES.toLocaleString('en')} messages of ${MESSAGE_BYTES} bytes, queued before the connection opens,`,
)
console.log(
  `Chromium ${browser.version}. While they go out: tasks over 50 ms, and the longest; and seconds until the`,
)
console.log(
  'server has all, which only compare within this table. While they wait: bytes of heap for each, its own',
)
console.log(
  `${MESSAGE_BYTES} among them. "In slices" is the least that does not block: how much of the rest is the machine.`,
)
console.log()
row('', 'over 50 ms', 'longest in ms', 'heap in bytes', 'seconds', 'in order')
for (const name of asked.length ? asked : NAMES) {
  const { heapBytes, seconds, longTasks, inOrder } = await flush(browser, name)
  const longest = longTasks.length ? Math.max(...longTasks).toFixed(0) : '< 50'
  row(name, `${longTasks.length}`, longest, heapBytes.toFixed(0), seconds.toFixed(1), inOrder ? 'yes' : 'NO')
}
await browser.close()
