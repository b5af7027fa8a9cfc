/** Connections that are gone without anybody saying so. */

import { describe, expect, test, vi } from 'vitest'
import { text } from '../../src/index'
import { collect, next, until } from '../support/events'
import { connect, proxied, serve } from './rig'

const INTERVAL_MS = 200
const TIMEOUT_MS = 200
const SLACK_MS = 1_000

describe('a half-open connection', () => {
  test('is found by the heartbeat and replaced, and nothing of the old one is heard again', async () => {
    const server = await serve('echo')
    const proxy = await proxied(server)
    const socket = connect(proxy.url, {
      codec: text(),
      heartbeat: { message: 'ping', intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS },
    })
    const messages = collect(socket, 'message')
    await until(socket, 'open')
    const [closed, opened] = [next(socket, 'close'), next(socket, 'open')]

    proxy.zombie()
    const since = performance.now()
    server.send('from the grave')
    const close = await closed
    expect(performance.now() - since).toBeLessThan(INTERVAL_MS + TIMEOUT_MS + SLACK_MS)
    expect(close).toMatchObject({ code: 1006, reason: 'heartbeat timeout', wasOpen: true, local: true })
    expect(await opened).toMatchObject({ reconnected: true })
    expect(proxy.accepted).toBe(2)

    proxy.resume()
    // The old one can now finish its closing handshake: all that it had to say has been said
    await vi.waitFor(() => expect(proxy.connections).toBe(1))
    socket.send('fresh')
    await next(socket, 'message')
    expect(messages).toEqual(['fresh'])
  })

  test.each(['up', 'down'] as const)('is found when only %s is stalled', async direction => {
    const proxy = await proxied(await serve('echo'))
    const socket = connect(proxy.url, {
      codec: text(),
      heartbeat: { message: 'ping', intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS },
    })
    await until(socket, 'open')
    const closed = next(socket, 'close')
    proxy.stall(direction)
    expect(await closed).toMatchObject({ reason: 'heartbeat timeout' })
    proxy.resume()
    await until(socket, 'open')
  })

  test('is found by a watchdog that only listens, and the talking one is left alone', async () => {
    const server = await serve('sink')
    const proxy = await proxied(server)
    const feed = setInterval(() => server.send('tick'), 40)
    try {
      const socket = connect(proxy.url, {
        codec: text(),
        heartbeat: { intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS },
      })
      await until(socket, 'open')
      const [closed, opened] = [next(socket, 'close'), next(socket, 'open')]
      proxy.zombie()
      const since = performance.now()
      expect(await closed).toMatchObject({ reason: 'heartbeat timeout' })
      expect(performance.now() - since).toBeLessThan(INTERVAL_MS + TIMEOUT_MS + SLACK_MS)
      await opened

      const closes = collect(socket, 'close')
      const ticks = collect(socket, 'message')
      // 800 ms of life, twice what silence would be given
      await vi.waitFor(() => expect(ticks.length).toBeGreaterThanOrEqual(20), 4_000)
      expect(closes).toEqual([])
      expect(server.received).toEqual([])
    } finally {
      clearInterval(feed)
    }
  })

  test('that is merely slow is kept', async () => {
    const proxy = await proxied(await serve('echo'))
    proxy.delay(40)
    const socket = connect(proxy.url, {
      codec: text(),
      heartbeat: { message: 'ping', intervalMs: 50, timeoutMs: 1_000 },
    })
    const closes = collect(socket, 'close')
    await vi.waitFor(() => expect(socket.roundTripMs).toBeGreaterThanOrEqual(79))
    expect(closes).toEqual([])
  })
})

describe('a black-holed upgrade', () => {
  test('is given up at connectTimeoutMs, its TCP connection is closed, and the next attempt succeeds', async () => {
    const proxy = await proxied(await serve('echo'))
    proxy.hang()
    const began = performance.now()
    const socket = connect(proxy.url, { connectTimeoutMs: 150, backoff: { baseMs: 200, maxMs: 200 } })
    const closed = next(socket, 'close')
    await vi.waitFor(() => expect(proxy.connections).toBe(1))

    expect(await closed).toMatchObject({ code: 1006, reason: 'connect timeout', wasOpen: false, local: true })
    expect(performance.now() - began).toBeGreaterThanOrEqual(149)
    expect(performance.now() - began).toBeLessThan(150 + SLACK_MS)
    await vi.waitFor(() => expect(proxy.connections).toBe(0), { interval: 5 })

    await proxy.accept()
    await until(socket, 'open')
    expect(proxy.connections).toBe(1)
  })

  test.each(['up', 'down', 'both'] as const)('is given up when %s is stalled', async which => {
    const proxy = await proxied(await serve('echo'))
    proxy.stall(which)
    const socket = connect(proxy.url, { connectTimeoutMs: 100 })
    expect(await next(socket, 'close')).toMatchObject({ reason: 'connect timeout' })
    proxy.resume()
    await until(socket, 'open')
    await vi.waitFor(() => expect(proxy.connections).toBe(1))
  })
})
