import { describe, expect, test, vi } from 'vitest'
import type { Page, PageEvent, ReconnectingSocket } from '../../src/index'
import { text } from '../../src/index'
import { collect, next, quiet, until } from '../support/events'
import type { FaultProxy } from '../support/proxy'
import type { TestServer } from '../support/servers'
import { connect, LONGER_MS, proxied, QUICK, serve } from './rig'

const SLACK_MS = 500

test('a server that confirms makes it clean, with code and reason as asked for', async () => {
  const socket = connect((await serve('echo')).url)
  await until(socket, 'open')
  const closed = next(socket, 'close')
  expect(await socket.close(4000, 'bye')).toEqual({
    code: 4000,
    reason: 'bye',
    wasClean: true,
    local: true,
    undelivered: [],
  })
  expect(await closed).toMatchObject({ code: 4000, reason: 'bye', wasClean: true, local: true, final: true })
})

test('the close event of a connection that was open says so', async () => {
  const socket = connect((await serve('echo')).url)
  await until(socket, 'open')
  const closed = next(socket, 'close')
  socket.close()
  expect(await closed).toMatchObject({ wasOpen: true })
})

test('a server that never answers the close frame is not waited for', async () => {
  const socket = connect((await serve('mute')).url)
  await until(socket, 'open')
  const began = performance.now()
  expect(await socket.close(4000, 'bye')).toMatchObject({ code: 4000, reason: 'bye', wasClean: false })
  const took = performance.now() - began
  expect(took).toBeGreaterThanOrEqual(QUICK.closeTimeoutMs - 1)
  expect(took).toBeLessThan(QUICK.closeTimeoutMs + SLACK_MS)
  expect(socket.state.name).toBe('closed')
})

test('what was queued is told as undelivered, by the event and by the result', async () => {
  const proxy = await proxied(await serve('echo'))
  proxy.refuse()
  const socket = connect(proxy.url, { codec: text() })
  const told = collect(socket, 'undelivered')
  socket.send('one')
  socket.send('two')
  const { undelivered } = await socket.close()
  expect(undelivered).toEqual([
    { message: 'one', code: 'closed', certain: true },
    { message: 'two', code: 'closed', certain: true },
  ])
  expect(told).toEqual(undelivered)
})

interface Stage {
  readonly server: TestServer
  readonly proxy: FaultProxy
}

/** Brings a socket into the state it is named after. */
const STATES: Record<string, (stage: Stage) => Promise<ReconnectingSocket>> = {
  async idle({ proxy }) {
    return connect(proxy.url, { autoConnect: false })
  },
  async 'connecting, the provider pending'({ proxy }) {
    const socket = connect(async () => {
      await quiet(50)
      return proxy.url
    })
    return socket
  },
  async 'connecting, the upgrade hanging'({ proxy }) {
    proxy.hang()
    const socket = connect(proxy.url)
    await vi.waitFor(() => expect(proxy.connections).toBe(1))
    return socket
  },
  async handshaking({ proxy }) {
    const socket = connect(proxy.url, { handshake: ({ receive }) => receive() })
    await until(socket, 'handshaking')
    return socket
  },
  async open({ proxy }) {
    const socket = connect(proxy.url)
    await until(socket, 'open')
    return socket
  },
  async waiting({ proxy }) {
    proxy.refuse()
    const socket = connect(proxy.url)
    await until(socket, 'waiting')
    return socket
  },
  async suspended({ proxy }) {
    let notify: (event: PageEvent) => void = () => {}
    const page: Page = {
      online: () => true,
      listen: listener => {
        notify = listener
        return () => {}
      },
    }
    const socket = connect(proxy.url, { platform: { page } })
    await until(socket, 'open')
    notify('suspend')
    return socket
  },
  async closing({ proxy }) {
    const socket = connect(proxy.url)
    await until(socket, 'open')
    socket.close()
    return socket
  },
  async closed({ proxy }) {
    const socket = connect(proxy.url)
    await until(socket, 'open')
    await socket.close()
    return socket
  },
}

describe('close resolves and nothing opens after it', () => {
  test.each(Object.entries(STATES))('when %s', async (name, reach) => {
    const server = await serve('sink')
    const proxy = await proxied(server)
    const socket = await reach({ server, proxy })
    expect(name).toContain(socket.state.name)

    const result = await socket.close()
    expect(result).toMatchObject({ undelivered: [] })
    expect(socket.state.name).toBe('closed')

    const states = collect(socket, 'state')
    const { accepted } = proxy
    await proxy.accept()
    await quiet(LONGER_MS)
    expect(proxy.accepted).toBe(accepted)
    expect(states).toEqual([])
    await vi.waitFor(() => expect([proxy.connections, server.clients]).toEqual([0, 0]))
  })

  test('also when called twice at once: both tell the same', async () => {
    const socket = connect((await serve('echo')).url)
    await until(socket, 'open')
    const [first, second] = await Promise.all([socket.close(4000, 'first'), socket.close(4001, 'second')])
    expect(first).toMatchObject({ code: 4000, reason: 'first' })
    expect(second).toEqual(first)
  })

  test('also through a stalled connection, which is not heard of again', async () => {
    const server = await serve('echo')
    const proxy = await proxied(server)
    const socket = connect(proxy.url, { codec: text() })
    await until(socket, 'open')
    proxy.stall('both')
    server.send('late')
    const messages = collect(socket, 'message')
    expect(await socket.close()).toMatchObject({ wasClean: false })
    const closes = collect(socket, 'close')
    proxy.resume()
    await vi.waitFor(() => expect(proxy.connections).toBe(0))
    expect(messages).toEqual([])
    expect(closes).toEqual([])
    expect(proxy.accepted).toBe(1)
  })

  test('also by the signal', async () => {
    const controller = new AbortController()
    const proxy = await proxied(await serve('echo'))
    const socket = connect(proxy.url, { signal: controller.signal })
    await until(socket, 'open')
    controller.abort()
    await until(socket, 'closed')
    await quiet(LONGER_MS)
    expect(proxy.accepted).toBe(1)
    expect(() => socket.connect()).toThrow()
  })
})

test('after close, connect opens anew', async () => {
  const socket = connect((await serve('echo')).url, { codec: text() })
  await until(socket, 'open')
  await socket.close()
  socket.connect()
  socket.send('again')
  expect(await next(socket, 'message')).toBe('again')
})

test('connect while closing does not wait for a server that never answers', async () => {
  const server = await serve('mute')
  const socket = connect(server.url)
  await until(socket, 'open')
  const closed = socket.close()
  socket.connect()
  await until(socket, 'open')
  expect(await closed).toMatchObject({ wasClean: false })
})
