import { describe, expect, test, vi } from 'vitest'
import { json, type ReconnectingSocket, type SendOptions, SocketError, text } from '../../src/index'
import { collect } from '../support/events'
import { FakeWebSocket } from '../support/fake-websocket'
import { create, opened, pass, reported, useFakes } from '../support/shell'

useFakes()

const last = () => FakeWebSocket.last

/** How a promise has settled so far: its value, the code of its error, or `pending`. */
function fate(promise: Promise<unknown>) {
  const fate = { now: 'pending' }
  promise.then(
    value => {
      fate.now = String(value)
    },
    (error: SocketError) => {
      fate.now = error.code
    },
  )
  return fate
}

/** An open socket whose WebSocket takes one message and then has no room. */
async function full(options: object = {}) {
  const socket = await opened<string, string>({
    codec: text(),
    queue: { highWaterMarkBytes: 10 },
    ...options,
  })
  socket.send('x'.repeat(10))
  last().bufferedAmount = 10
  return socket
}

/** The server takes all that the WebSocket holds. */
async function drain() {
  last().bufferedAmount = 0
  await pass(50)
}

describe('ttlMs', () => {
  test('drops what has waited for too long, on time, and tells', async () => {
    const socket = create({ codec: text() })
    const undelivered = collect(socket, 'undelivered')
    socket.send('stale', { ttlMs: 100 })
    socket.send('late', { ttlMs: 200 })
    socket.send('for ever')
    await pass(99)
    expect(undelivered).toEqual([{ message: 'stale', code: 'expired', certain: true }])
    await pass(100)
    expect(undelivered).toHaveLength(2)
    last().accept()
    expect(last().sent).toEqual(['for ever'])
  })

  test('drops it behind a timer that is late, too: what is stale is never sent', async () => {
    const socket = create({ codec: text() })
    const undelivered = collect(socket, 'undelivered')
    socket.send('stale', { ttlMs: 100 })
    socket.send('fresh', { ttlMs: 10_000 })
    await pass()
    vi.setSystemTime(Date.now() + 5_000)
    last().accept()
    expect(last().sent).toEqual(['fresh'])
    expect(undelivered).toMatchObject([{ message: 'stale', code: 'expired' }])
  })

  test('lets go what can go at once, even for 0 ms, and makes room for others', async () => {
    const socket = await opened({ codec: text() })
    socket.send('now', { ttlMs: 0 })
    expect(last().sent).toEqual(['now'])
    const waiting = create({ codec: text(), queue: { maxMessages: 1 } })
    waiting.send('old', { ttlMs: 100 })
    vi.setSystemTime(Date.now() + 5_000)
    waiting.send('new')
    expect([...waiting.queue]).toEqual(['new'])
  })

  test.each([-1, Number.NaN, '5'])('refuses %s', ttlMs => {
    const socket = create()
    expect(() => socket.send('x', { ttlMs: ttlMs as number })).toThrow(/^send\.ttlMs: expected 0 to Infinity/)
    expect(socket.queuedMessages).toBe(0)
  })

  test('of a message that has gone leaves nothing to drop', async () => {
    const socket = await opened({ codec: text() })
    const undelivered = collect(socket, 'undelivered')
    socket.send('now', { ttlMs: 100 })
    await pass(500)
    expect(undelivered).toEqual([])
  })
})

describe('key', () => {
  test('keeps the latest of those that wait, in the place of the first', async () => {
    const socket = create({ codec: json() })
    const undelivered = collect(socket, 'undelivered')
    socket.send({ x: 1 }, { key: 'cursor' })
    socket.send('click')
    socket.send({ x: 2 }, { key: 'cursor' })
    socket.send({ x: 3 }, { key: 'cursor' })
    expect(undelivered).toEqual([
      { message: { x: 1 }, code: 'replaced', certain: true },
      { message: { x: 2 }, code: 'replaced', certain: true },
    ])
    await pass()
    last().accept()
    expect(last().sent).toEqual(['{"x":3}', '"click"'])
    socket.send({ x: 4 }, { key: 'cursor' })
    expect(last().sent.at(-1)).toBe('{"x":4}')
    expect(undelivered).toHaveLength(2)
  })

  test('makes no room where there is none to make: a full queue still takes the latest', () => {
    const socket = create({ queue: { maxMessages: 2 } })
    socket.send(1, { key: 'a' })
    socket.send(2)
    expect(() => socket.send(3)).toThrow(expect.objectContaining({ code: 'queue-full' }))
    socket.send(4, { key: 'a' })
    expect([...socket.queue]).toEqual([4, 2])
  })
})

describe('signal', () => {
  test('takes back what waits, and only that', async () => {
    const socket = create({ codec: text() })
    const undelivered = collect(socket, 'undelivered')
    const [first, second] = [new AbortController(), new AbortController()]
    socket.send('a', { signal: first.signal })
    socket.send('b', { signal: second.signal })
    first.abort()
    expect(undelivered).toEqual([{ message: 'a', code: 'aborted', certain: true }])
    await pass()
    last().accept()
    second.abort()
    expect(last().sent).toEqual(['b'])
    expect(undelivered).toHaveLength(1)
  })

  test('that has aborted makes send throw, with the reason as cause', () => {
    const socket = create()
    const signal = AbortSignal.abort('why')
    expect(() => socket.send(1, { signal })).toThrow(
      expect.objectContaining({ code: 'aborted', cause: 'why' }),
    )
    expect(socket.queuedMessages).toBe(0)
  })

  test('is let go when its message is settled, however that is', async () => {
    const { signal } = new AbortController()
    const [add, remove] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')]
    const socket = create({ codec: text(), queue: { maxMessages: 3 } })
    socket.send('expires', { signal, ttlMs: 10 })
    socket.send('is replaced', { signal, key: 'k' })
    socket.send('replaces', { signal, key: 'k' })
    socket.send('is sent', { signal })
    expect(() => socket.send('is refused', { signal })).toThrow()
    socket.send('is volatile', { signal, volatile: true })
    await pass(50)
    last().accept()
    await pass(50)
    expect(add).toHaveBeenCalledTimes(6)
    expect(new Set(remove.mock.calls.map(([, listener]) => listener)).size).toBe(6)
  })
})

describe('volatile', () => {
  test('goes at once, or not at all', async () => {
    const socket = await full()
    const undelivered = collect(socket, 'undelivered')
    expect(socket.send('too much', { volatile: true })).toBe(true)
    expect(undelivered).toEqual([{ message: 'too much', code: 'volatile', certain: true }])
    await drain()
    socket.send('fits', { volatile: true })
    expect(last().sent.at(-1)).toBe('fits')
    last().end()
    socket.send('not open', { volatile: true })
    expect(undelivered).toHaveLength(2)
    expect(socket.queuedMessages).toBe(0)
  })

  test('never overtakes what waits', async () => {
    const socket = await full()
    socket.send('waits')
    last().bufferedAmount = 0
    socket.send('volatile', { volatile: true })
    await pass(50)
    expect(last().sent.slice(1)).toEqual(['waits'])
  })
})

describe('deliver()', () => {
  test('is written once the WebSocket holds it no longer', async () => {
    const socket = await full()
    const fates = [fate(socket.deliver('a')), fate(socket.deliver('b'))]
    await pass(50)
    expect(fates).toEqual([{ now: 'pending' }, { now: 'pending' }])
    // Room for what waited, but it is still on its way
    last().bufferedAmount = 2
    await pass(50)
    expect(last().sent.slice(1)).toEqual(['a', 'b'])
    expect(fates).toEqual([{ now: 'pending' }, { now: 'pending' }])
    last().bufferedAmount = 1
    await pass(50)
    expect(fates).toEqual([{ now: 'written' }, { now: 'pending' }])
    await drain()
    expect(fates).toEqual([{ now: 'written' }, { now: 'written' }])
  })

  test('is written too if it is empty', async () => {
    const socket = await opened({ codec: text() })
    const empty = fate(socket.deliver(''))
    await pass(50)
    expect(empty.now).toBe('written')
  })

  test('rejects with the reason, and undelivered is not told as well', async () => {
    const controller = new AbortController()
    const socket = await full({ queue: { highWaterMarkBytes: 10, maxMessages: 3, overflow: 'drop-oldest' } })
    const undelivered = collect(socket, 'undelivered')
    const fates = {
      dropped: fate(socket.deliver('dropped')),
      expired: fate(socket.deliver('expired', { ttlMs: 10 })),
      replaced: fate(socket.deliver('replaced', { key: 'k' })),
      replaces: fate(socket.deliver('replaces', { key: 'k' })),
      closed: fate(socket.deliver('closed')),
      volatile: fate(socket.deliver('volatile', { volatile: true })),
    }
    await pass(50)
    const aborted = fate(socket.deliver('aborted', { signal: controller.signal }))
    controller.abort()
    await pass()
    expect(aborted.now).toBe('aborted')
    socket.close()
    last().end(1000, '', true)
    await pass()
    expect(Object.entries(fates).map(([name, { now }]) => [name, now])).toEqual([
      ['dropped', 'queue-full'],
      ['expired', 'expired'],
      ['replaced', 'replaced'],
      ['replaces', 'closed'],
      ['closed', 'closed'],
      ['volatile', 'volatile'],
    ])
    // The first was sent by send, and is still held
    expect(undelivered).toMatchObject([{ message: 'x'.repeat(10), code: 'uncertain' }])
  })

  test('rejects with what send would throw', async () => {
    const socket = create({ queue: { maxMessages: 1 } })
    await expect(socket.deliver(undefined)).rejects.toMatchObject({ code: 'encode' })
    socket.send(1)
    await expect(socket.deliver(2)).rejects.toMatchObject({ code: 'queue-full' })
    await expect(socket.deliver(2, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    })
    socket.close()
    await expect(socket.deliver(3)).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('when a connection dies, what its WebSocket still held', () => {
  test('is told as uncertain, the oldest first; what had left is not', async () => {
    const socket = await opened({ codec: text() })
    const undelivered = collect(socket, 'undelivered')
    for (const message of ['1111', '2222', '3333']) {
      socket.send(message)
      last().bufferedAmount += 4
    }
    last().bufferedAmount = 6
    const delivery = fate(socket.deliver('4444'))
    last().bufferedAmount = 10
    last().end()
    await pass()
    expect(undelivered).toEqual([
      { message: '2222', code: 'uncertain', certain: false },
      { message: '3333', code: 'uncertain', certain: false },
    ])
    expect(delivery.now).toBe('uncertain')
    expect(socket.stats().undelivered).toEqual({ uncertain: 3 })
  })

  test('is sent again by resend, in order, before what waited; and its delivery goes on', async () => {
    const socket = await opened({ codec: text(), resend: 'uncertain', queue: { highWaterMarkBytes: 8 } })
    const undelivered = collect(socket, 'undelivered')
    socket.send('1111')
    const delivery = fate(socket.deliver('2222'))
    last().bufferedAmount = 8
    socket.send('3333')
    last().bufferedAmount = 4
    last().end()
    socket.send('4444')
    await pass(2_000)
    last().accept()
    await pass(50)
    expect(last().sent).toEqual(['2222', '3333', '4444'])
    expect(delivery.now).toBe('written')
    expect(undelivered).toEqual([])
  })

  test('belongs to the result of close(), before what was still queued', async () => {
    const socket = await full()
    socket.send('queued')
    const closing = socket.close()
    last().end(1006)
    const { undelivered } = await closing
    expect(undelivered).toEqual([
      { message: 'x'.repeat(10), code: 'uncertain', certain: false },
      { message: 'queued', code: 'closed', certain: true },
    ])
  })

  test('is none of it if close() was confirmed and nothing was left', async () => {
    const socket = await full()
    const closing = socket.close()
    last().bufferedAmount = 0
    last().end(1005, '', true)
    expect((await closing).undelivered).toEqual([])
  })

  test('is uncertain also when it is sent again and never was', async () => {
    const socket = await full({ resend: 'uncertain' })
    last().end()
    const { undelivered } = await socket.close()
    expect(undelivered).toEqual([{ message: 'x'.repeat(10), code: 'closed', certain: false }])
  })

  test('bytes that their owner uses again are sent again as they were', async () => {
    const bytes = new Uint8Array([1])
    const codec = { encode: () => bytes, decode: (data: unknown) => data }
    const socket = await opened({ codec, resend: 'uncertain' })
    socket.send('x')
    bytes[0] = 2
    last().bufferedAmount = 1
    last().end()
    await pass(2_000)
    last().accept()
    expect(last().sent).toEqual([new Uint8Array([1])])
  })
})

describe('by resend, what may not go again is uncertain instead:', () => {
  /** An open socket whose connection dies while it holds what is sent, and another one. */
  async function lostWith(options: SendOptions, meanwhile = () => {}) {
    const socket = await opened<string, string>({ codec: text(), resend: 'uncertain' })
    const undelivered = collect(socket, 'undelivered')
    socket.send('x', options)
    last().bufferedAmount = 1
    expect(last().sent).toEqual(['x'])
    meanwhile()
    last().end()
    await pass(2_000)
    last().accept()
    expect(last().sent).toEqual([])
    expect(undelivered).toEqual([{ message: 'x', code: 'uncertain', certain: false }])
  }

  test('what is volatile', () => lostWith({ volatile: true }))

  test('what has expired since', () => lostWith({ ttlMs: 0 }))

  test('what was aborted since', () => {
    const controller = new AbortController()
    return lostWith({ signal: controller.signal }, () => controller.abort())
  })
})

test('what is sent again and expires while it waits is told on time', async () => {
  const socket = await opened({ codec: text(), resend: 'uncertain' })
  const undelivered = collect(socket, 'undelivered')
  socket.send('first', { ttlMs: 10 })
  last().bufferedAmount = 5
  socket.send('second', { ttlMs: 100 })
  last().bufferedAmount = 11
  await pass(50)
  last().end()
  await pass(40)
  expect(undelivered).toMatchObject([{ message: 'first', code: 'uncertain' }])
  await pass(10)
  expect(undelivered.slice(1)).toEqual([{ message: 'second', code: 'expired', certain: false }])
})

test('what is volatile and larger than the queue is told once', async () => {
  const socket = await opened({ codec: text(), queue: { maxBytes: 5, overflow: 'drop-newest' } })
  const undelivered = collect(socket, 'undelivered')
  socket.send('123456', { volatile: true })
  expect(undelivered).toEqual([{ message: '123456', code: 'queue-full', certain: true }])
})

test('what a WebSocket refuses is not counted as sent, and goes later unless it is volatile', async () => {
  const socket = await opened({ codec: text() })
  const undelivered = collect(socket, 'undelivered')
  vi.spyOn(last(), 'send').mockImplementation(() => {
    throw new TypeError('not now')
  })
  socket.send('volatile', { volatile: true })
  socket.send('later')
  expect(reported.splice(0)).toHaveLength(2)
  expect(socket.stats().messagesOut).toBe(0)
  expect(undelivered).toMatchObject([{ message: 'volatile', code: 'volatile' }])
  vi.restoreAllMocks()
  await pass(50)
  expect(last().sent).toEqual(['later'])
  expect(socket.stats().messagesOut).toBe(1)
})

test('what was uncertain when an earlier connection died is no part of the result of close()', async () => {
  const socket = await full()
  last().end()
  await pass(2_000)
  last().accept()
  const closing = socket.close()
  last().end(1005, '', true)
  expect((await closing).undelivered).toEqual([])
})

describe('the queue', () => {
  test('can be looked at, in order, without what the WebSocket already has', async () => {
    const socket = await full()
    for (const message of ['a', 'b']) socket.send(message)
    expect([...socket.queue]).toEqual(['a', 'b'])
    expect(socket.bufferedBytes).toBe(12)
    expect(socket.queuedBytes).toBe(2)
  })

  test('can be cleared: all of it is undelivered as aborted, and there is room again', async () => {
    const socket = create({ queue: { maxMessages: 2 } })
    const [undelivered, drains] = [collect(socket, 'undelivered'), collect(socket, 'drain')]
    expect([socket.send(1), socket.send(2)]).toEqual([false, false])
    const delivery = fate(socket.drained())
    expect(socket.queue.clear()).toEqual([
      { message: 1, code: 'aborted', certain: true },
      { message: 2, code: 'aborted', certain: true },
    ])
    await pass()
    expect(undelivered).toHaveLength(2)
    expect(drains).toHaveLength(1)
    expect(delivery.now).toBe('undefined')
    expect(socket.queue.clear()).toEqual([])
  })
})

describe('close({ drain })', () => {
  test('sends what waits first, and takes nothing more', async () => {
    const socket = await full()
    socket.send('a')
    const closing = socket.close({ code: 4000, reason: 'done', drain: true })
    expect(socket.state.name).toBe('open')
    expect(() => socket.send('b')).toThrow(expect.objectContaining({ code: 'closed' }))
    await drain()
    expect(last().sent.at(-1)).toBe('a')
    await drain()
    expect(last().closed).toEqual([[4000, 'done']])
    last().end(4000, 'done', true)
    expect(await closing).toMatchObject({ code: 4000, wasClean: true, undelivered: [] })
  })

  test('connects again if it must', async () => {
    const socket = create({ codec: text() })
    socket.send('a')
    const closing = socket.close({ drain: true })
    await pass()
    last().fail()
    await pass(2_000)
    last().accept()
    await pass(50)
    expect(last().sent).toEqual(['a'])
    last().end(1005, '', true)
    expect((await closing).undelivered).toEqual([])
    expect(socket.state.name).toBe('closed')
  })

  test('closes when timeoutMs is over, and tells what was left', async () => {
    const socket = create({ codec: text() })
    socket.send('a')
    const closing = socket.close({ drain: true, timeoutMs: 500 })
    await pass(490)
    expect(socket.state.name).not.toBe('closed')
    await pass(10)
    expect((await closing).undelivered).toEqual([{ message: 'a', code: 'closed', certain: true }])
  })

  test('with nothing to send closes at once; so it does on a socket that was never started', async () => {
    const socket = await opened()
    socket.close({ drain: true })
    await pass()
    expect(socket.state.name).toBe('closing')
    const idle = create({ autoConnect: false })
    idle.send(1)
    expect((await idle.close({ drain: true })).undelivered).toHaveLength(1)
  })

  test('gives way to a close() without', async () => {
    const socket = create()
    socket.send(1)
    const draining = socket.close({ drain: true })
    const closed = await socket.close(4001, 'now')
    expect(await draining).toEqual(closed)
    expect(closed).toMatchObject({ code: 4001, undelivered: [{ message: 1 }] })
  })

  test('does not close what was connected anew in between', async () => {
    const socket = create()
    const draining = socket.close({ drain: true, timeoutMs: 100 })
    socket.close()
    socket.connect()
    await pass(500)
    last().accept()
    socket.send('alive')
    expect(last().sent).toEqual(['"alive"'])
    socket.close()
    last().end(1005, '', true)
    await draining
  })

  test('ends when the socket gives up', async () => {
    const socket = create({ maxAttempts: 1 })
    socket.send(1)
    const closing = socket.close({ drain: true })
    await pass()
    last().fail()
    expect(await closing).toMatchObject({ code: 1006, undelivered: [{ message: 1, code: 'closed' }] })
  })

  test.each([
    [{ drain: 'yes' }, /^close\.drain: /],
    [{ timeoutMs: 0 }, /^close\.timeoutMs: /],
    [{ code: 1001 }, /^close\.code: /],
    [{ reason: 'é'.repeat(62) }, /^close\.reason: /],
    [{ dran: true }, /^close\.dran: expected nothing by this name/],
  ])('refuses %j', (options, message) => {
    const socket = create()
    expect(() => socket.close(options as object)).toThrow(message)
    expect(() => socket.close(options as object)).toThrow(SocketError)
    expect(socket.state.name).toBe('connecting')
  })
})

describe('the flow', () => {
  test('hands over no more than the high-water mark, but always one message, however large', async () => {
    const socket = create({ codec: text(), queue: { highWaterMarkBytes: 10 } })
    for (const message of ['1234', '5678', '9012', 'x'.repeat(100), 'y']) socket.send(message)
    vi.spyOn(FakeWebSocket.prototype, 'send').mockImplementation(function (this: FakeWebSocket, data) {
      this.sent.push(data)
      this.bufferedAmount += data.length
    })
    await pass()
    last().accept()
    expect(last().sent).toHaveLength(3)
    await drain()
    expect(last().sent).toHaveLength(4)
    await pass(50)
    expect(last().sent).toHaveLength(4)
    await drain()
    expect(last().sent).toHaveLength(5)
    last().bufferedAmount = 0
  })

  test('goes on when a message comes in, without a timer', async () => {
    const socket = await full()
    socket.send('a')
    last().bufferedAmount = 0
    last().receive('anything')
    expect(last().sent.at(-1)).toBe('a')
  })

  test('yields after 8 ms, and goes on in another task', async () => {
    const socket = create({ codec: text(), queue: { maxMessages: 10_000 } })
    for (let n = 0; n < 1_000; n++) socket.send(`${n}`)
    vi.spyOn(FakeWebSocket.prototype, 'send').mockImplementation(function (this: FakeWebSocket, data) {
      this.sent.push(data)
      vi.setSystemTime(Date.now() + 1)
    })
    // A step of the wall clock is only taken as time if it is large: so count in seconds of performance.now
    vi.spyOn(performance, 'now').mockImplementation(() => Date.now())
    await pass()
    last().accept()
    const first = last().sent.length
    expect(first).toBeLessThan(200)
    await pass(50)
    expect(last().sent).toHaveLength(1_000)
    expect(last().sent).toEqual(Array.from({ length: 1_000 }, (_, n) => `${n}`))
  })

  test('looks a thousand times without a timer when timers are throttled, and no more', async () => {
    const socket = await full()
    socket.send('a')
    const reads = vi.fn(() => 10)
    Object.defineProperty(last(), 'bufferedAmount', { get: reads, configurable: true })
    // The next timer is a second late
    vi.setSystemTime(Date.now() + 2_000)
    // Each takes 1 ms of fake time
    await pass(1_500)
    expect(reads.mock.calls.length).toBeGreaterThan(1_000)
    expect(reads.mock.calls.length).toBeLessThan(1_100)
    Object.defineProperty(last(), 'bufferedAmount', { value: 0 })
    await pass(50)
    expect(last().sent.at(-1)).toBe('a')
  })
})

test('a listener of undelivered may send again, and that is told of in turn', async () => {
  const socket: ReconnectingSocket<unknown, number> = create({
    queue: { maxMessages: 2, overflow: 'drop-newest' },
  })
  const lost: number[] = []
  socket.on('undelivered', ({ message }) => {
    lost.push(message)
    if (message > 2 && message < 5) socket.send(message + 1)
  })
  for (const n of [1, 2, 3]) socket.send(n)
  expect(lost).toEqual([3, 4, 5])
  socket.queue.clear()
})
