/** What a thousand connections leave behind. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { WebSocketServer } from 'ws'
import type * as built from '../../../dist/index.js'
import { behaviour } from './behaviour'
import { until } from './lab'

const WARM_UP = 400
const SAMPLES = 5
const CYCLES_EACH = 120
const MOST_BYTES_PER_CYCLE = 100

/** Of a line through them, by least squares. */
const slope = (ys: readonly number[]): number => {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x0, y0] = [(ys.length - 1) / 2, mean(ys)]
  const over = ys.reduce((sum, y, x) => sum + (x - x0) * (y - y0), 0)
  return over / ys.reduce((sum, _, x) => sum + (x - x0) ** 2, 0)
}

behaviour('reconnects', async ({ open, cleanUp }) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  cleanUp(() => server.close())
  let connections = 0
  /** The one that is left alone, so that nothing moves while the heap is looked at. */
  let last = 0
  server.on('connection', client => {
    connections++
    // Each is cut when it has been used, by turns without a word
    client.on('message', () => {
      if (connections >= last) return
      if (connections % 2) client.close(4000)
      else client.terminate()
    })
    client.on('error', () => {})
  })

  const page = await open()
  /** Of the window and the document: what the page itself has, and what we add. */
  const countListeners = async () => {
    let count = 0
    for (const expression of ['window', 'document']) {
      const { result } = await page.tools<{ result: { objectId: string } }>('Runtime.evaluate', {
        expression,
      })
      const { listeners } = await page.tools<{ listeners: unknown[] }>('DOMDebugger.getEventListeners', {
        objectId: result.objectId,
      })
      count += listeners.length
    }
    return count
  }
  const heapBytes = async () => {
    // What is found to be free at first frees more
    for (let time = 0; time < 3; time++) await page.tools('HeapProfiler.collectGarbage')
    const { usedSize, embedderHeapUsedSize, backingStorageSize } =
      await page.tools<Record<string, number>>('Runtime.getHeapUsage')
    return (usedSize ?? 0) + (embedderHeapUsedSize ?? 0) + (backingStorageSize ?? 0)
  }
  const listenersBefore = await countListeners()
  await page.run(
    port => {
      const { ReconnectingSocket } = globalThis as unknown as typeof built
      const socket = new ReconnectingSocket(`ws://127.0.0.1:${port}`, { backoff: { baseMs: 1, maxMs: 1 } })
      socket.on('open', () => socket.send('used'))
      lab.sockets.ours = socket
    },
    (server.address() as AddressInfo).port,
  )

  const isOpen = () => page.run(() => lab.socket('ours').state.name === 'open')
  const cycles = async (count: number) => {
    last = connections + count
    for (const client of server.clients) client.terminate()
    await until(async () => connections === last && (await isOpen()))
  }
  await until(isOpen)
  await cycles(WARM_UP)
  const listeners = await countListeners()
  const samples: number[] = []
  for (let sample = 0; sample < SAMPLES; sample++) {
    await cycles(CYCLES_EACH)
    samples.push(await heapBytes())
  }
  const perCycle = slope(samples) / CYCLES_EACH
  expect(perCycle).toBeLessThanOrEqual(MOST_BYTES_PER_CYCLE)
  expect(await countListeners()).toBe(listeners)
  expect(listeners).toBeGreaterThan(listenersBefore)

  await until(() => server.clients.size === 1)
  await page.run(() =>
    lab
      .socket('ours')
      .close()
      .then(() => {}),
  )
  await until(() => server.clients.size === 0)
  expect(await countListeners()).toBe(listenersBefore)
  return {
    raw: 'does not reconnect',
    ours: `${Math.max(0, Math.round(perCycle))} bytes of heap each; ${listeners - listenersBefore} listeners, and none once closed`,
  }
})
