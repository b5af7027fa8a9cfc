/** Receivers that are slower than the sender. */

import { expect, test, vi } from 'vitest'
import { type ReconnectingSocket, SocketError, text } from '../../src/index'
import { collect, next, quiet, until } from '../support/events'
import { connect, proxied, serve } from './rig'

const MAX_BYTES = 1_048_576
const QUEUE = { maxBytes: MAX_BYTES, highWaterMarkBytes: 262_144 }
/** What a send buffer and a receive buffer of the kernel can be made to take, several times over. */
const FAR_TOO_MUCH = 128 * 2 ** 20

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
