/**
 * A million messages of 100 bytes, queued before the connection is there: what each costs while it waits, whether the
 * page can do anything else while they go out, and whether they arrive in order. In Chromium, beside its peers.
 */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { drive, launch } from '../test/browser/drive'

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

  Object.assign(globalThis, {
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
      globalThis.tasks = []
      new PerformanceObserver(list => {
        for (const { duration } of list.getEntries()) globalThis.tasks.push(duration)
      }).observe({ type: 'longtask' })
    },
    stop: () => socket.close(),
  })
`

/** Opens no connection before it is told to, and looks at the number of each message. */
async function startSink() {
  let open = () => {}
  let done = () => {}
  let received = 0
  let inOrder = true
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: (_, accept) => {
      open = () => accept(true)
    },
  })
  server.on('connection', socket =>
    socket.on('message', (data: Buffer) => {
      inOrder &&= Number.parseInt(data.toString('latin1', 5, 15), 10) === received
      if (++received === MESSAGES) done()
    }),
  )
  await once(server, 'listening')
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => open(),
    received: new Promise<void>(resolve => {
      done = resolve
    }),
    inOrder: () => inOrder,
    close: () => {
      for (const client of server.clients) client.terminate()
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

async function flush(browser: Awaited<ReturnType<typeof launch>>, name: string): Promise<Flush> {
  const sink = await startSink()
  const { page, heapBytes, close } = await drive(browser, PAGE)
  try {
    await page.evaluate(`connect('${name}', '${sink.url}')`)
    // What a thousand make of it belongs to the first
    await page.evaluate(`queue(0, 1_000)`)
    const before = (await heapBytes()) ?? Number.NaN
    await page.evaluate(`queue(1_000, ${MESSAGES})`)
    const heap = (((await heapBytes()) ?? Number.NaN) - before) / (MESSAGES - 1_000)
    await page.evaluate('watch()')
    const started = performance.now()
    sink.open()
    await sink.received
    const seconds = (performance.now() - started) / 1_000
    const longTasks = await page.evaluate<number[]>(
      'new Promise(resolve => setTimeout(() => resolve(tasks), 200))',
    )
    await page.evaluate('stop()')
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

const browser = await launch('chromium')
console.log(
  `${MESSAGES.toLocaleString('en')} messages of ${MESSAGE_BYTES} bytes, queued before the connection opens,`,
)
console.log(
  `Chromium ${browser.version()}. While they go out: tasks over 50 ms, and the longest; and seconds until the`,
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
