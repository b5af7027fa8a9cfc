/** How fast one client may speak: whatever it says, however often it comes back. */

import { expect, test } from 'vitest'
import { type ServerOptions, SessionServer } from '../../src/server'
import { createBucket } from '../../src/server/bucket'
import { createThrottle } from '../../src/server/throttle'
import { usedHeap } from '../support/heap'
import { random } from '../support/random'
import { connectSession } from '../support/session-client'
import { FakeServerSocket } from './fake-socket'
import { cleanup, dial, fakeClock, HELLO, ping, serve, until } from './rig'

const RETRY = /^rate limited; retry=(\d+)$/

/** A hundred in a second, and as many at once. */
const slow = { messagesPerSecond: 100, burstMs: 1_000 }

test.each([
  ['messages', (n: number) => `[2,${n},0,1]`],
  ['acknowledgements', () => '[3,0]'],
  ['pings', () => '[4]'],
  ['pongs', () => '[5]'],
  ['volatile messages', () => '[6,1]'],
  ['frames that nobody knows', () => '[99]'],
  ['duplicates', () => '[2,1,0,1]'],
] as const)(
  '%s count: over the rate the connection ends with 4429, and the session is kept',
  async (_, frame) => {
    const clock = fakeClock()
    const { url, server, sessions } = await serve({ clock, rate: slow, win: 1_000 }, session =>
      session.on('message', () => {}),
    )
    const client = await dial(url)
    const { sid } = await client.welcome()
    for (let n = 1; n <= 100; n++) client.send(frame(n))
    clock.advance(10)
    client.send(frame(101))
    client.send(frame(102))
    const { code, reason } = await client.closed
    expect([code, Number(reason.match(RETRY)?.[1])]).toEqual([4429, 500])
    expect(server.stats()).toMatchObject({ limited: 1, sessions: 1, detached: 1 })
    expect(sessions[0]).toMatchObject({ sid, reason: undefined })
  },
)

test('pings of WebSocket itself count, too', async () => {
  const { url, server } = await serve({ clock: fakeClock(), rate: slow })
  const client = await dial(url)
  await client.welcome()
  await ping(client, 100)
  expect(server.stats().limited).toBe(0)
  client.socket.ping()
  expect(await client.closed).toMatchObject({ code: 4429 })
  expect(server.stats().limited).toBe(1)
})

test('bytes count, if there is a rate for them; one large message is taken, and has to be paid for', async () => {
  const clock = fakeClock()
  const got: unknown[] = []
  const { url } = await serve({ clock, rate: { bytesPerSecond: 1_000, burstMs: 1_000 } }, session =>
    session.on('message', message => got.push(message)),
  )
  const client = await dial(url)
  await client.welcome()
  client.msg(1, 'x'.repeat(2_990))
  await until(() => got.length)
  // 2 000 in debt
  clock.advance(2_000)
  client.msg(2, 'y')
  const { reason } = await client.closed
  expect(Number(reason.match(RETRY)?.[1])).toBeGreaterThanOrEqual(500)
  expect(got).toHaveLength(1)
})

test('who comes back too early is refused at once, and nobody is asked who it is', async () => {
  const clock = fakeClock()
  let asked = 0
  const { url, server } = await serve({ clock, rate: slow, authenticate: () => `${++asked && 'ada'}` })
  const client = await dial(url)
  const { sid } = await client.welcome()
  for (let n = 0; n < 101; n++) client.send('[4]')
  await client.closed
  for (let epoch = 2; epoch < 20; epoch++) {
    const early = await dial(url)
    early.hello({ epoch, sid, ack: 0 })
    const { code, reason } = await early.closed
    expect(code).toBe(4429)
    expect(Number(reason.match(RETRY)?.[1])).toBe(500 - 20 * (epoch - 2))
    clock.advance(20)
  }
  expect(asked).toBe(1)
  // Somebody else is none the worse
  await (await dial(url)).welcome({ id: 'another' })
  clock.advance(140)
  const late = await dial(url)
  expect(await late.welcome({ epoch: 30, sid, ack: 0 })).toMatchObject({ sid })
  // Half of what may come at once
  for (let n = 0; n < 51; n++) late.send('[4]')
  expect(await late.closed).toMatchObject({ code: 4429 })
  expect(server.stats()).toMatchObject({ limited: 20, begun: 2, resumed: 1 })
})

test('a session that begins anew makes not good for the one before', async () => {
  const { url } = await serve({ clock: fakeClock(), rate: slow })
  const client = await dial(url)
  await client.welcome()
  for (let n = 0; n < 80; n++) client.send('[4]')
  for (let n = 0; n < 80; n++) await client.next()
  client.socket.close(1000)
  await client.closed
  const again = await dial(url)
  await again.welcome({ epoch: 2 })
  for (let n = 0; n < 21; n++) again.send('[4]')
  expect(await again.closed).toMatchObject({ code: 4429 })
})

test('a client that is too fast loses nothing: it is only slowed down', async () => {
  const got: number[] = []
  const { url, server } = await serve({ rate: { messagesPerSecond: 1_000, burstMs: 100 } }, session =>
    session.on('message', message => got.push(message as number)),
  )
  const client = connectSession(url, () => {})
  cleanup(() => client.close())
  for (let n = 0; n < 1_000; n++) client.send(n)
  await until(() => client.settled.length === 1_000)
  expect(got).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
  expect(client.losses).toEqual([])
  expect(server.stats().limited).toBeGreaterThan(0)
  expect(server.stats()).toMatchObject({ begun: 1, ended: 0 })
})

test('10 000 messages at once are no attack', async () => {
  const clock = fakeClock()
  const server = new SessionServer({ authenticate: () => 'ada', clock })
  let received = 0
  server.on('session', session => session.on('message', () => received++))
  const socket = new FakeServerSocket()
  server.accept(socket, undefined)
  socket.say(`[0,${JSON.stringify(HELLO)}]`)
  await until(() => server.stats().sessions)
  // Subscribed a moment later
  socket.say('[2,1,0,1]')
  await until(() => received)
  for (let n = 2; n <= 10_000; n++) socket.say(`[2,${n},0,1]`)
  expect([received, server.stats().limited]).toEqual([10_000, 0])
  socket.end()
})

test('a bucket never gives more than its burst and its rate, however it is asked', () => {
  const { below, next } = random(3)
  for (let round = 0; round < 200; round++) {
    const [perSecond, burst] = [1 + below(1_000), 1 + below(500)]
    const bucket = createBucket(perSecond, burst, 0)
    let now = 0
    let taken = 0
    for (let n = 0; n < 500; n++) {
      now += below(4) ? 0 : next() * 100
      if (bucket.take(1, now)) taken++
      expect(taken).toBeLessThanOrEqual(Math.ceil(burst + (now * perSecond) / 1_000))
      const wait = bucket.wait(now)
      const isThere = createBucket(perSecond, burst, 0)
      expect(wait).toBeLessThanOrEqual(((burst / 2 + 1) / perSecond) * 1_000)
      expect(isThere.isFull(now)).toBe(true)
    }
    now += (burst / perSecond) * 1_000 + 1_000
    expect(bucket.isFull(now)).toBe(true)
    // A clock that goes back gives nothing
    expect(bucket.take(burst, now)).toBe(true)
    expect(bucket.take(1, now - 1_000)).toBe(false)
    expect(bucket.take(1, now)).toBe(false)
  }
})

const settings = (rate: ServerOptions['rate'], hellosPerSecond = 1) => ({
  rate: { messagesPerSecond: 10, burstMs: 1_000, ...rate } as { messagesPerSecond: number; burstMs: number },
  limits: { hellosPerSecond } as never,
})

test('of 100 000 clients and principals only those are remembered who said something of late', () => {
  const throttle = createThrottle(settings({}))
  const before = usedHeap()
  for (let n = 0; n < 100_000; n++) {
    throttle.heard(`client ${n}`, 1, n)
    throttle.hello(`principal ${n}`, n * 20)
  }
  expect(usedHeap() - before).toBeLessThan(5_000_000)
  // Whoever spoke too much is not forgotten for that
  for (let n = 0; n < 11; n++) throttle.hello('eve', 2_000_000)
  for (let n = 0; n < 5_000; n++) throttle.hello(`other ${n}`, 2_000_100)
  expect(throttle.hello('eve', 2_000_200)).toBeGreaterThan(0)
})
