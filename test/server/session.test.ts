/** What an application has of a session. */

import { expect, test, vi } from 'vitest'
import { type Session, SessionServer } from '../../src/server'
import { connectSession } from '../support/session-client'
import { cleanup, dial, event, fakeClock, HELLO, Raw, serve, until } from './rig'

test('several clients have a session each, and each gets its own answers', async () => {
  const { url, server } = await serve({}, async session => {
    for await (const message of session) session.send({ to: session.principal, message })
  })
  const heard = [0, 1, 2, 3, 4].map(n => {
    const messages: unknown[] = []
    const client = connectSession(url, data => messages.push(JSON.parse(data as string)), {
      auth: `user-${n}`,
    })
    cleanup(() => client.close())
    for (let i = 0; i < 20; i++) client.send(i)
    return messages
  })
  await until(() => heard.every(messages => messages.length === 20))
  heard.forEach((messages, n) => {
    expect(messages).toEqual(Array.from({ length: 20 }, (_, i) => ({ to: `user-${n}`, message: i })))
  })
  expect([...server.sessions].map(({ principal }) => principal).sort()).toEqual(
    heard.map((_, n) => `user-${n}`),
  )
  expect(server.stats()).toEqual({
    connections: 5,
    waiting: 0,
    sessions: 5,
    connected: 5,
    detached: 0,
    queuedMessages: 0,
    queuedBytes: 0,
    inFlightBytes: expect.any(Number),
    unconsumed: 0,
    begun: 5,
    resumed: 0,
    ended: 0,
    evicted: 0,
    refused: 0,
    limited: 0,
    received: 100,
    undelivered: 0,
  })
})

test('sessions can be iterated as they begin, until the server is closed', async () => {
  const { url, server } = await serve()
  const principals: string[] = []
  const over = (async () => {
    for await (const session of server) principals.push(session.principal)
  })()
  for (const [n, auth] of ['ada', 'bob'].entries()) await (await dial(url)).welcome({ id: `c${n}`, auth })
  await until(() => principals.length === 2)
  expect(principals).toEqual(['ada', 'bob'])
  await server.close({ timeoutMs: 0 })
  await over
})

test('messages wait until somebody listens, and are told in order', async () => {
  const { url, sessions } = await serve()
  const client = await dial(url)
  await client.welcome()
  for (let i = 1; i <= 3; i++) client.msg(i, i)
  const [session] = sessions
  await until(() => session?.unconsumed === 3)
  const got: unknown[] = []
  session?.on('message', message => got.push(message))
  expect(got).toEqual([])
  await until(() => got.length === 3)
  expect(got).toEqual([1, 2, 3])
  expect(session?.unconsumed).toBe(0)
})

test('a listener that has left hears no more, and messages wait again', async () => {
  const { url, sessions } = await serve()
  const client = await dial(url)
  await client.welcome()
  const [session] = sessions
  const got: unknown[] = []
  const off = session?.on('message', message => {
    got.push(message)
    off?.()
    off?.()
  })
  client.msg(1, 1)
  client.msg(2, 2)
  await until(() => session?.unconsumed === 1)
  expect(got).toEqual([1])
})

test('to leave a loop counts as having dealt with its message; another loop goes on; two at once are refused', async () => {
  const { url, sessions } = await serve()
  const client = await dial(url)
  await client.welcome()
  for (let i = 1; i <= 3; i++) client.msg(i, i)
  const session = sessions[0] as Session
  for await (const message of session) {
    expect(message).toBe(1)
    expect(() => session[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'invalid-option' }))
    break
  }
  await until(() => session.unconsumed === 2)
  const got: unknown[] = []
  for await (const message of session) {
    got.push(message)
    if (got.length === 2) session.close()
  }
  expect(got).toEqual([2, 3])
})

test('what listeners throw, or reject with, is an error event; the others, the session and the server go on', async () => {
  const { url, server, sessions, errors } = await serve({}, session => {
    session.on('message', () => {
      throw new Error('thrown')
    })
    session.on('message', async () => {
      throw new Error('rejected')
    })
    session.on('message', message => session.send(message as never))
    session.on('connected', () => {
      throw new Error('connected')
    })
  })
  server.on('session', async session => {
    throw new Error(`session of ${session.principal}`)
  })
  const client = await dial(url)
  await client.welcome({ auth: 'ada' })
  client.msg(1, 'still here')
  expect(await client.next()).toMatchObject({ kind: 'msg', data: '"still here"' })
  await until(() => errors.length === 4)
  expect(errors.map(error => (error as Error).message).sort()).toEqual([
    'connected',
    'rejected',
    'session of ada',
    'thrown',
  ])
  expect(sessions[0]).toMatchObject({ connected: true, unconsumed: 0 })
})

test('errors that nobody listens to go to the console, and so do those of error listeners', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  cleanup(() => log.mockRestore())
  const server = new SessionServer({
    authenticate() {
      throw new Error('oops')
    },
  })
  const listeners: Record<string, (event: never) => void> = {}
  let closed = 0
  server.accept(
    {
      readyState: 1,
      send() {},
      close: code => {
        closed = code ?? 0
      },
      addEventListener(type, listener) {
        listeners[type] = listener as never
      },
    },
    undefined,
  )
  listeners.message?.({ data: `[0,${JSON.stringify(HELLO)}]` } as never)
  await until(() => closed)
  expect(closed).toBe(4401)
  expect(log).toHaveBeenCalledWith(expect.objectContaining({ message: 'oops' }))
  listeners.close?.({ code: 4401 } as never)
})

test('send answers false above the high-water mark, drains, and throws at the limit', async () => {
  const { url, sessions } = await serve({ queue: { maxMessages: 10 } })
  const client = await dial(url)
  await client.welcome({ win: 1 })
  const session = sessions[0] as Session
  expect(session.send(0)).toBe(true)
  const answers = Array.from({ length: 10 }, (_, i) => session.send(i + 1))
  expect(answers).toEqual([true, true, true, true, false, false, false, false, false, false])
  expect(session.queuedMessages).toBe(10)
  expect(() => session.send('too much')).toThrow(expect.objectContaining({ code: 'queue-full' }))
  const drained = Promise.all([session.drained(), event(session, 'drain')])
  for (let i = 1; i <= 11; i++) {
    expect(await client.next()).toMatchObject({ kind: 'msg', seq: i, data: `${i - 1}` })
    client.send({ kind: 'ack', ack: i })
  }
  await drained
  expect(session.queuedMessages).toBe(0)
  await session.drained()
})

test('what the codec refuses is thrown by send', async () => {
  const { url, sessions } = await serve()
  await (await dial(url)).welcome()
  expect(() => sessions[0]?.send(() => {})).toThrow(expect.objectContaining({ code: 'encode' }))
})

test('a session without a connection that is full ends; one message that would never fit does not end it', async () => {
  const { url, sessions } = await serve({ queue: { maxMessages: 2, maxBytes: 1_000 } })
  const client = await dial(url)
  await client.welcome()
  const session = sessions[0] as Session
  client.cut()
  await event(session, 'disconnected')
  expect(() => session.send('x'.repeat(2_000))).toThrow(expect.objectContaining({ code: 'queue-full' }))
  expect(session.reason).toBeUndefined()
  session.send(1)
  session.send(2)
  const ended = event(session, 'ended')
  expect(() => session.send(3)).toThrow(expect.objectContaining({ code: 'queue-full' }))
  expect(await ended).toBe('overflow')
})

test('keys, lifetimes and dropping policies report what they cost', async () => {
  const clock = fakeClock()
  const { url, sessions } = await serve({ clock, queue: { maxMessages: 2, overflow: 'drop-oldest' } })
  const client = await dial(url)
  await client.welcome({ max: 10 })
  const session = sessions[0] as Session
  const undelivered: unknown[] = []
  session.on('undelivered', told => undelivered.push(told))
  session.send('larger than the client takes')
  client.cut()
  await event(session, 'disconnected')
  session.send('a', { key: 'price' })
  session.send('b', { key: 'price' })
  session.send('c', { ttlMs: 1_000 })
  clock.advance(1_000)
  session.send('d')
  session.send('e')
  expect(undelivered).toEqual([
    { message: 'larger than the client takes', code: 'too-large', certain: true },
    { message: 'a', code: 'replaced', certain: true },
    { message: 'c', code: 'expired', certain: true },
    { message: 'b', code: 'queue-full', certain: true },
  ])
})

test('more waits than a WebSocket should hold until it has room', async () => {
  const clock = fakeClock()
  const server = new SessionServer({ authenticate: () => 'ada', clock, queue: { highWaterMarkBytes: 100 } })
  cleanup(() => server.close({ timeoutMs: 0 }))
  const sessions: Session[] = []
  server.on('session', session => sessions.push(session))
  const listeners: Record<string, (event: never) => void> = {}
  const sent: unknown[] = []
  const webSocket = {
    readyState: 1,
    bufferedAmount: 0,
    send: (data: unknown) => sent.push(data),
    close() {},
    addEventListener(type: string, listener: unknown) {
      listeners[type] = listener as never
    },
  }
  server.accept(webSocket, undefined)
  listeners.message?.({ data: `[0,${JSON.stringify(HELLO)}]` } as never)
  await until(() => sessions.length)
  webSocket.bufferedAmount = 100
  sessions[0]?.send('waits')
  // Answers to pings would pile up too
  listeners.message?.({ data: '[4]' } as never)
  expect(sent).toHaveLength(1)
  webSocket.bufferedAmount = 0
  clock.advance(20)
  expect(sent[1]).toBe('[2,1,0,"waits"]')
  listeners.close?.({ code: 1006 } as never)
})

test('events come in the order of what happened, and the end is the last', async () => {
  const told: unknown[] = []
  const { url, sessions } = await serve({}, session => {
    for (const name of ['connected', 'message', 'disconnected', 'undelivered', 'ended'] as const)
      session.on(name as 'ended', event => {
        told.push(name === 'connected' ? name : [name, event])
      })
  })
  const client = await dial(url)
  await client.welcome()
  client.msg(1, 'hi')
  await until(() => told.length === 2)
  sessions[0]?.send('answer')
  await client.next()
  client.socket.close(1000)
  await until(() => sessions[0]?.reason)
  expect(told).toEqual([
    'connected',
    ['message', 'hi'],
    ['disconnected', { code: 1000, reason: '' }],
    ['undelivered', { message: 'answer', code: 'ended', certain: false }],
    ['ended', 'closed'],
  ])
})

test('a WebSocket in the manner of browsers is as good as one of the ws package', () => {
  // A matter of types
  const accept = (server: SessionServer, browser: WebSocket, node: Raw['socket']) => {
    server.accept(browser, undefined)
    server.accept(node, undefined)
  }
  expect(accept).toBeTypeOf('function')
  expect(Raw).toBeTypeOf('function')
})

const authenticate = () => 'somebody'

test.each([
  [{}, 'options.authenticate: expected function'],
  [{ authenticate, win: 0 }, 'options.win: Too small: expected number to be >=1'],
  [{ authenticate, ttlMs: '1 day' }, 'options.ttlMs: Invalid input: expected number, received string'],
  [
    { authenticate, queue: { overflow: 'drop' } },
    'options.queue.overflow: Invalid option: expected one of "throw"|"drop-oldest"|"drop-newest"',
  ],
  [{ authenticate, maxMesages: 1 }, 'options: Unrecognized key: "maxMesages"'],
  [{ authenticate, codec: { encode() {} } }, 'options.codec: expected object encode decode'],
  [undefined, 'options: Invalid input: expected object, received undefined'],
])('options are checked, with the path and what was expected: %o', (options, message) => {
  const make = () => new SessionServer(options as never)
  expect(make).toThrow(expect.objectContaining({ code: 'invalid-option', message }))
})
