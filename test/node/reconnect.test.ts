import { describe, expect, test, vi } from 'vitest'
import type { CloseEvent } from '../../src/index'
import { text } from '../../src/index'
import { collect, next, quiet, until } from '../support/events'
import { connect, LONGER_MS, proxied, serve, serveInProcess } from './rig'

describe('a server process that is killed and started again', () => {
  test('echo: the socket is back by itself, and what was sent meanwhile arrives once and in order', async () => {
    const first = await serveInProcess('echo')
    const socket = connect(first.url, { codec: text() })
    const messages = collect(socket, 'message')
    await until(socket, 'open')
    const closed = next(socket, 'close')
    await first.kill()

    expect(await closed).toMatchObject({ code: 1006, wasOpen: true, wasClean: false, final: false })
    expect((await closed).retryInMs).toBeGreaterThan(0)

    const sent = Array.from({ length: 100 }, (_, i) => `message ${i}`)
    for (const message of sent) socket.send(message)
    const opened = next(socket, 'open')
    await serveInProcess('echo', first.port)
    expect(await opened).toMatchObject({ reconnected: true })

    socket.send('last')
    await vi.waitFor(() => expect(messages).toContain('last'))
    expect(messages).toEqual([...sent, 'last'])
    expect(socket.queuedMessages).toBe(0)
  })

  test('chat: the socket is greeted again, and what it said meanwhile is heard once and in order', async () => {
    const first = await serveInProcess('chat')
    const socket = connect(first.url)
    await until(socket, 'open')
    const closed = next(socket, 'close')
    await first.kill()
    await closed

    const heard = collect(socket, 'message')
    const said = Array.from({ length: 20 }, (_, i) => ({ type: 'say', text: `meanwhile ${i}` }))
    for (const message of said) socket.send(message)
    await serveInProcess('chat', first.port)
    await until(socket, 'open')

    const last = { type: 'say', text: 'last' }
    socket.send(last)
    await vi.waitFor(() => expect(heard).toContainEqual(last))
    expect(heard).toEqual([{ type: 'connected' }, ...said, last])
  })
})

describe('a connection that is cut', () => {
  test.each(['fin', 'rst'] as const)('by %s is replaced', async how => {
    const server = await serve('echo')
    const proxy = await proxied(server)
    const socket = connect(proxy.url, { codec: text() })
    await until(socket, 'open')
    const [closed, opened] = [next(socket, 'close'), next(socket, 'open')]
    proxy.cut(how)
    expect(await closed).toMatchObject({ code: 1006, wasOpen: true, final: false, local: false })
    expect(await opened).toMatchObject({ reconnected: true })
    socket.send('still there')
    expect(await next(socket, 'message')).toBe('still there')
    expect(proxy.accepted).toBe(2)
    expect(proxy.connections).toBe(1)
  })

  test('in the middle of the opening handshake is a failed attempt', async () => {
    const proxy = await proxied(await serve('echo'))
    proxy.hang()
    const socket = connect(proxy.url)
    await vi.waitFor(() => expect(proxy.connections).toBe(1))
    const closed = next(socket, 'close')
    await proxy.accept()
    proxy.cut('rst')
    expect(await closed).toMatchObject({ code: 1006, wasOpen: false })
    await until(socket, 'open')
  })
})

test('a refused connection is tried again, with each failure counted, until it is accepted', async () => {
  const proxy = await proxied(await serve('echo'))
  proxy.refuse()
  const socket = connect(proxy.url)
  const closes = collect(socket, 'close')
  await vi.waitFor(() => expect(closes.length).toBeGreaterThanOrEqual(3))
  for (const close of closes) expect(close).toMatchObject({ code: 1006, wasOpen: false, final: false })
  expect(socket.state.attempt).toBe(closes.length)
  await proxy.accept()
  await until(socket, 'open')
  expect(proxy.accepted).toBe(1)
})

test('a server that opens and closes at once is not hammered: each time counts as one more failure', async () => {
  const server = await serve('echo')
  const socket = connect(server.url)
  const attempts: number[] = []
  for (let i = 0; i < 4; i++) {
    await until(socket, 'open')
    const closed = next(socket, 'close')
    server.closeAll(1000)
    await closed
    attempts.push(socket.state.attempt)
  }
  expect(attempts).toEqual([1, 2, 3, 4])
})

test('after maxAttempts it gives up, and opens nothing more', async () => {
  const proxy = await proxied(await serve('echo'))
  proxy.refuse()
  const socket = connect(proxy.url, { maxAttempts: 3 })
  const closes = collect(socket, 'close')
  await until(socket, 'closed')
  expect(closes.map(({ final }) => final)).toEqual([false, false, true])
  await proxy.accept()
  await quiet(LONGER_MS)
  expect(proxy.accepted).toBe(0)
})

describe('a close code of the server', () => {
  async function closedBy(code: number, reason?: string) {
    const server = await serve('echo')
    const proxy = await proxied(server)
    const socket = connect(proxy.url)
    await until(socket, 'open')
    const closed = next(socket, 'close')
    server.closeAll(code, reason)
    const close: CloseEvent = await closed
    return { proxy, socket, close, at: performance.now() }
  }

  test('1008 is final', async () => {
    const { proxy, socket, close } = await closedBy(1008, 'not you')
    expect(close).toEqual({
      code: 1008,
      reason: 'not you',
      wasClean: true,
      local: false,
      wasOpen: true,
      final: true,
      retryInMs: undefined,
    })
    expect(socket.state.name).toBe('closed')
    expect(() => socket.send('x')).toThrow(expect.objectContaining({ code: 'closed' }))
    await quiet(LONGER_MS)
    expect(proxy.accepted).toBe(1)
  })

  test('1013 with a hint waits for as long as it asks', async () => {
    const { socket, close, at } = await closedBy(1013, 'busy, retry=300')
    expect(close).toMatchObject({ code: 1013, final: false })
    expect(close.retryInMs).toBeGreaterThanOrEqual(300)
    expect(close.retryInMs).toBeLessThanOrEqual(360)
    await until(socket, 'open')
    // The moment was noted a little after the wait had begun
    expect(performance.now() - at).toBeGreaterThanOrEqual(295)
  })

  test.each([1000, 1001, 1011, 4000])('%i is tried again', async code => {
    const { socket, close } = await closedBy(code)
    expect(close).toMatchObject({ code, wasClean: true, final: false })
    await until(socket, 'open')
  })

  test('is what shouldRetry decides by, if there is one', async () => {
    const server = await serve('echo')
    const socket = connect(server.url, { shouldRetry: ({ code }) => code !== 4001 })
    await until(socket, 'open')
    server.closeAll(1008)
    await until(socket, 'waiting')
    await until(socket, 'open')
    server.closeAll(4001)
    await until(socket, 'closed')
  })
})
