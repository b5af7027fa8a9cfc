import { describe, expect, test, vi } from 'vitest'
import {
  bytes,
  type CloseEvent,
  FatalError,
  type ReconnectingSocket,
  SocketError,
  type SocketState,
  text,
} from '../../src/index'
import { FakeWebSocket } from '../support/fake-websocket'
import { create, opened, pass, reported, useFakes } from '../support/shell'

const URL_ = 'ws://server.test/'
/** What the listeners were told, in order. */
function record<In, Out>(socket: ReconnectingSocket<In, Out>) {
  const told: [string, unknown][] = []
  for (const name of ['state', 'open', 'message', 'close', 'drain', 'undelivered', 'error'] as const)
    socket.on(name, (event?: unknown) => told.push([name, event]))
  return told
}

useFakes()

describe('connecting', () => {
  test('goes from idle over connecting to open', async () => {
    const socket = create({ autoConnect: false })
    const states: string[] = []
    socket.on('state', (next, previous) => states.push(`${previous.name} → ${next.name}`))
    expect(socket.state).toEqual({ name: 'idle', attempt: 0 })
    socket.connect()
    await pass()
    expect(FakeWebSocket.last).toMatchObject({ url: URL_, protocols: [], binaryType: 'arraybuffer' })
    FakeWebSocket.last.accept()
    expect(states).toEqual(['idle → connecting', 'connecting → open'])
  })

  test('connects by itself, and connect() again does nothing', async () => {
    const socket = await opened()
    socket.connect()
    await pass()
    expect(socket.state.name).toBe('open')
    expect(FakeWebSocket.all).toHaveLength(1)
  })

  test.each([
    ['http://server.test/a?b=1#c', 'ws://server.test/a?b=1'],
    ['https://server.test', 'wss://server.test/'],
    ['/feed', 'ws://localhost:3000/feed'],
    ['feed?x', 'ws://localhost:3000/feed?x'],
    [new URL('wss://server.test/x'), 'wss://server.test/x'],
  ])('%s becomes %s', async (url, expected) => {
    create({}, url)
    await pass()
    expect(FakeWebSocket.last.url).toBe(expected)
  })

  test('a relative URL is resolved once, wherever the page moves', async () => {
    create({}, 'feed')
    history.pushState(null, '', '/deep/page')
    await pass()
    FakeWebSocket.last.fail()
    await pass(1_000)
    expect(FakeWebSocket.all.map(({ url }) => url)).toEqual([
      'ws://localhost:3000/feed',
      'ws://localhost:3000/feed',
    ])
    history.pushState(null, '', '/')
  })

  test('the state is an immutable snapshot, the same until it changes', async () => {
    const socket = await opened()
    const { state } = socket
    expect(socket.state).toBe(state)
    expect(Object.isFrozen(state)).toBe(true)
    FakeWebSocket.last.end()
    expect(state.name).toBe('open')
    expect(socket.state).not.toBe(state)
  })

  test('waiting tells when the next attempt is, on the wall clock', async () => {
    const socket = await opened()
    FakeWebSocket.last.end()
    expect(socket.state).toEqual({
      name: 'waiting',
      attempt: 1,
      retryAt: expect.closeTo(Date.now() + 500, -1),
    })
  })

  test('opened() is fulfilled once open, and at once if so already', async () => {
    const socket = create()
    const done = vi.fn()
    socket.opened().then(done)
    await pass()
    expect(done).not.toHaveBeenCalled()
    FakeWebSocket.last.accept()
    await pass()
    expect(done).toHaveBeenCalledOnce()
    await socket.opened()
  })

  test('opened() rejects when the socket is closed', async () => {
    const socket = create()
    const failed = expect(socket.opened()).rejects.toMatchObject({ code: 'closed' })
    socket.close()
    await failed
    await expect(socket.opened()).rejects.toMatchObject({ code: 'closed' })
  })

  test('an attempt that hangs is given up, closed, and followed by another', async () => {
    const socket = create({ connectTimeoutMs: 3_000 })
    const told = record(socket)
    await pass(3_000)
    expect(FakeWebSocket.all[0]?.closed).toEqual([[]])
    expect(told.at(-1)).toEqual([
      'close',
      {
        code: 1006,
        reason: 'connect timeout',
        wasClean: false,
        local: true,
        wasOpen: false,
        final: false,
        retryInMs: 500,
      },
    ])
    await pass(500)
    expect(FakeWebSocket.all).toHaveLength(2)
    FakeWebSocket.last.accept()
    expect(socket.state.name).toBe('open')
  })

  test('error, then close, is one failed attempt; so is an error that no close follows', async () => {
    const socket = create()
    const closes: CloseEvent[] = []
    socket.on('close', event => closes.push(event))
    await pass()
    FakeWebSocket.last.fail()
    await pass(500)
    expect(closes).toHaveLength(1)
    expect(closes[0]).toMatchObject({ code: 1006, wasOpen: false, local: false, retryInMs: 500 })
    FakeWebSocket.last.error()
    await pass()
    expect(closes).toHaveLength(2)
    expect(socket.state).toMatchObject({ name: 'waiting', attempt: 2 })
  })

  test('close code 0, as Deno says it, is 1006', async () => {
    const socket = await opened()
    const told = record(socket)
    FakeWebSocket.last.end(0)
    expect(told.at(-1)?.[1]).toMatchObject({ code: 1006 })
  })

  test('requested subprotocols must be selected', async () => {
    const socket = create({ protocols: ['a', 'b'] })
    const told = record(socket)
    await pass()
    expect(FakeWebSocket.last.protocols).toEqual(['a', 'b'])
    FakeWebSocket.last.accept('')
    await pass()
    expect(told.at(-1)?.[1]).toMatchObject({
      reason: 'subprotocol not selected',
      wasOpen: false,
      retryInMs: 500,
    })
    await pass(500)
    FakeWebSocket.last.accept('b')
    expect(told.at(-1)).toEqual(['open', { protocol: 'b', reconnected: false, resumed: false }])
  })

  test('2 000 failed attempts in a row: no NaN, no zero delay, no growth', async () => {
    const socket = create({ backoff: { baseMs: 10, maxMs: 50 } })
    const delays: unknown[] = []
    socket.on('close', ({ retryInMs }) => delays.push(retryInMs))
    for (let n = 0; n < 2_000; n++) {
      await pass()
      FakeWebSocket.last.fail()
      FakeWebSocket.all = []
      await pass(50)
    }
    expect(delays).toHaveLength(2_000)
    expect(delays.every(delay => typeof delay === 'number' && delay >= 10 && delay <= 50)).toBe(true)
    expect(socket.state.attempt).toBe(2_000)
  })

  test('maxAttempts ends it, and connect() begins anew', async () => {
    const socket = create({ maxAttempts: 2 })
    const told = record(socket)
    await pass()
    FakeWebSocket.last.fail()
    await pass(500)
    FakeWebSocket.last.fail()
    expect(socket.state).toMatchObject({ name: 'closed', attempt: 2 })
    expect(told.at(-1)?.[1]).toMatchObject({ final: true, retryInMs: undefined })
    socket.connect()
    await pass()
    FakeWebSocket.last.accept()
    expect(socket.state).toEqual({ name: 'open', attempt: 0 })
  })

  test('shouldRetry that throws is reported and decides nothing', async () => {
    const oops = new Error('oops')
    const socket = create({
      shouldRetry: () => {
        throw oops
      },
    })
    await pass()
    FakeWebSocket.last.fail()
    expect(socket.state.name).toBe('waiting')
    expect(reported.splice(0)).toEqual([oops])
  })

  test('shouldRetry may close the socket', async () => {
    const socket: ReconnectingSocket = create({
      shouldRetry: () => {
        socket.close()
        return true
      },
    })
    await pass()
    FakeWebSocket.last.fail()
    await pass(20_000)
    expect(socket.state.name).toBe('closed')
    expect(FakeWebSocket.all).toHaveLength(1)
  })
})

describe('providers', () => {
  test('are asked for each attempt, and told of it', async () => {
    const asked: unknown[] = []
    create({ protocols: async ({ attempt }) => [`p${attempt}`] }, async ({ attempt, lastClose, signal }) => {
      asked.push([attempt, lastClose?.code, signal.aborted])
      return `${URL_}?token=${attempt}`
    })
    await pass()
    FakeWebSocket.last.end(1013, 'retry=100')
    await pass(600)
    expect(asked).toEqual([
      [0, undefined, false],
      [1, 1013, false],
    ])
    expect(FakeWebSocket.last).toMatchObject({ url: `${URL_}?token=1`, protocols: ['p1'] })
  })

  test.each([
    ['rejects', () => Promise.reject(new Error('no token'))],
    [
      'throws',
      () => {
        throw new Error('no token')
      },
    ],
  ])('one that %s is a failed attempt like any other', async (_, provider) => {
    const socket = create({}, provider)
    const told = record(socket)
    await pass()
    expect(told.map(([name]) => name)).toEqual(['error', 'state', 'close'])
    expect(told[0]?.[1]).toMatchObject({ code: 'provider', cause: { message: 'no token' } })
    expect(socket.state).toMatchObject({ name: 'waiting', attempt: 1 })
    await pass(500)
    expect(socket.state).toMatchObject({ name: 'waiting', attempt: 2 })
  })

  test('a FatalError ends it, also one from another copy of the library', async () => {
    const foreign = Object.assign(new Error('revoked'), { name: 'FatalError' })
    for (const error of [new FatalError('revoked'), foreign]) {
      const socket = create({}, () => Promise.reject(error))
      socket.on('error', () => {})
      await pass()
      expect(socket.state.name).toBe('closed')
    }
  })

  test.each(['ftp://server.test', 'nonsense', 'http://'])(
    'an address that cannot be (%s) is fatal, not retried for ever',
    async url => {
      const socket = create({}, () => (url === 'nonsense' ? 'ws://[' : url))
      const told = record(socket)
      await pass()
      expect(told[0]?.[1]).toMatchObject({ code: 'provider' })
      expect(socket.state.name).toBe('closed')
    },
  )

  test('one that hangs is aborted by the connect timeout, and by close()', async () => {
    const signals: AbortSignal[] = []
    const socket = create({ connectTimeoutMs: 1_000 }, ({ signal }) => {
      signals.push(signal)
      return new Promise<string>(() => {})
    })
    await pass(1_000)
    expect(signals[0]?.aborted).toBe(true)
    await pass(500)
    expect(signals[1]?.aborted).toBe(false)
    socket.close()
    expect(signals[1]?.aborted).toBe(true)
  })

  test('an answer that comes too late opens nothing', async () => {
    let answer = (_: string) => {}
    const socket = create({}, () => new Promise<string>(resolve => (answer = resolve)))
    await pass()
    socket.close()
    answer(URL_)
    await pass()
    expect(FakeWebSocket.all).toEqual([])
  })
})

describe('handshake', () => {
  test('speaks before the queue is flushed, and hears first', async () => {
    const heard: unknown[] = []
    const socket = create({
      handshake: async ({ send, receive }) => {
        send({ token: 't' })
        heard.push(await receive())
      },
    })
    const told = record(socket)
    socket.send('queued')
    await pass()
    FakeWebSocket.last.accept()
    await pass()
    expect(socket.state.name).toBe('handshaking')
    FakeWebSocket.last.receive('"welcome"')
    FakeWebSocket.last.receive('"early"')
    await pass()
    expect(heard).toEqual(['welcome'])
    expect(FakeWebSocket.last.sent).toEqual(['{"token":"t"}', '"queued"'])
    FakeWebSocket.last.receive('"later"')
    expect(told.map(([name, event]) => (name === 'message' ? event : name))).toEqual([
      'state',
      'state',
      'open',
      'early',
      'later',
    ])
  })

  test('runs for each connection, and is told how the last one ended', async () => {
    const asked: unknown[] = []
    await opened({ handshake: ({ attempt, lastClose }) => asked.push([attempt, lastClose?.reason]) })
    FakeWebSocket.last.end(1001, 'bye')
    await pass(500)
    FakeWebSocket.last.accept()
    await pass()
    expect(asked).toEqual([
      [0, undefined],
      [1, 'bye'],
    ])
  })

  test('one that throws fails the attempt, and closes its connection', async () => {
    const socket = await opened({ handshake: () => Promise.reject(new Error('denied')), autoConnect: true })
    const told = record(socket)
    expect(FakeWebSocket.last.closed).toEqual([[]])
    expect(socket.state).toMatchObject({ name: 'waiting', attempt: 1 })
    await pass(500)
    FakeWebSocket.last.accept()
    await pass()
    expect(told.find(([name]) => name === 'error')?.[1]).toMatchObject({
      code: 'handshake',
      cause: { message: 'denied' },
    })
    expect(reported.splice(0)).toHaveLength(1)
  })

  test('a FatalError ends it', async () => {
    const socket = create({ handshake: () => Promise.reject(new FatalError('denied')) })
    socket.on('error', () => {})
    await pass()
    FakeWebSocket.last.accept()
    await pass()
    expect(socket.state.name).toBe('closed')
  })

  test('one that hangs is bounded, and whatever it does later comes to nothing', async () => {
    let late = (_: string) => {}
    const rejected = vi.fn()
    const socket = await opened({
      connectTimeoutMs: 1_000,
      handshake: async ({ send, receive }) => {
        late = send
        await receive().catch(rejected)
        await new Promise(() => {})
      },
    })
    await pass(1_000)
    expect(socket.state.name).toBe('waiting')
    expect(rejected).toHaveBeenCalledOnce()
    expect(() => late('too late')).toThrow()
    expect(FakeWebSocket.last.sent).toEqual([])
  })
})

describe('messages', () => {
  test('are delivered as decoded: text, ArrayBuffer, and views of one', async () => {
    const socket = await opened()
    const messages: unknown[] = []
    socket.on('message', message => messages.push(message))
    const utf8 = new TextEncoder().encode('  [2]')
    FakeWebSocket.last.receive('[0]')
    FakeWebSocket.last.receive(new TextEncoder().encode('[1]').buffer)
    FakeWebSocket.last.receive(utf8.subarray(2))
    expect(messages).toEqual([[0], [1], [2]])
  })

  test('what does not decode is an error event, with data and cause, and the connection lives on', async () => {
    const socket = await opened()
    const told = record(socket)
    FakeWebSocket.last.receive('{')
    FakeWebSocket.last.receive('1')
    expect(told).toEqual([
      ['error', expect.objectContaining({ code: 'decode', data: '{', cause: expect.any(SyntaxError) })],
      ['message', 1],
    ])
    expect(told[0]?.[1]).toBeInstanceOf(SocketError)
  })

  test('what is too large is an error event, counted in bytes', async () => {
    const socket = await opened({ maxMessageBytes: 9, codec: text() })
    const told = record(socket)
    for (const data of ['123456789', '1234567890', '€€€', '€€€.']) FakeWebSocket.last.receive(data)
    FakeWebSocket.last.receive(new Uint8Array(10).buffer)
    expect(told.map(([name, event]) => [name, event instanceof SocketError ? event.code : event])).toEqual([
      ['message', '123456789'],
      ['error', 'message-too-large'],
      ['message', '€€€'],
      ['error', 'message-too-large'],
      ['error', 'message-too-large'],
    ])
  })

  test('an error that nobody listens to is reported', async () => {
    await opened()
    FakeWebSocket.last.receive('{')
    expect(reported.splice(0)).toEqual([expect.objectContaining({ code: 'decode' })])
  })

  test('none comes after close()', async () => {
    const socket = await opened()
    const told = vi.fn()
    socket.on('message', told)
    const done = socket.close()
    FakeWebSocket.last.receive('1')
    FakeWebSocket.last.end(1005, '', true)
    await done
    expect(told).not.toHaveBeenCalled()
  })

  test('none comes from a connection that was replaced', async () => {
    const socket = await opened()
    const told = vi.fn()
    socket.on('message', told)
    const old = FakeWebSocket.last
    socket.reconnect()
    await pass()
    old.receive('1')
    old.end(4999)
    expect(told).not.toHaveBeenCalled()
    expect(socket.state.name).toBe('connecting')
  })
})

describe('sending', () => {
  test('what is queued goes out in order on open, before anything newer', async () => {
    const socket = create()
    expect([1, 2, 3].map(n => socket.send(n))).toEqual([true, true, true])
    expect(socket).toMatchObject({ queuedMessages: 3, queuedBytes: 3 })
    socket.on('open', () => socket.send('newer'))
    await pass()
    FakeWebSocket.last.accept()
    expect(FakeWebSocket.last.sent).toEqual(['1', '2', '3', '"newer"'])
    expect(socket).toMatchObject({ queuedMessages: 0, queuedBytes: 0 })
  })

  test('a mutation after send cannot leak in', async () => {
    const socket = create<unknown, unknown>()
    const message = { n: 1 }
    socket.send(message)
    message.n = 2
    const raw = create({ codec: bytes() })
    const buffer = new Uint8Array([1, 2])
    raw.send(buffer)
    buffer.fill(9)
    await pass()
    for (const each of FakeWebSocket.all) each.accept()
    expect(FakeWebSocket.all.map(({ sent }) => sent[0])).toEqual(['{"n":1}', new Uint8Array([1, 2])])
  })

  test('what the codec refuses throws, and changes nothing', () => {
    const socket = create()
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => socket.send(cycle)).toThrow(
      expect.objectContaining({ code: 'encode', cause: expect.any(TypeError) }),
    )
    expect(() => socket.send(undefined)).toThrow(SocketError)
    expect(socket.queuedMessages).toBe(0)
  })

  test('bytes are counted as UTF-8', () => {
    const socket = create({ codec: text() })
    socket.send('aé€😀\ud800')
    expect(socket.queuedBytes).toBe(1 + 2 + 3 + 4 + 3)
  })

  test('answers false from the high-water mark, and tells when there is room again', async () => {
    const socket = create({ codec: text(), queue: { highWaterMarkBytes: 10, maxBytes: 30 } })
    const told = record(socket)
    expect(socket.send('123456789')).toBe(true)
    expect(socket.send('0')).toBe(false)
    const drained = vi.fn()
    socket.drained().then(drained)
    await pass()
    expect(drained).not.toHaveBeenCalled()
    FakeWebSocket.last.accept()
    await pass()
    expect(drained).toHaveBeenCalledOnce()
    expect(told.filter(([name]) => name === 'drain')).toHaveLength(1)
    await socket.drained()
  })

  test('answers false from half of maxMessages', () => {
    const socket = create({ queue: { maxMessages: 4 } })
    expect([1, 2, 3, 4].map(n => socket.send(n))).toEqual([true, false, false, false])
    expect(() => socket.send(5)).toThrow(expect.objectContaining({ code: 'queue-full' }))
    expect(socket.queuedMessages).toBe(4)
  })

  test('drop-oldest and drop-newest report what had to go, and never answer false for it', () => {
    const oldest = create({ queue: { maxMessages: 2, overflow: 'drop-oldest' } })
    const newest = create({ queue: { maxMessages: 2, overflow: 'drop-newest' } })
    const [a, b] = [record(oldest), record(newest)]
    expect([1, 2, 3].map(n => oldest.send(n))).toEqual([false, false, false])
    expect([1, 2, 3].map(n => newest.send(n))).toEqual([false, false, true])
    expect(a).toEqual([['undelivered', { message: 1, code: 'queue-full', certain: true }]])
    expect(b).toEqual([['undelivered', { message: 3, code: 'queue-full', certain: true }]])
  })

  test('hands the WebSocket a high-water mark at a time, at least one message, and looks again', async () => {
    const socket = await opened({ codec: text(), queue: { highWaterMarkBytes: 10 } })
    const { last } = FakeWebSocket
    socket.send('x'.repeat(100))
    last.bufferedAmount = 100
    socket.send('second')
    socket.send('third')
    await pass(1_000)
    expect(last.sent).toHaveLength(1)
    expect(socket.queuedMessages).toBe(2)
    last.bufferedAmount = 9
    await pass(100)
    expect(last.sent.slice(1)).toEqual(['second', 'third'])
  })

  test('sends nothing into a WebSocket that is closing', async () => {
    const socket = await opened()
    const { last } = FakeWebSocket
    last.readyState = 2
    expect(socket.send('kept')).toBe(true)
    last.end()
    await pass(500)
    FakeWebSocket.last.accept()
    expect(FakeWebSocket.last.sent).toEqual(['"kept"'])
  })

  test('throws after close()', () => {
    const socket = create()
    socket.close()
    expect(() => socket.send(1)).toThrow(expect.objectContaining({ code: 'closed' }))
    return expect(socket.drained()).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('close()', () => {
  test('is confirmed by the server', async () => {
    const socket = await opened()
    const told = record(socket)
    const done = socket.close(4000, 'bye')
    expect(FakeWebSocket.last.closed).toEqual([[4000, 'bye']])
    FakeWebSocket.last.end(4000, 'bye', true)
    expect(await done).toMatchObject({ code: 4000, reason: 'bye', wasClean: true, undelivered: [] })
    expect(told.map(([name, event]) => (name === 'state' ? (event as SocketState).name : name))).toEqual([
      'closing',
      'closed',
      'close',
    ])
    expect(told.at(-1)?.[1]).toMatchObject({ code: 4000, local: true, final: true, wasOpen: true })
  })

  test('takes closeTimeoutMs at most, and then the late close of the browser changes nothing', async () => {
    const socket = await opened({ closeTimeoutMs: 700 })
    const done = vi.fn()
    socket.close(1000).then(done)
    await pass(690)
    expect(done).not.toHaveBeenCalled()
    await pass(10)
    expect(done).toHaveBeenCalledWith({
      code: 1000,
      reason: '',
      wasClean: false,
      local: true,
      undelivered: [],
    })
    const told = record(socket)
    FakeWebSocket.last.end(1006)
    expect(told).toEqual([])
  })

  test('without a code sends none', async () => {
    const socket = await opened()
    socket.close()
    expect(FakeWebSocket.last.closed).toEqual([[]])
    FakeWebSocket.last.end(1005, '', true)
    expect((await socket.close()).code).toBe(1005)
  })

  const reach = {
    idle: async () => {},
    connecting: async (socket: ReconnectingSocket) => socket.connect(),
    handshaking: async (socket: ReconnectingSocket) => {
      socket.connect()
      await pass()
      FakeWebSocket.last.accept()
    },
    waiting: async (socket: ReconnectingSocket) => {
      socket.connect()
      await pass()
      FakeWebSocket.last.fail()
    },
    suspended: async (socket: ReconnectingSocket) => {
      socket.connect()
      window.dispatchEvent(new Event('pagehide'))
    },
    closing: async (socket: ReconnectingSocket) => {
      await reach.handshaking(socket)
      FakeWebSocket.last.receive('1')
      await pass()
      socket.close(4001)
    },
    closed: async (socket: ReconnectingSocket) => socket.close(),
  }
  test.each(Object.entries(reach))('in %s is final, bounded and silent after', async (name, arrive) => {
    const socket = create({ autoConnect: false, handshake: ({ receive }) => receive() })
    await arrive(socket)
    expect(socket.state.name).toBe(name)
    const results = [socket.close(4002, 'x'), socket.close(4003)]
    await pass(2_000)
    expect(socket.state.name).toBe('closed')
    for (const result of await Promise.all(results))
      expect(result).toMatchObject({ wasClean: false, undelivered: [] })
    const made = FakeWebSocket.all.length
    const told = record(socket)
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    for (const type of ['online', 'offline']) window.dispatchEvent(new Event(type))
    document.dispatchEvent(new Event('visibilitychange'))
    await pass(60_000)
    expect(told).toEqual([])
    expect(FakeWebSocket.all).toHaveLength(made)
  })

  test('reports what was still queued, in the result and by event', async () => {
    const socket = create()
    const told = record(socket)
    socket.send('a')
    socket.send('b')
    const { undelivered } = await socket.close()
    expect(undelivered).toEqual([
      { message: 'a', code: 'closed', certain: true },
      { message: 'b', code: 'closed', certain: true },
    ])
    expect(told.filter(([name]) => name === 'undelivered').map(([, event]) => event)).toEqual(undelivered)
    expect(socket.queuedMessages).toBe(0)
  })

  test('giving up reports what was still queued too', async () => {
    const socket = create({ maxAttempts: 1 })
    const told = record(socket)
    socket.send('a')
    await pass()
    FakeWebSocket.last.fail()
    expect(told.at(-1)).toEqual(['undelivered', { message: 'a', code: 'closed', certain: true }])
  })

  test.each([[1001], [1005], [0], [999], [2999], [5000], [3000.5], [Number.NaN]])(
    'refuses the code %s',
    code => {
      const socket = create()
      expect(() => socket.close(code)).toThrow(expect.objectContaining({ code: 'invalid-option' }))
      expect(socket.state.name).toBe('connecting')
    },
  )

  test('refuses a reason of more than 123 bytes, not units', () => {
    const socket = create()
    expect(() => socket.close(1000, '€'.repeat(42))).toThrow(SocketError)
    socket.close(1000, '€'.repeat(41))
  })

  test('connect() while closing opens a new connection, and the promise is still fulfilled', async () => {
    const socket = await opened()
    const done = socket.close(4000)
    socket.connect()
    expect(await done).toMatchObject({ code: 4000, wasClean: false })
    await pass()
    FakeWebSocket.last.accept()
    expect(socket.state.name).toBe('open')
    expect(FakeWebSocket.live).toBe(1)
  })

  test('is what dispose does, and what the signal does', async () => {
    const a = create()
    a[Symbol.dispose]()
    expect(a.state.name).toBe('closed')
    const b = create()
    await b[Symbol.asyncDispose]()
    expect(b.state.name).toBe('closed')
    const controller = new AbortController()
    const c = create({ signal: controller.signal })
    const d = create({ signal: controller.signal, autoConnect: false })
    controller.abort(new Error('enough'))
    expect([c.state.name, d.state.name]).toEqual(['closed', 'closed'])
    expect(() => c.connect()).toThrow('enough')
    expect(create({ signal: controller.signal }).state.name).toBe('closed')
  })
})

describe('reconnect()', () => {
  test('pre-empts a wait', async () => {
    const socket = create()
    await pass()
    FakeWebSocket.last.fail()
    socket.reconnect()
    await pass()
    expect(FakeWebSocket.all).toHaveLength(2)
    await pass(20_000)
    expect(FakeWebSocket.all.length).toBeGreaterThan(2)
  })

  test('replaces an open connection, keeping what is queued', async () => {
    const socket = await opened()
    const told = record(socket)
    socket.reconnect()
    socket.send('for the new one')
    await pass()
    FakeWebSocket.last.accept()
    expect(FakeWebSocket.live).toBe(1)
    expect(FakeWebSocket.all.map(({ sent }) => sent)).toEqual([[], ['"for the new one"']])
    expect(told.find(([name]) => name === 'close')?.[1]).toMatchObject({
      local: true,
      code: 1005,
      retryInMs: 0,
      final: false,
    })
    expect(told.at(-1)).toEqual(['open', { protocol: '', reconnected: true, resumed: false }])
  })
})

describe('listeners', () => {
  test('one that throws is reported; the others and the machine go on', async () => {
    const socket = create()
    const oops = new Error('oops')
    const after = vi.fn()
    for (const name of ['state', 'open', 'close', 'message'] as const) {
      socket.on(name, () => {
        throw oops
      })
      socket.on(name, after)
    }
    await pass()
    FakeWebSocket.last.accept()
    FakeWebSocket.last.receive('1')
    FakeWebSocket.last.end()
    await pass(500)
    expect(FakeWebSocket.all).toHaveLength(2)
    expect(after).toHaveBeenCalledTimes(6)
    socket.close()
    expect(new Set(reported.splice(0))).toEqual(new Set([oops]))
  })

  test('one that removes itself is called once; one that is removed by another is not called', async () => {
    const socket = await opened()
    const calls: string[] = []
    const offSelf = socket.on('message', () => {
      calls.push('self')
      offSelf()
      offNext()
    })
    const offNext = socket.on('message', () => calls.push('next'))
    socket.on('message', () => calls.push('last'))
    FakeWebSocket.last.receive('1')
    FakeWebSocket.last.receive('2')
    expect(calls).toEqual(['self', 'last', 'last'])
  })

  test('one that is added by another is called from the next time', async () => {
    const socket = await opened()
    const late = vi.fn()
    socket.once('message', () => socket.on('message', late))
    FakeWebSocket.last.receive('1')
    expect(late).not.toHaveBeenCalled()
    FakeWebSocket.last.receive('2')
    expect(late).toHaveBeenCalledOnce()
  })

  test('the same function twice is two listeners', async () => {
    const socket = await opened()
    const listener = vi.fn()
    const off = socket.on('message', listener)
    socket.on('message', listener)
    off()
    off()
    FakeWebSocket.last.receive('1')
    expect(listener).toHaveBeenCalledOnce()
  })

  test('once is once, and can be taken back', async () => {
    const socket = await opened()
    const [kept, gone] = [vi.fn(), vi.fn()]
    socket.once('message', kept)
    socket.once('message', gone)()
    FakeWebSocket.last.receive('1')
    FakeWebSocket.last.receive('2')
    expect(kept).toHaveBeenCalledOnce()
    expect(gone).not.toHaveBeenCalled()
  })

  test('what a listener does is committed at once, and told after what is being told', async () => {
    const socket = create()
    const told: string[] = []
    socket.on('state', ({ name }) => {
      if (name !== 'open') return
      socket.close()
      expect(socket.state.name).toBe('closing')
      expect(() => socket.send(1)).toThrow(SocketError)
    })
    socket.on('state', ({ name }) => told.push(name))
    socket.on('open', () => told.push('open event'))
    await pass()
    FakeWebSocket.last.accept()
    expect(told).toEqual(['open', 'open event', 'closing'])
    FakeWebSocket.last.end(1005, '', true)
  })

  test('connect() then send() from a listener of the end', async () => {
    const socket = create({ maxAttempts: 1 })
    socket.once('close', () => {
      socket.connect()
      socket.send('again')
    })
    await pass()
    FakeWebSocket.last.fail()
    await pass()
    FakeWebSocket.last.accept()
    expect(FakeWebSocket.last.sent).toEqual(['"again"'])
  })
})
