import { describe, expect, test, vi } from 'vitest'
import { FatalError, text } from '../../src/index'
import { collect, next, until } from '../support/events'
import { connect, serve } from './rig'

describe('the handshake', () => {
  test('authenticates before the queue is flushed', async () => {
    const server = await serve('sink')
    const socket = connect<string, string>(server.url, {
      codec: text(),
      async handshake({ send, receive }) {
        send('token')
        expect(await receive()).toBe('challenge')
        send('response')
        expect(await receive()).toBe('welcome')
      },
    })
    socket.send('first')
    socket.send('second')
    await vi.waitFor(() => expect(server.received).toEqual(['token']))
    socket.send('third')
    server.send('challenge')
    await vi.waitFor(() => expect(server.received).toEqual(['token', 'response']))
    expect(socket.state.name).toBe('handshaking')
    server.send('welcome')
    await until(socket, 'open')
    socket.send('fourth')
    await vi.waitFor(() =>
      expect(server.received).toEqual(['token', 'response', 'first', 'second', 'third', 'fourth']),
    )
  })

  test('runs again on each connection', async () => {
    const server = await serve('echo')
    const socket = connect<string, string>(server.url, {
      codec: text(),
      async handshake({ send, receive, attempt }) {
        send(`auth ${attempt}`)
        await receive()
      },
    })
    const messages = collect(socket, 'message')
    await until(socket, 'open')
    const closed = next(socket, 'close')
    server.closeAll(4001)
    await closed
    socket.send('queued')
    await until(socket, 'open')
    await vi.waitFor(() => expect(messages).toEqual(['queued']))
    expect(server.received).toEqual(['auth 0', 'auth 1', 'queued'])
  })

  test('that throws fails the attempt, which is tried again', async () => {
    const server = await serve('echo')
    const socket = connect(server.url, {
      handshake({ attempt }) {
        if (attempt < 2) throw new Error('wrong password')
      },
    })
    const errors = collect(socket, 'error')
    const closes = collect(socket, 'close')
    await until(socket, 'open')
    expect(errors.map(({ code }) => code)).toEqual(['handshake', 'handshake'])
    expect(closes).toMatchObject([
      { code: 1006, reason: 'handshake failed', wasOpen: false, final: false },
      { code: 1006, reason: 'handshake failed', wasOpen: false, final: false },
    ])
    await vi.waitFor(() => expect(server.clients).toBe(1))
  })

  test('ends it all with a FatalError', async () => {
    const server = await serve('echo')
    const socket = connect(server.url, {
      handshake: () => Promise.reject(new FatalError('banned')),
    })
    const failed = next(socket, 'error')
    await until(socket, 'closed')
    expect(await failed).toMatchObject({ code: 'handshake', cause: { message: 'banned' } })
    await vi.waitFor(() => expect(server.clients).toBe(0))
  })

  test('that hangs is bounded by connectTimeoutMs', async () => {
    const server = await serve('sink')
    const ends: unknown[] = []
    const socket = connect(server.url, {
      connectTimeoutMs: 100,
      async handshake({ attempt, receive, signal }) {
        if (attempt > 0) return
        await receive().catch(() => ends.push(signal.aborted))
      },
    })
    const began = performance.now()
    expect(await next(socket, 'close')).toMatchObject({ reason: 'connect timeout', wasOpen: false })
    expect(performance.now() - began).toBeLessThan(1_100)
    await until(socket, 'open')
    expect(ends).toEqual([true])
    await vi.waitFor(() => expect(server.clients).toBe(1))
  })

  test('during which the server closes is a failed attempt, and its receive rejects', async () => {
    const server = await serve('sink')
    const outcomes: string[] = []
    const socket = connect(server.url, {
      async handshake({ attempt, receive }) {
        if (attempt > 0) return
        await receive().catch(() => outcomes.push('rejected'))
      },
    })
    const errors = collect(socket, 'error')
    await until(socket, 'handshaking')
    await vi.waitFor(() => expect(server.clients).toBe(1))
    const closed = next(socket, 'close')
    server.closeAll(4002, 'too slow')
    expect(await closed).toMatchObject({ code: 4002, reason: 'too slow', wasOpen: false })
    await until(socket, 'open')
    expect(outcomes).toEqual(['rejected'])
    expect(errors).toEqual([])
  })

  test('leaves what it does not take, delivered in order after open', async () => {
    const server = await serve('sink')
    const told: string[] = []
    const socket = connect<string, string>(server.url, {
      codec: text(),
      async handshake({ send, receive }) {
        send('hello')
        expect(await receive()).toBe('welcome')
        await vi.waitFor(() => expect(server.received).toContain('go'))
      },
    })
    socket.on('open', () => told.push('open'))
    socket.on('message', message => told.push(message))
    await vi.waitFor(() => expect(server.received).toEqual(['hello']))
    for (const message of ['welcome', 'news 1', 'news 2', 'news 3']) server.send(message)

    const other = connect<string, string>(server.url, { codec: text() })
    await until(other, 'open')
    expect(told).toEqual([])
    other.send('go')
    await until(socket, 'open')
    server.send('news 4')
    await vi.waitFor(() => expect(told).toHaveLength(5))
    expect(told).toEqual(['open', 'news 1', 'news 2', 'news 3', 'news 4'])
  })
})
