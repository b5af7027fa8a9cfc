/** Nothing may be left behind, however often and at whatever moment it is closed: counted, not guessed. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { type Clock, type Page, ReconnectingSocket, type WebSocketLike } from '../../src/index'
import { systemClock } from '../../src/platform/clock'

const CYCLES = 10_000

/** Opens and closes one macrotask later, as a healthy server would make it. */
class CountedWebSocket implements WebSocketLike {
  static live = 0
  static made = 0

  readyState = 0
  bufferedAmount = 0
  protocol = ''
  binaryType = ''
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null

  constructor() {
    CountedWebSocket.made++
    CountedWebSocket.live++
    setImmediate(() => {
      if (this.readyState !== 0) return
      this.readyState = 1
      this.onopen?.({} as never)
    })
  }

  send(): void {}

  close(code = 1005, reason = ''): void {
    if (this.readyState > 1) return
    const how = this.readyState
      ? { code, reason, wasClean: true }
      : { code: 1006, reason: '', wasClean: false }
    this.readyState = 2
    setImmediate(() => {
      this.readyState = 3
      CountedWebSocket.live--
      this.onclose?.(how as never)
    })
  }

  /** What a lost connection looks like. */
  lose(): void {
    this.readyState = 3
    CountedWebSocket.live--
    this.onclose?.({ code: 1006, reason: '', wasClean: false } as never)
  }
}

function counted() {
  const timers = new Set<unknown>()
  let listeners = 0
  const clock: Clock = {
    ...systemClock(),
    setTimeout(callback, ms) {
      const timer = setTimeout(() => {
        timers.delete(timer)
        callback()
      }, ms)
      timers.add(timer)
      return timer
    },
    clearTimeout(timer) {
      timers.delete(timer)
      clearTimeout(timer as NodeJS.Timeout)
    },
  }
  const page: Page = {
    online: () => true,
    listen() {
      listeners++
      return () => {
        listeners--
      }
    },
  }
  const { signal } = new AbortController()
  const aborts = new Set<unknown>()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
    aborts.add(listener)
    add(type, listener)
  }
  signal.removeEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
    aborts.delete(listener)
    remove(type, listener)
  }
  return {
    platform: { clock, page },
    signal,
    left: () => ({
      sockets: CountedWebSocket.live,
      timers: timers.size,
      pageListeners: listeners,
      abortListeners: aborts.size,
    }),
  }
}

const NOTHING = { sockets: 0, timers: 0, pageListeners: 0, abortListeners: 0 }

const soon = () => new Promise(resolve => setImmediate(resolve))

/** Moments to close at. */
const MOMENTS: ((socket: ReconnectingSocket, made: CountedWebSocket[]) => unknown)[] = [
  () => {},
  () => Promise.resolve(),
  socket => socket.opened(),
  async (socket, made) => {
    await socket.opened()
    made.at(-1)?.lose()
  },
  async socket => {
    await socket.opened()
    socket.send('something')
    socket.reconnect()
  },
  async socket => {
    await socket.opened()
    socket.close()
    socket.connect()
  },
]

function build() {
  const count = counted()
  const made: CountedWebSocket[] = []
  const open = () =>
    new ReconnectingSocket('ws://127.0.0.1/', {
      WebSocket: class extends CountedWebSocket {
        constructor() {
          super()
          made.length = 0
          made.push(this)
        }
      },
      platform: count.platform,
      signal: count.signal,
      heartbeat: { message: 'ping' },
      handshake: () => soon(),
    })
  return { ...count, made, open }
}

test('10 000 cycles of one socket leave nothing', async () => {
  const { open, made, left } = build()
  const before = CountedWebSocket.made
  const socket = open()
  for (let i = 0; i < CYCLES; i++) {
    socket.connect()
    await MOMENTS[i % MOMENTS.length]?.(socket, made)
    await socket.close()
  }
  await soon()
  expect(CountedWebSocket.made - before).toBeGreaterThan(CYCLES / 2)
  expect(left()).toEqual(NOTHING)
  expect(socket.state.name).toBe('closed')
}, 30_000)

test('10 000 sockets, each connected and closed, leave nothing', async () => {
  const { open, made, left } = build()
  for (let i = 0; i < CYCLES; i++) {
    const socket = open()
    await MOMENTS[i % MOMENTS.length]?.(socket, made)
    await socket.close()
  }
  await soon()
  expect(left()).toEqual(NOTHING)
}, 30_000)

test('what is counted would be noticed', async () => {
  const { open, left } = build()
  const socket = open()
  await socket.opened()
  expect(left()).toEqual({ sockets: 1, timers: 1, pageListeners: 1, abortListeners: 1 })
  await socket.close()
  await soon()
  expect(left()).toEqual(NOTHING)
})

test('what was told as uncertain is let go, though the socket lives on', async () => {
  const { open, made } = build()
  const socket = open()
  await socket.opened()
  const told = new Promise<string>(resolve => socket.once('undelivered', ({ code }) => resolve(code)))
  const send = () => {
    const message = { large: true }
    socket.send(message)
    return new WeakRef(message)
  }
  const gone = send()
  for (const one of made) {
    one.bufferedAmount = 1_000
    one.lose()
  }
  expect(await told).toBe('uncertain')
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  await vi.waitFor(() => {
    gc()
    // Not the object itself, which the failed expectation would hold
    expect(gone.deref() === undefined).toBe(true)
  })
  await socket.close()
})
