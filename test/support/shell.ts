/** The shell on a stage: a fake WebSocket, fake time, chance that is always one half; and nothing left behind. */

import { afterEach, beforeEach, expect, vi } from 'vitest'
import { type Options, ReconnectingSocket } from '../../src/index'
import { FakeWebSocket } from './fake-websocket'

const sockets: { close(): unknown }[] = []

/** What went to `reportError`. A test that expects something there takes it out. */
export const reported: unknown[] = []

/** Lets promises settle and due timers run. */
export const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms && ms + 2)

export function create<In, Out>(
  options: Options<In, Out> = {},
  url: ConstructorParameters<typeof ReconnectingSocket>[0] = 'ws://server.test/',
) {
  const socket = new ReconnectingSocket<In, Out>(url, { WebSocket: FakeWebSocket, ...options })
  sockets.push(socket)
  return socket
}

export async function opened<In, Out>(options: Options<In, Out> = {}) {
  const socket = create(options)
  await pass()
  FakeWebSocket.last.accept()
  await pass()
  return socket
}

export function useFakes(): void {
  beforeEach(() => {
    vi.useFakeTimers()
    FakeWebSocket.all = []
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    vi.stubGlobal('reportError', (error: unknown) => reported.push(error))
  })

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.close()
    await pass(5_000)
    expect(vi.getTimerCount()).toBe(0)
    expect(FakeWebSocket.live).toBe(0)
    expect(reported).toEqual([])
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })
}
