import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { ReconnectingSocket } from '../../src/index'
import { FakeWebSocket } from '../support/fake-websocket'
import { create, pass, useFakes } from '../support/shell'

const tell = (target: EventTarget, type: string) => target.dispatchEvent(new Event(type))
let socket: ReconnectingSocket

useFakes()
beforeEach(async () => {
  socket = create()
  await pass()
})

describe('a page that is put away', () => {
  test.each([
    ['pagehide', () => window, 'pageshow', () => window],
    ['freeze', () => document, 'resume', () => document],
    ['pagehide', () => window, 'resume', () => document],
  ] as const)('%s closes without a code, and %2$s connects at once', async (away, from, back, to) => {
    FakeWebSocket.last.accept()
    tell(from(), away)
    expect(socket.state.name).toBe('suspended')
    expect(FakeWebSocket.last.closed).toEqual([[]])
    await pass(600_000)
    expect(FakeWebSocket.all).toHaveLength(1)
    tell(to(), back)
    await pass()
    expect(FakeWebSocket.all).toHaveLength(2)
    FakeWebSocket.last.accept()
    expect(socket.state.name).toBe('open')
  })

  test('is told of once, though the browser says it twice, both ways', async () => {
    FakeWebSocket.last.accept()
    const states: string[] = []
    socket.on('state', ({ name }) => states.push(name))
    tell(window, 'pagehide')
    tell(document, 'freeze')
    tell(document, 'resume')
    await pass()
    FakeWebSocket.last.accept()
    tell(window, 'pageshow')
    expect(states).toEqual(['suspended', 'connecting', 'open'])
  })

  test('comes back, whatever it is told of in between', async () => {
    FakeWebSocket.last.accept()
    tell(window, 'pagehide')
    // HTML makes a page visible before it says pageshow
    tell(window, 'online')
    tell(document, 'visibilitychange')
    expect(socket.state.name).toBe('suspended')
    tell(window, 'pageshow')
    expect(socket.state.name).toBe('connecting')
  })

  test('Firefox closes 1001 before pagehide: no attempt starts from the dying page', async () => {
    FakeWebSocket.last.accept()
    vi.mocked(Math.random).mockReturnValue(0)
    FakeWebSocket.last.end(1001, '', true)
    tell(window, 'pagehide')
    await pass(60_000)
    expect(socket.state.name).toBe('suspended')
    expect(FakeWebSocket.all).toHaveLength(1)
  })

  test('keeps what is queued', async () => {
    tell(window, 'pagehide')
    socket.send('kept')
    tell(window, 'pageshow')
    await pass()
    FakeWebSocket.last.accept()
    expect(FakeWebSocket.last.sent).toEqual(['"kept"'])
  })

  test('pageshow of a first load is nothing', async () => {
    FakeWebSocket.last.accept()
    tell(window, 'pageshow')
    expect(socket.state.name).toBe('open')
    expect(FakeWebSocket.all).toHaveLength(1)
  })
})

describe('the network', () => {
  test('offline closes nothing and puts retries off; online brings them forward', async () => {
    FakeWebSocket.last.accept()
    tell(window, 'offline')
    expect(socket.state.name).toBe('open')
    FakeWebSocket.last.end()
    tell(window, 'offline')
    await pass(29_000)
    expect(FakeWebSocket.all).toHaveLength(1)
    tell(window, 'online')
    await pass(501)
    expect(FakeWebSocket.all).toHaveLength(2)
  })

  test('an onLine that lies cannot strand us', async () => {
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    FakeWebSocket.last.fail()
    await pass(30_001)
    expect(FakeWebSocket.all).toHaveLength(2)
  })

  test('visible runs an overdue retry at once', async () => {
    FakeWebSocket.last.fail()
    vi.setSystemTime(Date.now() + 60_000)
    tell(document, 'visibilitychange')
    await pass()
    expect(FakeWebSocket.all).toHaveLength(2)
  })

  test('hidden is nothing', async () => {
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
    FakeWebSocket.last.fail()
    vi.setSystemTime(Date.now() + 60_000)
    tell(document, 'visibilitychange')
    await pass()
    expect(FakeWebSocket.all).toHaveLength(1)
    expect(socket.state.name).toBe('waiting')
  })
})

test('10 000 connections leave no listener, no timer and no socket', async () => {
  const listeners = new Map<unknown, number>()
  for (const target of [window]) {
    const add = target.addEventListener.bind(target)
    vi.spyOn(target, 'addEventListener').mockImplementation(
      (type: string, listener: unknown, options: unknown) => {
        listeners.set(target, (listeners.get(target) ?? 0) + 1)
        const { signal } = options as { signal: AbortSignal }
        signal.addEventListener('abort', () => listeners.set(target, (listeners.get(target) ?? 0) - 1))
        add(type, listener as EventListener, options as AddEventListenerOptions)
      },
    )
  }
  for (let n = 0; n < 10_000; n++) {
    socket.close()
    FakeWebSocket.all = []
    socket.connect()
    if (n % 100 === 0) {
      await pass()
      FakeWebSocket.last.accept()
    }
  }
  expect(listeners.get(window)).toBe(7)
  socket.close()
  await pass(2_000)
  expect([...listeners.values()]).toEqual([0])
  expect(vi.getTimerCount()).toBe(0)
})
