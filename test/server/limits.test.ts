/** Nobody fills a server's memory: not with sessions, not with hellos, not by reading nothing, and not by asking. */

import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ReconnectingSocket, resumable } from '../../src/index'
import { type ServerOptions, type Session, SessionServer } from '../../src/server'
import { collect, next } from '../support/events'
import { usedHeap } from '../support/heap'
import { FakeServerSocket } from './fake-socket'
import { cleanup, dial, event, fakeClock, HELLO, proxied, serve, until } from './rig'

const hello = (id: string, more: object = {}) => `[0,${JSON.stringify({ ...HELLO, id, ...more })}]`

/** Without a network, and as many as one likes. */
const inside = (options: Partial<ServerOptions> = {}) => {
  const clock = fakeClock()
  const server = new SessionServer({ authenticate: ({ auth }) => String(auth ?? 'eve'), clock, ...options })
  const sessions: Session[] = []
  const refused: string[] = []
  server.on('session', session => sessions.push(session))
  server.on('refused', ({ code, reason }) => refused.push(`${code} ${reason.replace(/;.*/, '')}`))
  /** Comes, and waits for the answer. */
  const come = async (id: string, more: object = {}) => {
    const socket = new FakeServerSocket()
    server.accept(socket, undefined)
    socket.say(hello(id, more))
    await until(() => socket.sent.length || socket.code)
    return socket
  }
  return { server, sessions, refused, clock, come }
}

test('a client that was evicted is told so, and so is the application', async () => {
  const { url, port, sessions, server } = await serve({ limits: { sessionsPerPrincipal: 2 } })
  const proxy = await proxied({ port })
  const socket = new ReconnectingSocket(proxy.url, {
    WebSocket,
    session: resumable({ auth: 'ada' }),
    backoff: { baseMs: 1, maxMs: 10 },
  })
  cleanup(() => socket.close())
  await next(socket, 'open')
  const session = sessions[0] as Session
  const losses = collect(socket, 'sessionLost')
  proxy.refuse()
  proxy.cut('rst')
  await event(session, 'disconnected')
  session.send('too late')
  const ended = event(session, 'ended')
  const undelivered = event(session, 'undelivered')
  const others = [await dial(url), await dial(url)]
  for (const [n, other] of others.entries()) await other.welcome({ id: `other ${n}`, auth: 'ada' })
  expect(await ended).toBe('evicted')
  expect(await undelivered).toEqual({ message: 'too late', code: 'ended', certain: true })
  others[0]?.cut()
  await until(() => server.stats().detached === 1)
  await proxy.accept()
  await until(() => losses.length)
  expect(losses).toMatchObject([{ reason: 'evicted' }])
  expect(server.stats()).toMatchObject({ sessions: 2, connected: 2, evicted: 2 })
})

test('who has all sessions connected is refused another, with a time to come again; others are let in', async () => {
  const { url, server, sessions } = await serve({ limits: { sessionsPerPrincipal: 2 } })
  const mine = [await dial(url), await dial(url)]
  for (const [n, client] of mine.entries()) await client.welcome({ id: `mine ${n}`, auth: 'ada' })
  const third = await dial(url)
  third.hello({ id: 'third', auth: 'ada' })
  expect(await third.closed).toEqual({
    code: 4429,
    reason: expect.stringMatching(/^too many sessions; retry=\d{4,5}$/),
  })
  await (await dial(url)).welcome({ id: 'third', auth: 'bob' })
  expect(sessions).toHaveLength(3)
  expect(server.stats()).toMatchObject({ evicted: 0, limited: 1 })
  expect(mine.map(({ socket }) => socket.readyState)).toEqual([1, 1])
})

test('a server that is full says so, with 4503', async () => {
  const { url } = await serve({ limits: { sessions: 1 } })
  await (await dial(url)).welcome({ id: 'one', auth: 'ada' })
  const other = await dial(url)
  other.hello({ id: 'other', auth: 'bob' })
  expect(await other.closed).toMatchObject({ code: 4503, reason: expect.stringMatching(/^full; retry=\d+$/) })
})

test('10 000 hellos of one principal, at once and with a new name each, leave what its limits say', async () => {
  const { server, sessions, refused, come } = inside({
    limits: { sessionsPerPrincipal: 50, hellosPerSecond: 20 },
  })
  for (let n = 0; n < 10_000; n++) (await come(`eve ${n}`)).end()
  // Ten seconds' worth
  expect(sessions).toHaveLength(200)
  expect(server.stats()).toMatchObject({ sessions: 50, evicted: 150, refused: 9_800, connections: 0 })
  expect(new Set(refused)).toEqual(new Set(['4429 too many hellos']))
  // Of no consequence to others
  await come('ada', { auth: 'ada' })
  expect(server.stats().sessions).toBe(51)
})

test('and spread over hours they leave no more: neither sessions nor tombs', async () => {
  const { server, sessions, clock, come } = inside({ limits: { sessionsPerPrincipal: 50 } })
  const visit = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      const socket = await come(`eve ${n} ${'x'.repeat(100)}`)
      socket.say('[2,1,0,1]')
      socket.end(n % 2 ? 1000 : 1006)
      clock.advance(100)
      // We keep none of them
      sessions.length = 0
    }
  }
  await visit(0, 1_000)
  const before = usedHeap()
  await visit(1_000, 5_000)
  // 4 000 tombs would be some megabytes
  expect(usedHeap() - before).toBeLessThan(1_000_000)
  expect(server.stats().sessions).toBeLessThanOrEqual(50)
  expect(server.stats()).toMatchObject({ connections: 0, begun: 5_000 })
})

test('a client that begins anew again and again leaves one session and few tombs', async () => {
  const { server, clock, come } = inside()
  let lost: unknown
  let sid = ''
  for (let epoch = 1; epoch <= 2_000; epoch++) {
    const socket = await come('eve', { epoch, ...(epoch === 2_000 && { sid, ack: 0 }) })
    const [, welcome] = JSON.parse(String(socket.sent[0])) as [number, { sid: string; lost?: unknown }]
    socket.say('[4]')
    if (epoch === 1) ({ sid } = welcome)
    ;({ lost } = welcome)
    clock.advance(20)
  }
  expect(server.stats()).toMatchObject({ sessions: 1, begun: 2_000, ended: 1_999 })
  // The first of them is long forgotten
  expect(lost).toEqual({ reason: 'unknown' })
})

test('what is kept for those who are away is bounded, whoever they are', async () => {
  const { server, sessions, come } = inside({ limits: { detachedBytes: 100_000 } })
  for (let n = 0; n < 100; n++) (await come(`c${n}`, { auth: `user ${n}` })).end()
  for (const session of sessions) {
    // Whoever was evicted meanwhile is not sent to
    if (session.reason === undefined) session.send('x'.repeat(9_998))
  }
  expect(server.stats()).toMatchObject({ sessions: 10, evicted: 90, queuedBytes: 100_000 })
  expect(sessions.slice(0, 90).every(({ reason }) => reason === 'evicted')).toBe(true)
})

test('a client that reads nothing is sent so much, and the rest waits, or is refused', async () => {
  const { server, sessions, come, clock } = inside({
    queue: { maxBytes: 50_000, highWaterMarkBytes: 10_000, maxInFlightBytes: 30_000 },
  })
  const socket = await come('eve', { win: 100_000 })
  const session = sessions[0] as Session
  const message = 'x'.repeat(998)
  // What it is sent stays in the WebSocket
  const grow = () => {
    socket.bufferedAmount = socket.sent.reduce((sum, { length }) => sum + length, 0)
  }
  let sent = 0
  for (; sent < 1_000; sent++) {
    grow()
    try {
      session.send(message)
    } catch {
      break
    }
  }
  expect(sent).toBeLessThanOrEqual(62)
  expect(session.queuedBytes).toBe(50_000)
  for (let n = 0; n < 5_000; n++) {
    grow()
    // It asks, and sends, and acknowledges nothing: all of which has an answer
    socket.say('[4]')
    socket.say(`[2,${n + 1},0,1]`)
    session.send('now or never', { volatile: true })
    clock.advance(1)
  }
  grow()
  expect(socket.bufferedAmount).toBeLessThan(20_000)
  expect(server.stats().queuedBytes).toBe(50_000)
  socket.end()
})

test('acknowledgements that had no room are made good, in one, when there is room', async () => {
  const { sessions, come, clock } = inside({ queue: { highWaterMarkBytes: 1_000 } })
  const socket = await come('ada')
  sessions[0]?.on('message', () => {})
  await until(() => sessions[0])
  const before = socket.sent.length
  socket.bufferedAmount = 1_000
  for (let n = 1; n <= 100; n++) socket.say(`[2,${n},0,1]`)
  await until(() => sessions[0]?.unconsumed === 0)
  clock.advance(1_000)
  expect(socket.sent).toHaveLength(before)
  socket.bufferedAmount = 0
  clock.advance(20)
  expect(socket.sent.slice(before)).toEqual(['[3,100]'])
  socket.end()
})

test.each([
  ['a message', 'anything'],
  ['another acknowledgement', undefined],
])(
  'an acknowledgement that had no room, and was made good by %s, is not written twice',
  async (_, answer) => {
    const { sessions, come, clock } = inside({ queue: { highWaterMarkBytes: 1_000 } })
    const socket = await come('ada')
    sessions[0]?.on('message', () => {})
    await until(() => sessions[0])
    const before = socket.sent.length
    socket.bufferedAmount = 1_000
    for (let n = 1; n <= 4; n++) socket.say(`[2,${n},0,1]`)
    await until(() => sessions[0]?.unconsumed === 0)
    // There is room again, and the server does not know it yet
    socket.bufferedAmount = 0
    if (answer) sessions[0]?.send(answer)
    else for (let n = 5; n <= 6; n++) socket.say(`[2,${n},0,1]`)
    clock.advance(1_000)
    expect(socket.sent.slice(before)).toEqual([answer ? `[2,1,4,"${answer}"]` : '[3,6]'])
    socket.end()
  },
)

test('bytes in flight are bounded by bytes, not by messages alone', async () => {
  const { url, sessions, server } = await serve({ queue: { maxInFlightBytes: 10_000 } })
  const client = await dial(url)
  await client.welcome({ win: 1_024 })
  const session = sessions[0] as Session
  for (let n = 0; n < 100; n++) session.send('x'.repeat(2_998))
  expect(server.stats().inFlightBytes).toBe(12_000)
  for (let n = 1; n <= 100; n++) {
    expect(await client.next()).toMatchObject({ kind: 'msg', seq: n })
    client.send({ kind: 'ack', ack: n })
  }
  await until(() => !server.stats().inFlightBytes)
})

test('an application that does not consume: the window bounds messages, and a limit their bytes', async () => {
  const { url, server, sessions, errors } = await serve({
    win: 1_000,
    limits: { unconsumedBytes: 100_000 },
  })
  const client = await dial(url)
  const { sid } = await client.welcome()
  for (let n = 1; n <= 200; n++) client.msg(n, 'x'.repeat(998))
  expect(await client.closed).toMatchObject({
    code: 4429,
    reason: expect.stringMatching(/^not consumed; retry=\d+$/),
  })
  expect(server.stats()).toMatchObject({ unconsumed: 100, sessions: 1, limited: 1 })
  // Nothing was lost: what was not taken is sent again, and by then is consumed
  const got: unknown[] = []
  sessions[0]?.on('message', message => got.push(message))
  await until(() => got.length === 100)
  const back = await dial(url)
  expect(await back.welcome({ epoch: 2, sid, ack: 0 })).toMatchObject({ sid, ack: 100 })
  for (let n = 101; n <= 200; n++) back.msg(n, n)
  await until(() => got.length === 200)
  expect(errors).toEqual([])
})

test('one message is always taken, however large; volatile ones are dropped instead', async () => {
  const { url, server, sessions } = await serve({ limits: { unconsumedBytes: 1_000 } })
  const client = await dial(url)
  await client.welcome()
  const large = 'x'.repeat(5_000)
  client.msg(1, large)
  for (let n = 0; n < 100; n++) client.send({ kind: 'volatile', data: '"y"' })
  client.send({ kind: 'ping' })
  expect(await client.next()).toEqual({ kind: 'pong' })
  expect(server.stats()).toMatchObject({ unconsumed: 1, connected: 1 })
  const got: unknown[] = []
  sessions[0]?.on('message', message => got.push(message))
  await until(() => got.length)
  // Now there is room
  client.send({ kind: 'volatile', data: '"z"' })
  await until(() => got.length > 1)
  expect(got).toEqual([large, 'z'])
})

test.each([
  ['limits.sessions', { limits: { sessions: 0 } }],
  ['limits.waiting', { limits: { waiting: -1 } }],
  ['limits.detachedBytes', { limits: { detachedBytes: NaN } }],
  ['limits.hellosPerSecond', { limits: { hellosPerSecond: 0 } }],
  ['limits', { limits: { sesions: 1 } }],
  ['rate.messagesPerSecond', { rate: { messagesPerSecond: '10' } }],
  ['rate.bytesPerSecond', { rate: { bytesPerSecond: -1 } }],
  ['rate.burstMs', { rate: { burstMs: 0 } }],
  ['queue.maxInFlightBytes', { queue: { maxInFlightBytes: 0 } }],
  ['log', { log: 'console' }],
])('%s is checked', (path, options) => {
  expect(() => new SessionServer({ authenticate: () => 'ada', ...(options as object) })).toThrow(
    expect.objectContaining({
      code: 'invalid-option',
      message: expect.stringContaining(`options.${path}: `),
    }),
  )
})
