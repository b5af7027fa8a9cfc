/** Receivers that are slower than the sender. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { type ReconnectingSocket, SocketError, text } from '../../src/index'
import { collect, next, quiet, until } from '../support/events'
import { connect, proxied, serve } from './rig'

const MAX_BYTES = 1_048_576
const QUEUE = { maxBytes: MAX_BYTES, highWaterMarkBytes: 262_144 }
/** What a send buffer and a receive buffer of the kernel can be made to take, several times over. */
const FAR_TOO_MUCH = 128 * 2 ** 20

/** How long the server does not read. */
const SECONDS = Number(process.env.SECONDS ?? 3)
/** What the process itself, and what the garbage collector leaves for later, may add. */
const MARGIN_BYTES = 30 * 2 ** 20

const payload = (i: number) => `${i}:${'x'.repeat(65_536)}`

/** Sends as `send` and `drain` allow, until nothing drains any more. @returns how many were sent */
async function sendUntilStuck(socket: ReconnectingSocket<string, string>): Promise<number> {
  for (let i = 0; i * 65_536 < FAR_TOO_MUCH; i++) {
    const mayGoOn = socket.send(payload(i))
    expect(socket.queuedBytes).toBeLessThanOrEqual(MAX_BYTES)
    if (mayGoOn) continue
    const stuck = await Promise.race([socket.drained().then(() => false), quiet(400).then(() => true)])
    if (stuck) return i + 1
  }
  throw new Error('There seems to be no backpressure')
}

test('a server that stops reading makes send answer false, and then throw, with a bounded queue', async () => {
  const server = await serve('mute')
  const socket = connect(server.url, { codec: text(), queue: QUEUE })
  await until(socket, 'open')
  const sent = await sendUntilStuck(socket)
  expect(sent).toBeGreaterThan(4)
  expect(socket.queuedBytes).toBeGreaterThanOrEqual(QUEUE.highWaterMarkBytes)

  const fill = () => {
    for (let i = 0; i < 100; i++) {
      expect(socket.send(payload(i))).toBe(false)
      expect(socket.queuedBytes).toBeLessThanOrEqual(MAX_BYTES)
    }
  }
  expect(fill).toThrow(SocketError)
  const { queuedBytes, queuedMessages } = socket
  expect(() => socket.send(payload(0))).toThrow(expect.objectContaining({ code: 'queue-full' }))
  expect([socket.queuedBytes, socket.queuedMessages]).toEqual([queuedBytes, queuedMessages])

  const drained = expect(socket.drained()).rejects.toMatchObject({ code: 'closed' })
  const { undelivered } = await socket.close()
  expect(undelivered.filter(({ code }) => code === 'closed')).toHaveLength(queuedMessages)
  // What the WebSocket still held is older
  const unsure = undelivered.slice(0, -queuedMessages)
  expect(unsure.length).toBeGreaterThan(0)
  expect(unsure.every(({ code, certain }) => code === 'uncertain' && !certain)).toBe(true)
  await drained
  expect(socket.queuedBytes).toBe(0)
}, 20_000)

test('a server that reads again gets all of it, once and in order', async () => {
  const server = await serve('sink')
  const proxy = await proxied(server)
  const socket = connect(proxy.url, { codec: text(), queue: QUEUE })
  const drains = collect(socket, 'drain')
  await until(socket, 'open')
  proxy.stall('up')
  const sent = await sendUntilStuck(socket)
  const before = drains.length
  const drain = next(socket, 'drain')
  proxy.resume()
  await drain
  expect(drains.length).toBeGreaterThan(before)
  await vi.waitFor(() => expect(server.received.length).toBe(sent), 10_000)
  expect(server.received.map(message => Number(message.split(':')[0]))).toEqual(
    Array.from({ length: sent }, (_, i) => i),
  )
  expect(socket.queuedBytes).toBe(0)
}, 20_000)

test(
  `while a server does not read for ${SECONDS} s and the application goes on sending, memory stays in bounds`,
  async () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    /** Of the heap, and of the buffers outside of it. */
    const memory = () => {
      gc()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const server = await serve('sink')
    const proxy = await proxied(server)
    const queue = { maxMessages: 1_000_000, maxBytes: 4 * MAX_BYTES, highWaterMarkBytes: MAX_BYTES }
    const socket = connect<string, string>(proxy.url, { codec: text(), queue })
    const undelivered = collect(socket, 'undelivered')
    await until(socket, 'open')
    proxy.stall('up')
    const before = memory()
    let [accepted, refused, falses, most] = [0, 0, 0, 0]
    const stalledAt = performance.now()
    while (performance.now() - stalledAt < SECONDS * 1_000) {
      try {
        for (let n = 0; n < 500; n++) {
          if (!socket.send(`${accepted}:`.padEnd(1_000, 'x'))) falses++
          accepted++
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'queue-full' })
        refused++
        most = Math.max(most, memory() - before)
      }
      await quiet(5)
    }
    const drains = collect(socket, 'drain')
    expect(falses).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
    expect(most).toBeLessThan(queue.maxBytes + queue.highWaterMarkBytes + MARGIN_BYTES)
    proxy.resume()
    await vi.waitFor(() => expect(server.received.length).toBe(accepted), 20_000)
    expect(server.received.map(message => Number.parseInt(message, 10))).toEqual(
      Array.from({ length: accepted }, (_, n) => n),
    )
    expect(drains).toHaveLength(1)
    expect(undelivered).toEqual([])
    if (process.env.SECONDS)
      console.log(
        `Node: ${(most / MAX_BYTES).toFixed(1)} MiB at most while the server did not read for ${SECONDS} s`,
      )
  },
  SECONDS * 1_000 + 40_000,
)
