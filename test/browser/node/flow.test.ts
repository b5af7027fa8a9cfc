/** Much to send, and a server that does not read: in browsers, measured from outside of the page. */

import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { startProxy } from '../../support/proxy'
import { startServer } from '../../support/servers'
import { type Driven, drive, launch } from '../drive'
import { wanted } from '../launch'

const MESSAGES = 100_000
/** How long the server does not read. */
const SECONDS = Number(process.env.SECONDS ?? 3)
const PATIENCE_MS = 60_000 + SECONDS * 1_000

const MAX_BYTES = 4 * 2 ** 20
const HIGH_WATER_MARK_BYTES = 2 ** 20
/** What the page itself, and what the garbage collector leaves for later, may add. */
const MARGIN_BYTES = 30 * 2 ** 20

const PAGE = `
  import { ReconnectingSocket, SocketError, text } from './dist/index.js'

  /** How long each of our tasks takes in which something is sent. */
  const slices = []
  let sent = 0
  const { send } = WebSocket.prototype
  WebSocket.prototype.send = function (data) {
    sent++
    return send.call(this, data)
  }
  const timed = task => (...args) => {
    const [before, started] = [sent, performance.now()]
    task(...args)
    if (sent > before) slices.push(performance.now() - started)
  }
  const later = window.setTimeout
  window.setTimeout = (task, ms) => later(timed(task), ms)
  const port = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')
  Object.defineProperty(MessagePort.prototype, 'onmessage', {
    set(listener) {
      port.set.call(this, timed(listener))
    },
  })
  const opening = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onopen')
  Object.defineProperty(WebSocket.prototype, 'onopen', {
    set(listener) {
      opening.set.call(this, timed(listener))
    },
  })

  let socket
  let stop
  const told = { accepted: 0, refused: 0, falses: 0, drains: 0, lost: 0 }
  Object.assign(globalThis, {
    told,
    slices,
    queue(url, count) {
      socket = new ReconnectingSocket(url, {
        codec: text(),
        queue: { maxMessages: count, maxBytes: count * 200 },
      })
      for (let n = 0; n < count; n++) socket.send(n + ':'.padEnd(90, 'x'))
    },
    async connect(url) {
      socket = new ReconnectingSocket(url, {
        codec: text(),
        queue: { maxMessages: 1e6, maxBytes: ${MAX_BYTES}, highWaterMarkBytes: ${HIGH_WATER_MARK_BYTES} },
      })
      socket.on('undelivered', () => told.lost++)
      await socket.opened()
    },
    keepSending() {
      const timer = setInterval(() => {
        try {
          for (let n = 0; n < 500; n++) {
            if (!socket.send(told.accepted + ':'.padEnd(1_000, 'x'))) told.falses++
            told.accepted++
          }
        } catch (error) {
          if (!(error instanceof SocketError && error.code === 'queue-full')) throw error
          told.refused++
        }
      }, 5)
      stop = () => {
        clearInterval(timer)
        socket.on('drain', () => told.drains++)
      }
    },
    stop: () => stop(),
    held: () => socket.bufferedBytes,
    close: () => socket.close().then(() => {}),
  })
`

describe.each(wanted)('in $browser', ({ browser: name }) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(name)
  }, PATIENCE_MS)
  afterAll(() => browser.close())

  const open = async (): Promise<Driven> => {
    const driven = await drive(browser, PAGE)
    onTestFinished(() => driven.close())
    return driven
  }

  const numbers = (received: readonly string[]) => received.map(message => Number.parseInt(message, 10))
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

  test('100 000 messages that waited go out in order, in short tasks', { timeout: PATIENCE_MS }, async () => {
    const server = await startServer('sink')
    onTestFinished(() => server.stop())
    const { page } = await open()
    await page.evaluate(`queue('${server.url}', ${MESSAGES})`)
    await vi.waitFor(() => expect(server.received.length).toBe(MESSAGES), PATIENCE_MS)
    expect(numbers(server.received)).toEqual(upTo(MESSAGES))
    const slices = (await page.evaluate<number[]>('slices')).sort((a, b) => a - b)
    // A slice is 8 ms; on a busy machine a few must wait for a processor, which is not their fault
    expect(slices.length).toBeGreaterThan(10)
    expect(slices[Math.floor(slices.length * 0.5)]).toBeLessThan(20)
    expect(slices.filter(ms => ms > 50).length).toBeLessThan(slices.length / 50)
    await page.evaluate('close()')
  })

  test(`a server that does not read for ${SECONDS} s costs no more memory than was agreed, and gets all of it then`, {
    timeout: PATIENCE_MS,
  }, async () => {
    const server = await startServer('sink')
    onTestFinished(() => server.stop())
    const proxy = await startProxy(server.port)
    onTestFinished(() => proxy.close())
    const { page, heapBytes } = await open()
    await page.evaluate(`connect('${proxy.url}')`)
    proxy.stall('up')
    const before = await heapBytes()
    await page.evaluate('keepSending()')
    await page.waitForFunction('told.refused > 0', undefined, { timeout: PATIENCE_MS })
    const until = performance.now() + SECONDS * 1_000
    let most = 0
    while (performance.now() < until) {
      // What the WebSocket holds is not in the heap
      const held = Number(await page.evaluate('held()'))
      most = Math.max(most, ((await heapBytes()) ?? 0) - (before ?? 0) + held)
      await page.evaluate('new Promise(resolve => setTimeout(resolve, 100))')
    }
    expect(most).toBeGreaterThan(MAX_BYTES)
    expect(most).toBeLessThan(MAX_BYTES + HIGH_WATER_MARK_BYTES + MARGIN_BYTES)
    await page.evaluate('stop()')
    const told = () => page.evaluate<Record<string, number>>('told')
    const { accepted = 0, falses } = await told()
    expect(falses).toBeGreaterThan(0)
    proxy.resume()
    await vi.waitFor(() => expect(server.received.length).toBe(accepted), PATIENCE_MS)
    expect(numbers(server.received)).toEqual(upTo(accepted))
    expect(await told()).toMatchObject({ accepted, drains: 1, lost: 0 })
    await page.evaluate('close()')
    if (process.env.SECONDS)
      console.log(
        `${name}: ${(most / 2 ** 20).toFixed(1)} MiB at most while the server did not read for ${SECONDS} s`,
      )
  })
})
