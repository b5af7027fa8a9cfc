import { beforeEach, describe, expect, test, vi } from 'vitest'
import { type LogRecord, ReconnectingSocket, userTiming } from '../../src/index'
import { FakeWebSocket } from '../support/fake-websocket'
import { create, opened, pass, reported, useFakes } from '../support/shell'

useFakes()

const BEAT = { message: 'ping', intervalMs: 1_000, timeoutMs: 500 }

/** The next heartbeat is answered after this long. */
async function answer(ms: number) {
  await vi.advanceTimersByTimeAsync(1_001)
  await vi.advanceTimersByTimeAsync(ms)
  FakeWebSocket.last.receive('"ping"')
}

describe('stats()', () => {
  test('of a socket that has done nothing', () => {
    expect(create({ autoConnect: false }).stats()).toEqual({
      connection: expect.stringMatching(/^\w+\.0$/),
      messagesIn: 0,
      bytesIn: 0,
      messagesOut: 0,
      bytesOut: 0,
      queuedMessages: 0,
      queuedBytes: 0,
      attempts: 0,
      opens: 0,
      uptimeMs: 0,
      roundTrip: undefined,
      stateMs: { idle: 0 },
      undelivered: {},
    })
  })

  test('counts messages and UTF-8 bytes, in, out and waiting', async () => {
    const socket = create()
    socket.send('é')
    expect(socket.stats()).toMatchObject({ queuedMessages: 1, queuedBytes: 4, messagesOut: 0 })
    await pass()
    FakeWebSocket.last.accept()
    socket.send('😀')
    FakeWebSocket.last.receive('"€"')
    FakeWebSocket.last.receive(new TextEncoder().encode('1').buffer)
    expect(socket.stats()).toMatchObject({
      queuedMessages: 0,
      queuedBytes: 0,
      messagesOut: 2,
      bytesOut: 4 + 6,
      messagesIn: 2,
      bytesIn: 5 + 1,
    })
  })

  test('counts what cannot be decoded, what a handshake says, and heartbeats: they were on the wire', async () => {
    const socket = create({
      heartbeat: BEAT,
      async handshake({ send, receive }) {
        send(1)
        await receive()
      },
    })
    socket.on('error', () => {})
    await pass()
    FakeWebSocket.last.accept()
    await pass()
    FakeWebSocket.last.receive('2')
    await pass()
    FakeWebSocket.last.receive('{')
    await answer(10)
    expect(socket.stats()).toMatchObject({ messagesOut: 2, bytesOut: 7, messagesIn: 3, bytesIn: 8 })
  })

  test('counts attempts and opens, and knows how long it has been up', async () => {
    const socket = await opened()
    await vi.advanceTimersByTimeAsync(100)
    expect(socket.stats()).toMatchObject({ attempts: 1, opens: 1 })
    expect(socket.stats().uptimeMs).toBeCloseTo(100)
    FakeWebSocket.last.end()
    await pass(500)
    FakeWebSocket.last.fail()
    expect(socket.stats()).toMatchObject({ attempts: 2, opens: 1, uptimeMs: 0 })
  })

  test('knows the time spent in each state, the present one included', async () => {
    const socket = create({ backoff: { baseMs: 400, maxMs: 400 } })
    await vi.advanceTimersByTimeAsync(50)
    FakeWebSocket.last.accept()
    await vi.advanceTimersByTimeAsync(200)
    FakeWebSocket.last.end()
    await vi.advanceTimersByTimeAsync(100)
    const { stateMs } = socket.stats()
    expect(Object.entries(stateMs).map(([name, ms]) => [name, Math.round(ms)])).toEqual([
      ['idle', 0],
      ['connecting', 50],
      ['open', 200],
      ['waiting', 100],
    ])
  })

  test('measures round trips: the last, the smoothed, and what half and all but a twentieth stay below', async () => {
    const socket = await opened({ heartbeat: BEAT })
    for (let ms = 1; ms <= 100; ms++) await answer(ms)
    const { roundTrip } = socket.stats()
    expect(socket.roundTripMs).toBe(roundTrip?.lastMs)
    // A clock of whole ms, and a timer that is up to one ms late
    expect(roundTrip?.lastMs).toBeGreaterThan(99)
    expect(roundTrip?.lastMs).toBeLessThan(102)
    expect((roundTrip?.lastMs ?? 0) - (roundTrip?.p50Ms ?? 0)).toBeCloseTo(50)
    expect((roundTrip?.lastMs ?? 0) - (roundTrip?.p95Ms ?? 0)).toBeCloseTo(5)
    // In steps of one, an average with the weight 1/8 lags behind by 7
    expect((roundTrip?.lastMs ?? 0) - (roundTrip?.smoothedMs ?? 0)).toBeCloseTo(7, 3)
  })

  test('counts what was undelivered, by reason', async () => {
    const socket = create({ queue: { maxMessages: 2, overflow: 'drop-oldest' } })
    for (let n = 0; n < 5; n++) socket.send(n)
    await socket.close()
    expect(socket.stats().undelivered).toEqual({ 'queue-full': 3, closed: 2 })
  })

  test('is a snapshot', async () => {
    const socket = await opened()
    const before = socket.stats()
    const copy = structuredClone(before)
    socket.send(1)
    await pass(100)
    expect(before).toEqual(copy)
  })
})

describe('transitions', () => {
  test('tell what was, what happened, what became of it, and why', async () => {
    const socket = await opened()
    FakeWebSocket.last.end(1012, 'restart', true)
    socket.close(4000, 'enough')
    const [first, ...rest] = socket.transitions
    expect(first).toEqual({
      from: 'idle',
      event: 'connect',
      to: 'connecting',
      reason: '',
      attempt: 0,
      at: expect.any(Number),
    })
    expect(rest).toMatchObject([
      { from: 'connecting', event: 'opened', to: 'open', reason: '' },
      { from: 'open', event: 'dropped', to: 'waiting', reason: '1012 restart', attempt: 1 },
      { from: 'waiting', event: 'close', to: 'closed', reason: '4000 enough', attempt: 1 },
    ])
  })

  test('are the last 100, without the beats of a heart, and a snapshot', async () => {
    const socket = await opened({ heartbeat: BEAT })
    for (let beat = 0; beat < 10; beat++) await answer(10)
    const before = socket.transitions
    expect(before).toHaveLength(2)
    for (let n = 0; n < 150; n++) socket.reconnect()
    expect(before).toHaveLength(2)
    expect(socket.transitions).toHaveLength(100)
    expect(socket.transitions.every(({ event }) => event === 'reconnect')).toBe(true)
  })

  test('go through JSON as they are, and so do stats: a bug report', async () => {
    const socket = await opened({ heartbeat: BEAT })
    await answer(10)
    const report = { stats: socket.stats(), transitions: socket.transitions }
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })
})

describe('the log', () => {
  test('is silent by default', async () => {
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map(level => vi.spyOn(console, level))
    await opened({ heartbeat: BEAT })
    FakeWebSocket.last.end()
    await pass(5_000)
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  })

  test('is told each step, heartbeat, error and loss, with the connection that it was', async () => {
    const records: LogRecord[] = []
    const socket = create({
      heartbeat: BEAT,
      log: record => records.push(record),
      backoff: { baseMs: 100, maxMs: 100 },
    })
    socket.on('error', () => {})
    await pass()
    FakeWebSocket.last.accept()
    FakeWebSocket.last.receive('{')
    await answer(10)
    FakeWebSocket.last.end(1006)
    socket.send('lost')
    await pass(150)
    await socket.close()
    const [id = '', ...others] = new Set(records.map(({ connection }) => connection.split('.')[0]))
    expect(others).toEqual([])
    expect(id).toMatch(/^\w+$/)
    expect(records.every(({ at }) => Number.isInteger(at))).toBe(true)
    const said = records.map(({ at, connection, ...said }) => [connection.slice(id.length + 1), said])
    expect(said).toMatchObject([
      ['0', { type: 'transition', from: 'idle', to: 'connecting' }],
      ['1', { type: 'transition', from: 'connecting', to: 'open' }],
      ['1', { type: 'error', code: 'decode', message: expect.stringMatching(/^decode: /) }],
      ['1', { type: 'ping' }],
      ['1', { type: 'pong', roundTripMs: expect.any(Number) }],
      ['1', { type: 'transition', to: 'waiting', reason: '1006' }],
      ['1', { type: 'transition', from: 'waiting', event: 'deadline', to: 'connecting' }],
      ['2', { type: 'transition', event: 'close', to: 'closed' }],
      ['2', { type: 'undelivered', code: 'closed', certain: true }],
    ])
  })

  test('may call the socket back, and may throw: that is reported, and the machine goes on', async () => {
    const socket: ReconnectingSocket = create({
      log(record) {
        if (record.type !== 'transition' || record.to !== 'open') return
        socket.send('from the log')
        throw new Error('log failed')
      },
    })
    await pass()
    FakeWebSocket.last.accept()
    await pass()
    expect(FakeWebSocket.last.sent).toEqual(['"from the log"'])
    expect(reported.splice(0)).toEqual([new Error('log failed')])
    expect(socket.state.name).toBe('open')
  })
})

test('no two sockets have the same id', () => {
  vi.mocked(Math.random).mockRestore()
  const ids = Array.from(
    { length: 1_000 },
    () => new ReconnectingSocket('ws://server.test', { autoConnect: false }).stats().connection,
  )
  expect(new Set(ids).size).toBe(1_000)
})

describe('userTiming()', () => {
  const measured: [string, PerformanceMeasureOptions][] = []
  beforeEach(() => {
    measured.length = 0
    vi.spyOn(performance, 'measure').mockImplementation((name, options) => {
      measured.push([name, options as PerformanceMeasureOptions])
      return {} as PerformanceMeasure
    })
  })

  test('draws each state that has ended as a span on the track of its socket, without a gap', async () => {
    const socket = create({ log: userTiming(), heartbeat: BEAT })
    await pass(50)
    FakeWebSocket.last.accept()
    await answer(10)
    FakeWebSocket.last.end(1012, 'restart')
    const { connection } = socket.stats()
    expect(measured.map(([name]) => name)).toEqual(['idle', 'connecting', 'open'])
    for (const [at, [, { start }]] of measured.entries())
      expect(start).toBe(measured[at - 1]?.[1].end ?? start)
    expect(measured[2]?.[1].detail).toEqual({
      devtools: {
        dataType: 'track-entry',
        trackGroup: 'reconnecting-socket',
        track: `WebSocket ${connection.split('.')[0]}`,
        color: 'primary',
        tooltipText: 'open until dropped',
        properties: [
          ['connection', connection],
          ['next', 'waiting'],
          ['reason', '1012 restart'],
        ],
      },
    })
  })
})

test('userTiming() leaves nothing in the list of measures, which would grow for ever', async () => {
  vi.useRealTimers()
  const draw = userTiming()
  const seen: string[] = []
  const observer = new PerformanceObserver(list => {
    for (const { name } of list.getEntries()) seen.push(name)
  })
  observer.observe({ entryTypes: ['measure'] })
  draw({
    type: 'transition',
    connection: 'a.1',
    from: 'connecting',
    event: 'opened',
    to: 'open',
    reason: '',
    attempt: 0,
    at: 0,
  })
  expect(performance.getEntriesByType('measure')).toEqual([])
  await vi.waitFor(() => expect(seen).toEqual(['connecting']))
  observer.disconnect()
  vi.useFakeTimers()
})
