import { describe, expect, test, vi } from 'vitest'
import { type HeartbeatOptions, json, type ReconnectingSocket } from '../../src/index'
import { FakeWebSocket } from '../support/fake-websocket'
import { opened, pass, useFakes } from '../support/shell'

useFakes()
let socket: ReconnectingSocket

async function beating(heartbeat: HeartbeatOptions, codec = json()) {
  socket = await opened({ codec, heartbeat: { intervalMs: 1_000, timeoutMs: 400, ...heartbeat } })
  const messages: unknown[] = []
  socket.on('message', message => messages.push(message))
  return { messages, transport: FakeWebSocket.last }
}

describe('with a message', () => {
  test('asks after an interval of silence, and replaces who does not answer', async () => {
    const { transport } = await beating({ message: { type: 'ping' } })
    const closes: unknown[] = []
    socket.on('close', event => closes.push(event))
    await pass(1_001)
    expect(transport.sent).toEqual(['{"type":"ping"}'])
    await pass(401)
    expect(transport.closed).toEqual([[]])
    expect(closes).toEqual([
      expect.objectContaining({ code: 1006, reason: 'heartbeat timeout', local: true, wasOpen: true }),
    ])
    expect(socket.state.name).toBe('waiting')
  })

  test('any message is life: a busy connection is never asked', async () => {
    const { transport } = await beating({ message: 'ping' })
    for (let n = 0; n < 10; n++) {
      await pass(900)
      transport.receive('1')
    }
    expect(transport.sent).toEqual([])
    expect(socket.state.name).toBe('open')
  })

  test('an echo, as text or turned into bytes, is swallowed and measured', async () => {
    const { transport, messages } = await beating({ message: 'ping' })
    await pass(1_001)
    await pass(30)
    transport.receive('"ping"')
    expect(socket.roundTripMs).toBeCloseTo(30, -1)
    await pass(1_001)
    await pass(70)
    transport.receive(new TextEncoder().encode('"ping"').buffer)
    expect(socket.roundTripMs).toBeCloseTo(70, -1)
    expect(messages).toEqual([])
    transport.receive('"pint"')
    expect(messages).toEqual(['pint'])
  })

  test('a pong is known by isPong, swallowed and measured', async () => {
    const isPong = (message: unknown) => (message as { type?: string }).type === 'pong'
    const { transport, messages } = await beating({ message: { type: 'ping' }, isPong })
    await pass(1_001)
    transport.receive('{"type":"pong"}')
    transport.receive('{"type":"news"}')
    expect(messages).toEqual([{ type: 'news' }])
    expect(socket.roundTripMs).toBeLessThan(20)
  })

  test('an isPong that throws is reported, and the message delivered', async () => {
    const reported = vi.fn()
    vi.stubGlobal('reportError', reported)
    const oops = new Error('oops')
    const { transport, messages } = await beating({
      message: 'ping',
      isPong: () => {
        throw oops
      },
    })
    transport.receive('1')
    expect(messages).toEqual([1])
    expect(reported).toHaveBeenCalledWith(oops)
    vi.unstubAllGlobals()
  })

  test('the message is encoded once, at construction', async () => {
    const codec = { ...json(), encode: vi.fn(json().encode) }
    const { transport } = await beating({ message: 'ping' }, codec)
    for (let n = 0; n < 3; n++) {
      await pass(1_001)
      transport.receive('1')
      await pass(1)
    }
    expect(transport.sent.length).toBeGreaterThan(1)
    expect(codec.encode).toHaveBeenCalledOnce()
  })

  test('goes past the queue', async () => {
    const { transport } = await beating({ message: 'ping' })
    transport.bufferedAmount = 2 ** 30
    socket.send('waits')
    await pass(1_001)
    expect(transport.sent).toEqual(['"ping"'])
  })

  test('a message that came while the thread was blocked past the deadline saves the connection', async () => {
    const { transport } = await beating({ message: 'ping' })
    await pass(1_001)
    // The deadline passes while nothing runs: the timer is overdue, the pong already in the queue behind it
    vi.advanceTimersToNextTimer()
    transport.receive('"pong"')
    await pass(1)
    expect(socket.state.name).toBe('open')
  })

  test('after a sleep it asks before it judges', async () => {
    const { transport } = await beating({ message: 'ping' })
    await pass(1_001)
    vi.setSystemTime(Date.now() + 3_600_000)
    await pass(500)
    expect(socket.state.name).toBe('open')
    expect(transport.sent).toHaveLength(2)
    transport.receive('1')
    await pass(500)
    expect(socket.state.name).toBe('open')
    await pass(2_000)
    expect(socket.state.name).not.toBe('open')
  })

  test.each(['online', 'visible'])('%s asks at once', async type => {
    const { transport } = await beating({ message: 'ping' })
    if (type === 'online') window.dispatchEvent(new Event('online'))
    else document.dispatchEvent(new Event('visibilitychange'))
    expect(transport.sent).toEqual(['"ping"'])
  })
})

describe('without a message', () => {
  test('sends nothing, and gives up a feed that fell silent', async () => {
    const { transport } = await beating({})
    await pass(900)
    transport.receive('1')
    await pass(1_390)
    expect(socket.state.name).toBe('open')
    await pass(20)
    expect(socket.state.name).toBe('waiting')
    expect(transport.sent).toEqual([])
    expect(socket.roundTripMs).toBeUndefined()
  })

  test('a feed that goes on talking is left alone', async () => {
    const { transport } = await beating({})
    for (let n = 0; n < 20; n++) {
      await pass(950)
      transport.receive('1')
    }
    expect(socket.state.name).toBe('open')
  })
})

test('off by default, and with false: silence proves nothing', async () => {
  for (const heartbeat of [undefined, false] as const) {
    const quiet = await opened({ heartbeat })
    await pass(3_600_000)
    expect(quiet.state.name).toBe('open')
    quiet.close()
  }
})
