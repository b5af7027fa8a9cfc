/** What a server tells of itself: records of all that happens, without anything that is secret, and figures. */

import { expect, test } from 'vitest'
import { type ServerLogRecord, SessionServer } from '../../src/server'
import { FakeServerSocket } from './fake-socket'
import { dial, fakeClock, HELLO, serve, until } from './rig'

test('a record for each occurrence, in order, with the names of whom it is about', async () => {
  const clock = fakeClock()
  const records: ServerLogRecord[] = []
  const { url, server, sessions } = await serve({
    clock,
    log: record => records.push(record),
    authenticate: ({ auth }) => (auth === 'nobody' ? undefined : 'ada'),
  })
  const client = await dial(url)
  const { sid } = await client.welcome({ id: 'c1', key: 'top secret', auth: 'token' })
  const who = { id: 'c1', sid, principal: 'ada' }
  clock.advance(10)
  sessions[0]?.send('in flight')
  client.send('not a frame')
  await client.closed
  const stranger = await dial(url)
  stranger.hello({ auth: 'nobody' })
  await stranger.closed
  const back = await dial(url)
  await back.welcome({ id: 'c1', key: 'top secret', sid, ack: 0, epoch: 2 })
  back.socket.close(1000)
  await until(() => sessions[0]?.reason)
  await server.close({ timeoutMs: 0 })
  await until(() => records.at(-1)?.type === 'closed')
  expect(records).toEqual([
    { at: 1_000, type: 'begun', ...who },
    { at: 1_000, type: 'connected', connection: 1, ...who, resumed: false },
    { at: 1_010, type: 'disconnected', connection: 1, ...who, code: 4400, reason: 'not a frame' },
    {
      at: 1_010,
      type: 'refused',
      connection: 2,
      id: HELLO.id,
      sid: undefined,
      principal: undefined,
      code: 4401,
      reason: 'unauthenticated',
    },
    { at: 1_010, type: 'connected', connection: 3, ...who, resumed: true },
    { at: 1_010, type: 'disconnected', connection: 3, ...who, code: 1000, reason: '' },
    { at: 1_010, type: 'ended', ...who, reason: 'closed', undelivered: 1 },
    { at: 1_010, type: 'closing' },
    { at: 1_010, type: 'closed' },
  ])
})

test('neither key nor auth are ever in it, nor what errors say', async () => {
  const lines: string[] = []
  const { url, errors } = await serve({
    clock: fakeClock(),
    log: record => lines.push(JSON.stringify(record)),
    authenticate({ auth }) {
      if (auth === 'hunter2') throw Object.assign(new Error(`no user for ${auth}`), { code: 'EDB' })
      return 'ada'
    },
  })
  for (const [n, more] of [
    { auth: 'hunter2' },
    { auth: 'swordfish' },
    { auth: 'swordfish', key: 'another-key' },
  ].entries()) {
    const client = await dial(url)
    client.hello({ key: 'the-key', epoch: n + 1, ...more })
    await Promise.race([client.next(), client.closed])
  }
  await until(() => lines.some(line => line.includes('4403')))
  const all = lines.join('\n')
  expect(all).not.toMatch(/hunter2|swordfish|the-key|another-key/)
  expect(all).toMatch(/"type":"error","name":"Error","code":"EDB"/)
  expect(errors).toHaveLength(1)
})

test.each([
  [
    'throws',
    () => {
      throw new Error('disk full')
    },
  ],
  [
    'rejects',
    async () => {
      throw new Error('disk full')
    },
  ],
])('a log that %s is an error event, and the server goes on', async (_, log) => {
  const { url, errors, server } = await serve({ log }, session =>
    session.on('message', message => session.send(message as never)),
  )
  const client = await dial(url)
  await client.welcome()
  client.msg(1, 'hi')
  expect(await client.next()).toMatchObject({ kind: 'msg', data: '"hi"' })
  await until(() => errors.length === 2)
  expect(errors).toMatchObject([{ message: 'disk full' }, { message: 'disk full' }])
  expect(server.stats().connected).toBe(1)
})

test('a log may call the server: it finds a step that is done', () => {
  const clock = fakeClock()
  const seen: unknown[] = []
  const server: SessionServer = new SessionServer({
    authenticate: () => 'ada',
    clock,
    log({ type }) {
      const { connections, waiting, refused } = server.stats()
      seen.push({ type, connections, waiting, refused })
      if (type === 'refused') void server.close()
    },
  })
  const [one, two] = [new FakeServerSocket(), new FakeServerSocket()]
  for (const socket of [one, two]) server.accept(socket, undefined)
  one.say('nonsense')
  expect(two.code).toBe(4503)
  expect(seen[0]).toEqual({ type: 'refused', connections: 2, waiting: 1, refused: 1 })
  one.end()
  two.end()
})

test('figures add up', async () => {
  const clock = fakeClock()
  const { url, server, sessions } = await serve({ clock, limits: { sessionsPerPrincipal: 2 } })
  const [a, b] = [await dial(url), await dial(url)]
  await a.welcome({ id: 'a', win: 1 })
  await b.welcome({ id: 'b' })
  b.msg(1, 'not consumed')
  for (let n = 0; n < 5; n++) sessions[0]?.send('four')
  await until(() => server.stats().unconsumed)
  expect(server.stats()).toMatchObject({
    connections: 2,
    sessions: 2,
    connected: 2,
    detached: 0,
    queuedMessages: 4,
    queuedBytes: 24,
    inFlightBytes: 6,
    unconsumed: 1,
    evicted: 0,
    limited: 0,
  })
  b.cut()
  await until(() => server.stats().detached)
  await (await dial(url)).welcome({ id: 'c' })
  expect(server.stats()).toMatchObject({ sessions: 2, connected: 2, detached: 0, evicted: 1, unconsumed: 0 })
})

test('what is told is done: a session that has begun is connected', async () => {
  const seen: unknown[] = []
  const { url, server } = await serve({
    log({ type }) {
      if (type === 'begun') seen.push(server.stats().connected, server.stats().waiting)
    },
  })
  await (await dial(url)).welcome()
  expect(seen).toEqual([1, 0])
})
