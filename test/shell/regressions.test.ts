/** Bugs that a review found: each of these failed once. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { type CloseEvent, json, type ReconnectingSocket, text } from '../../src/index'
import { systemClock } from '../../src/platform/clock'
import { FakeWebSocket } from '../support/fake-websocket'
import { create, opened, pass, reported, useFakes } from '../support/shell'

useFakes()
// What is reported on the way is not what these are about
afterEach(() => void reported.splice(0))

describe('maxElapsedMs counts the outage, not what came before it', () => {
  test('not the time that it took to find out', async () => {
    const socket = await opened({ codec: text(), maxElapsedMs: 30_000, heartbeat: { message: 'ping' } })
    for (let n = 0; n < 10; n++) {
      await pass(10_000)
      FakeWebSocket.last.receive('1')
    }
    await pass(36_500)
    expect(FakeWebSocket.all.length).toBe(2)
    expect(socket.state.name).toBe('connecting')
  })

  test('not the time that the page was away', async () => {
    const socket = await opened({ maxElapsedMs: 60_000 })
    FakeWebSocket.last.end()
    window.dispatchEvent(new Event('pagehide'))
    await pass(600_000)
    window.dispatchEvent(new Event('pageshow'))
    await pass()
    FakeWebSocket.last.fail()
    expect(socket.state.name).toBe('waiting')
  })

  test('being offline does not use it up, nor goes beyond it', async () => {
    const onLine = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    const socket = await opened({ maxElapsedMs: 20_000, minUptimeMs: 1 })
    await pass(100)
    FakeWebSocket.last.end()
    expect(socket.state.name).toBe('waiting')
    window.dispatchEvent(new Event('offline'))
    await pass(20_000)
    expect(FakeWebSocket.all).toHaveLength(2)
    onLine.mockRestore()
  })
})

describe('what others throw does not stop the machine', () => {
  test('a WebSocket that throws while the queue is flushed: nothing is lost', async () => {
    const socket = create({ codec: text() })
    socket.send('a')
    await pass()
    const { last } = FakeWebSocket
    const send = vi.spyOn(last, 'send').mockImplementationOnce(() => {
      throw new Error('full')
    })
    last.accept()
    expect(socket.state.name).toBe('open')
    socket.send('b')
    await pass(100)
    send.mockRestore()
    expect(last.sent).toEqual(['a', 'b'])
    expect(reported).toHaveLength(1)
    const closed = socket.close()
    last.end(1005, '', true)
    expect((await closed).undelivered).toEqual([])
  })

  test('a page that throws', async () => {
    let broken = true
    const online = () => {
      if (broken) throw new Error('page')
      return true
    }
    const socket = create({ platform: { page: { online, listen: () => () => {} } } })
    broken = false
    socket.reconnect()
    await pass()
    FakeWebSocket.last.accept()
    expect(socket.state.name).toBe('open')
  })

  test('a reportError that throws', async () => {
    vi.stubGlobal('reportError', () => {
      throw new Error('report')
    })
    const thrown: (() => void)[] = []
    vi.stubGlobal('queueMicrotask', (task: () => void) => thrown.push(task))
    const socket = await opened()
    const told = vi.fn()
    socket.on('message', () => {
      throw new Error('listener')
    })
    socket.on('message', told)
    FakeWebSocket.last.receive('1')
    FakeWebSocket.last.receive('2')
    expect(told).toHaveBeenCalledTimes(2)
    expect(thrown).toHaveLength(2)
  })

  test.each([Object.create(null), Symbol('s'), undefined])(
    'a provider that throws what has no text',
    async cause => {
      const socket = create({}, () => Promise.reject(cause))
      const errors: unknown[] = []
      socket.on('error', error => errors.push(error))
      await pass()
      expect(errors).toEqual([expect.objectContaining({ code: 'provider', cause })])
      expect(socket.state.name).toBe('waiting')
    },
  )

  test('two providers that fail at once, one of them synchronously: no rejection is left over', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const protocols = () => {
      throw new Error('protocols')
    }
    const socket = create({ protocols }, () => Promise.reject(new Error('url')))
    socket.on('error', () => {})
    await pass()
    vi.useRealTimers()
    await new Promise(resolve => setTimeout(resolve))
    vi.useFakeTimers()
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    socket.close()
  })
})

describe('close() from where user code runs within a step', () => {
  test('in a handshake: it answers when it is done, with what was undelivered', async () => {
    let closed: ReturnType<ReconnectingSocket['close']> | undefined
    const socket: ReconnectingSocket = create({
      handshake() {
        closed = socket.close()
      },
    })
    socket.send('a')
    await pass()
    FakeWebSocket.last.accept()
    await pass()
    expect(await closed).toMatchObject({ undelivered: [{ message: 'a', code: 'closed', certain: true }] })
  })

  test('in encode: the message is refused, and not kept for later', async () => {
    const socket: ReconnectingSocket = create({
      codec: {
        ...json(),
        encode() {
          socket.close()
          return 'x'
        },
      },
    })
    expect(() => socket.send('a')).toThrow(expect.objectContaining({ code: 'closed' }))
    expect(socket.queuedMessages).toBe(0)
  })

  test('in the constructor of a WebSocket: it is closed again', async () => {
    const controller = new AbortController()
    class Aborting extends FakeWebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols)
        controller.abort()
      }
    }
    const socket = create({ WebSocket: Aborting, signal: controller.signal })
    await pass()
    expect(socket.state.name).toBe('closed')
    expect(FakeWebSocket.live).toBe(0)
  })

  test.each([['3000'], [3000.5], [null]])(
    'a code that is no number (%j) is refused before it reaches the WebSocket',
    async code => {
      const socket = await opened()
      expect(() => socket.close(code as number)).toThrow(expect.objectContaining({ code: 'invalid-option' }))
      expect(socket.state.name).toBe('open')
    },
  )
})

test('a provider is not asked for an attempt that is over already', async () => {
  const provider = vi.fn(() => 'ws://a.test')
  create({}, provider).close()
  const socket = create({}, provider)
  socket.reconnect()
  socket.reconnect()
  await pass()
  expect(provider).toHaveBeenCalledTimes(1)
})

test('online asks again after an answer, without waiting for the deadline of the last question', async () => {
  await opened({ codec: text(), heartbeat: { message: 'ping' } })
  const { last } = FakeWebSocket
  window.dispatchEvent(new Event('online'))
  await pass(50)
  last.receive('ping')
  await pass(1_000)
  window.dispatchEvent(new Event('online'))
  expect(last.sent).toEqual(['ping', 'ping'])
})

test('drained() after close() and connect() knows of an empty queue', async () => {
  const socket = create({ queue: { maxMessages: 2 } })
  expect(socket.send(1)).toBe(false)
  socket.close()
  socket.connect()
  const drained = vi.fn()
  socket.drained().then(drained)
  await pass()
  expect(drained).toHaveBeenCalled()
})

test('drained() knows that drop-oldest has made room', async () => {
  const socket = create({
    codec: text(),
    queue: { maxBytes: 100, highWaterMarkBytes: 50, overflow: 'drop-oldest' },
  })
  expect(socket.send('x'.repeat(90))).toBe(false)
  expect(socket.send('y'.repeat(20))).toBe(true)
  const drained = vi.fn()
  socket.drained().then(drained)
  await pass()
  expect(drained).toHaveBeenCalled()
})

test('a queue smaller than the high-water mark asks to wait before it is full', () => {
  const socket = create({ codec: text(), queue: { maxBytes: 1_000 } })
  expect([400, 400].map(bytes => socket.send('x'.repeat(bytes)))).toEqual([true, false])
})

test('a Buffer that a codec uses again does not leak into what is queued', async () => {
  const buffer = Buffer.alloc(1)
  const socket = create<unknown, number>({
    codec: {
      encode(n) {
        buffer[0] = n
        return buffer
      },
      decode: data => data,
    },
  })
  for (const n of [1, 2, 3]) socket.send(n)
  await pass()
  FakeWebSocket.last.accept()
  expect(FakeWebSocket.last.sent.map(data => Number(data[0]))).toEqual([1, 2, 3])
})

test('a large message that is on its way is not taken for silence', async () => {
  const socket = await opened({ codec: text(), heartbeat: { message: 'ping' } })
  const { last } = FakeWebSocket
  for (last.bufferedAmount = 8e6; last.bufferedAmount > 0; last.bufferedAmount -= 1e5) await pass(1_000)
  expect(socket.state.name).toBe('open')
  await pass(40_000)
  expect(socket.state.name).not.toBe('open')
})

test('a large message that is stuck is', async () => {
  const socket = await opened({ codec: text(), heartbeat: { message: 'ping' } })
  FakeWebSocket.last.bufferedAmount = 8e6
  await pass(36_000)
  expect(socket.state.name).not.toBe('open')
})

test('what a dead path still swallows is life for no longer than it does', async () => {
  const socket = await opened({ codec: text(), heartbeat: { message: 'ping' } })
  const { last } = FakeWebSocket
  last.bufferedAmount = 8e6
  socket.send('waits')
  await pass(25_500)
  // Into the buffers of the kernel, until they are full
  last.bufferedAmount = 4e6
  await pass(36_000)
  expect(socket.state.name).not.toBe('open')
})

// Firefox and WebKit, several times in a second: what is sent is counted at once, and what left a little later
test('that a trickle leaves for the buffers of the kernel is no life', async () => {
  const socket = await opened({ codec: text(), heartbeat: { message: 'ping' } })
  const { last } = FakeWebSocket
  for (let at = 0; at < 36_000; at += 50) {
    last.bufferedAmount = 200
    socket.send('x'.repeat(100))
    last.bufferedAmount = 100
    await pass(50)
  }
  expect(socket.state.name).not.toBe('open')
})

// Of Node and Deno, which warn of it: a deadline that passed while we looked at the clock twice
test('no timer is set for less than nothing', () => {
  const setTimeout = vi.spyOn(globalThis, 'setTimeout')
  const { clearTimeout, setTimeout: wait } = systemClock()
  for (const ms of [-0.002, -5, 7]) clearTimeout(wait(() => {}, ms))
  expect(setTimeout.mock.calls.map(([, ms]) => ms)).toEqual([0, 0, 7])
})

test('a round trip begins with the first question that was not answered', async () => {
  const socket = await opened({
    codec: text(),
    heartbeat: { message: 'ping', intervalMs: 1_000, timeoutMs: 1_000 },
  })
  await pass(1_001)
  vi.setSystemTime(Date.now() + 60_000)
  await pass(1_001)
  expect(FakeWebSocket.last.sent).toEqual(['ping', 'ping'])
  FakeWebSocket.last.receive('ping')
  expect(socket.roundTripMs).toBeGreaterThan(60_000)
})

test('messages of a connection that was replaced while they were told are not told on the next one', async () => {
  const socket = create({ codec: text(), handshake: () => {} })
  const told: unknown[] = []
  socket.on('message', message => told.push(message))
  socket.once('open', () => {
    socket.close()
    socket.connect()
  })
  await pass()
  const { last } = FakeWebSocket
  last.accept()
  last.receive('early')
  await pass()
  expect(told).toEqual([])
})

test('shouldRetry cannot wait for ever', async () => {
  const socket = await opened({ shouldRetry: () => Number.POSITIVE_INFINITY })
  FakeWebSocket.last.end()
  await pass(600)
  expect(FakeWebSocket.all).toHaveLength(2)
  expect(socket.state.name).toBe('connecting')
})

test('data that is neither text nor a buffer is reported, not delivered as nothing', async () => {
  const socket = await opened()
  const errors: unknown[] = []
  socket.on('error', error => errors.push(error))
  FakeWebSocket.last.receive(new Blob(['1']))
  expect(errors).toEqual([expect.objectContaining({ code: 'decode' })])
})

test('an error that nobody listens to ends no Node process: without reportError it goes to the console', async () => {
  vi.stubGlobal('reportError', undefined)
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  await opened()
  FakeWebSocket.last.receive('{')
  expect(logged).toHaveBeenCalledWith(expect.objectContaining({ code: 'decode' }))
})

test('retryInMs is a whole number', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.123456)
  const socket = await opened()
  const closes: CloseEvent[] = []
  socket.on('close', event => closes.push(event))
  FakeWebSocket.last.end()
  expect(closes[0]?.retryInMs).toBe(123)
})
