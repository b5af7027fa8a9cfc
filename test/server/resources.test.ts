/** Nothing may be left behind, however clients come and go; and nothing that they say may throw. */

import { expect, test } from 'vitest'
import { type Session, SessionServer } from '../../src/server'
import { createDeadlines, type Timed } from '../../src/server/deadlines'
import { random } from '../support/random'
import { FakeServerSocket } from './fake-socket'
import { fakeClock, HELLO, until } from './rig'

const soon = () => new Promise(resolve => setImmediate(resolve))

const hello = (id: string, epoch = 1, sid?: string) =>
  `[0,${JSON.stringify({ ...HELLO, id, epoch, ...(sid && { sid, ack: 0 }) })}]`

test('1 000 sessions that come and go, each in its own way, leave no timer, no socket and no session', async () => {
  const clock = fakeClock()
  const server = new SessionServer({
    authenticate: ({ auth }) => String(auth ?? 'x'),
    clock,
    ttlMs: 1_000,
    limits: { hellosPerSecond: 1_000 },
  })
  const ended: string[] = []
  const errors: unknown[] = []
  // An answer that comes too late is not one
  server.on('error', error => errors.push(error))
  server.on('session', async session => {
    session.on('ended', reason => ended.push(reason))
    session.send('welcome', { ttlMs: 60_000 })
    if (session.id.endsWith('3')) return
    for await (const _ of session) session.send('answer')
  })
  for (let i = 0; i < 1_000; i++) {
    const socket = new FakeServerSocket()
    server.accept(socket, undefined)
    socket.say(hello(`client-${i}`))
    if (i % 5 === 4) {
      // While it is authenticated
      socket.end()
      continue
    }
    await until(() => socket.sent.length)
    socket.say('[2,1,0,"a"]')
    socket.say('[2,2,0,"b"]')
    if (i % 5 === 0) socket.end(1000)
    else if (i % 5 === 1) socket.end(1006)
    else if (i % 5 === 2) socket.say('garbage')
    else socket.say('[2,9,9,9]')
    if (i % 5 === 1) {
      const again = new FakeServerSocket()
      server.accept(again, undefined)
      again.say(hello(`client-${i}`, 2, JSON.parse(socket.sent[0] as string)[1].sid))
      await until(() => again.sent.length)
      again.end(1001)
    }
  }
  await until(() => server.stats().waiting === 0)
  expect(clock.timers.size).toBe(1)
  clock.advance(1_000)
  await until(() => server.stats().connections === 0)
  await soon()
  expect(server.stats()).toMatchObject({ sessions: 0, connected: 0, begun: 800, ended: 800, resumed: 200 })
  expect(ended).toHaveLength(800)
  expect(FakeServerSocket.live).toBe(0)
  expect(clock.timers.size).toBe(0)
  expect(server.sessions.size).toBe(0)
  expect(errors).toEqual([])
})

test('whatever comes, before hello and after, throws nothing and grows nothing', async () => {
  const { below, pick, next } = random(11)
  const clock = fakeClock()
  const errors: unknown[] = []
  const server = new SessionServer({ authenticate: () => 'x', clock, win: 16 })
  server.on('error', error => errors.push(error))
  const sessions: Session[] = []
  server.on('session', session => sessions.push(session))
  const bytes = () => Uint8Array.from({ length: below(40) }, () => below(256))
  const texts = [
    '[2,1,0,1]',
    '[3,0]',
    '[4]',
    '[5]',
    '[6,"v"]',
    '[99,1]',
    '[1,{}]',
    '[2,1,0,',
    '[[[[',
    '',
    'null',
  ]
  const garbage = (): unknown =>
    pick([
      () => pick(texts),
      () => pick(texts).slice(0, below(9)),
      bytes,
      () => bytes().buffer,
      () => Buffer.from(pick(texts)),
      () => [Buffer.from('[4'), Buffer.from(']')],
      () => Uint8Array.from([2, 1, 0, ...bytes()]),
      () => hello(`c${below(5)}`, below(1_000)),
      () => undefined,
      () => new Blob(['[4]']),
      () => `[2,${below(4)},0,${next()}]`,
    ])()
  for (let i = 0; i < 3_000; i++) {
    const socket = new FakeServerSocket()
    server.accept(socket, undefined)
    if (below(4)) socket.say(hello(`c${below(5)}`, i + 1))
    if (below(2)) await soon()
    if (below(2)) await soon()
    for (let n = below(20); n > 0; n--) socket.say(garbage())
    if (below(2)) socket.end(pick([1000, 1001, 1006, 4400, 4413, 0]))
    clock.advance(below(2_000))
    for (const session of sessions.splice(0)) if (below(3)) session.on('message', () => {})
  }
  await soon()
  expect(server.stats().sessions).toBeLessThanOrEqual(5)
  expect([...server.sessions].every(({ unconsumed }) => unconsumed <= 16)).toBe(true)
  expect(server.stats().begun).toBeGreaterThan(300)
  expect(errors.filter(error => (error as { code?: string }).code !== 'decode')).toEqual([])
  clock.advance(1_000_000)
  await until(() => server.stats().connections === 0)
  expect(server.stats().sessions).toBe(0)
  expect(clock.timers.size).toBe(0)
  // Who was given up is told a moment later
  await until(() => FakeServerSocket.live === 0)
}, 30_000)

test('a store that fails is an error event, and the server goes on', async () => {
  const fail = () => {
    throw new Error('store')
  }
  const errors: unknown[] = []
  const server = new SessionServer({
    authenticate: () => 'x',
    store: { take: fail, touch: fail, push: fail, recv: fail, ack: fail, end: fail },
    clock: fakeClock(),
  })
  server.on('error', error => errors.push(error))
  const socket = new FakeServerSocket()
  server.accept(socket, undefined)
  socket.say(hello('a'))
  await until(() => errors.length)
  expect(errors).toMatchObject([{ message: 'store' }])
  socket.end()
  expect(server.stats()).toMatchObject({ connections: 0, sessions: 0 })
})

test('deadlines come true in order, by one timer, however they are moved', () => {
  const { below } = random(5)
  const clock = fakeClock()
  const deadlines = createDeadlines(clock)
  const items = Array.from({ length: 100 }, () => {
    const item: Timed & { at: number; readonly ran: number[] } = {
      at: Infinity,
      ran: [],
      due: () => item.at,
      run(now) {
        expect(now).toBeGreaterThanOrEqual(item.at)
        item.ran.push(now - item.at)
        item.at = Infinity
      },
    }
    return item
  })
  for (let i = 0; i < 20_000; i++) {
    const item = items[below(100)]
    if (!item) continue
    const move = below(10)
    if (move === 0) {
      item.at = Infinity
      deadlines.remove(item)
    } else {
      item.at = clock.now() + below(1_000)
      deadlines.update(item)
    }
    if (below(10) === 0) clock.advance(below(50))
    expect(clock.timers.size).toBeLessThanOrEqual(1)
    expect(deadlines.size).toBe(items.filter(({ at }) => at < Infinity).length)
  }
  clock.advance(1_000)
  // None was late
  expect(items.flatMap(({ ran }) => ran).filter(late => late)).toEqual([])
  expect(items.flatMap(({ ran }) => ran).length).toBeGreaterThan(1_000)
  expect([deadlines.size, clock.timers.size]).toEqual([0, 0])
})
