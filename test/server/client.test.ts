/** The two halves that we ship, over real WebSockets, and a network between them that is not. */

import { expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import {
  json,
  type Options,
  type Provider,
  ReconnectingSocket,
  resumable,
  sequence,
  text,
} from '../../src/index'
import { msgpack } from '../../src/msgpack'
import { collect, next, until as reaches } from '../support/events'
import { random } from '../support/random'
import { startByteProxy } from './byte-proxy'
import { cleanup, proxied, serve, until } from './rig'

const range = (length: number) => Array.from({ length }, (_, n) => n)

interface Numbered {
  readonly n: number
  readonly pad?: string
}

function connect(url: Provider<string>, options: Options<Numbered, Numbered> = {}) {
  const socket = new ReconnectingSocket<Numbered, Numbered>(url, {
    WebSocket,
    session: resumable(),
    backoff: { baseMs: 20, maxMs: 100 },
    closeTimeoutMs: 200,
    ...options,
  })
  cleanup(() => socket.close())
  return socket
}

const MESSAGES = 10_000
const CUTS = 60

test.each([
  ['JSON', json()],
  ['MessagePack', msgpack()],
] as const)(
  '10 000 messages each way as %s, through 60 connections that end at any byte, a third of them half-open',
  async (name, codec) => {
    const { below } = random(name.length)
    const up: number[] = []
    const served = await serve({ codec, queue: { maxMessages: MESSAGES } }, async session => {
      for await (const message of session) up.push((message as Numbered).n)
    })
    let made = 0
    const proxy = await startByteProxy(served, () => ({
      bytes: made++ < CUTS ? 1 + below(made % 5 ? 60_000 : 1_000) : Infinity,
      isZombie: made % 3 === 0,
      lateMs: below(300),
    }))
    cleanup(() => proxy.close())
    const socket = connect(proxy.url, {
      codec,
      queue: { maxMessages: MESSAGES },
      heartbeat: { intervalMs: 100, timeoutMs: 100 },
      connectTimeoutMs: 500,
      minUptimeMs: 0,
    })
    const down = collect(socket, 'message')
    const [losses, lost, errors] = [
      collect(socket, 'sessionLost'),
      collect(socket, 'undelivered'),
      collect(socket, 'error'),
    ]
    await until(() => served.sessions.length)
    const [session] = served.sessions
    const pad = () => 'x'.repeat(below(200))
    const deliveries: Promise<unknown>[] = []
    for (let n = 0; n < MESSAGES; n++) {
      if (n % 100) socket.send({ n, pad: pad() })
      else deliveries.push(socket.deliver({ n, pad: pad() }))
      session?.send({ n, pad: pad() })
      if (n % 50 === 0) await new Promise(resolve => setTimeout(resolve, below(5)))
    }
    await until(() => up.length >= MESSAGES && down.length >= MESSAGES)
    // What the dead still have to say
    await new Promise(resolve => setTimeout(resolve, 350))

    expect(up).toEqual(range(MESSAGES))
    expect(down.map(({ n }) => n)).toEqual(range(MESSAGES))
    expect(new Set(await Promise.all(deliveries))).toEqual(new Set(['acknowledged']))
    expect(proxy.ended.reset + proxy.ended.zombies).toBeGreaterThanOrEqual(50)
    expect(proxy.ended.zombies).toBeGreaterThanOrEqual(15)
    expect([losses, lost, served.errors]).toEqual([[], [], []])
    expect(errors).toEqual([])
    expect(served.server.stats()).toMatchObject({ begun: 1, ended: 0, undelivered: 0 })
    expect((await socket.close()).undelivered).toEqual([])
    await until(() => served.server.stats().sessions === 0)
  },
  60_000,
)

test('a server that was killed has lost the session: what it consumed is not told as certainly lost, and all else is told', async () => {
  const consumed: number[] = []
  const first = await serve({}, session => {
    session.on('message', message => consumed.push((message as Numbered).n))
  })
  const proxy = await proxied(first)
  let port = proxy.port
  const socket = connect(() => `ws://127.0.0.1:${port}`)
  const [losses, undelivered] = [collect(socket, 'sessionLost'), collect(socket, 'undelivered')]
  const fates = range(50).map(n =>
    socket.deliver({ n }).then(
      () => 'acknowledged',
      (error: { code: string }) => error.code,
    ),
  )
  await until(() => consumed.length === 50)
  // What is on its way now is never heard of again
  proxy.stall('both')
  const lateFates = range(50).map(n =>
    socket.deliver({ n: 50 + n }).then(
      () => 'acknowledged',
      (error: { code: string }) => error.code,
    ),
  )
  const second = await serve({}, session => {
    session.on('message', message => consumed.push((message as Numbered).n))
  })
  port = second.port
  proxy.cut('rst')
  await until(() => losses.length)
  expect(losses).toMatchObject([{ reason: 'unknown' }])
  expect(losses[0]?.undelivered.length).toBeGreaterThan(0)
  expect(losses[0]?.undelivered.every(({ code, certain }) => code === 'session-lost' && !certain)).toBe(true)
  const all = await Promise.all([...fates, ...lateFates])
  const lost = all.flatMap((fate, n) => (fate === 'session-lost' ? [n] : []))
  expect(lost).toEqual(losses[0]?.undelivered.map(({ message }) => message.n))
  // What had not been sent yet goes out in the next session
  await until(() => all.every((fate, n) => fate !== 'acknowledged' || consumed.includes(n)))
  expect(range(100).filter(n => !lost.includes(n) && !consumed.includes(n))).toEqual([])
  expect(undelivered).toEqual([])
})

test.each([
  ['resend-certain', [0, 1]],
  ['resend-all', [0, 1]],
] as const)(
  'a session that expired says how far it had got: %s sends again what did not arrive',
  async (onSessionLost, again) => {
    const consumed: number[][] = []
    const served = await serve({ ttlMs: 100 }, session => {
      const mine: number[] = []
      consumed.push(mine)
      session.on('message', message => mine.push((message as Numbered).n))
    })
    const proxy = await proxied(served)
    const socket = connect(proxy.url, { session: resumable({ onSessionLost }) })
    const losses = collect(socket, 'sessionLost')
    await reaches(socket, 'open')
    proxy.stall('up')
    const deliveries = again.map(n => socket.deliver({ n }))
    await vi.waitFor(() => expect(socket.queuedMessages).toBe(0))
    proxy.refuse()
    proxy.cut('rst')
    await until(() => served.server.stats().ended === 1)
    await proxy.accept()
    proxy.resume()
    expect(await Promise.all(deliveries)).toEqual(['acknowledged', 'acknowledged'])
    expect(consumed).toEqual([[], [...again]])
    expect(losses).toMatchObject([{ reason: 'expired', undelivered: [], received: 0 }])
  },
)

test('a reader that is slow slows down the server, and loses nothing', async () => {
  const served = await serve({ queue: { maxMessages: 5_000 } })
  const socket = connect(served.url, { session: resumable({ win: 8 }) })
  await until(() => served.sessions.length)
  const [session] = served.sessions
  for (const n of range(1_000)) session?.send({ n })
  // Nobody listens: what may come has come, and the rest waits where it is
  await until(() => session?.queuedMessages === 992)
  const seen: number[] = []
  for await (const { n } of socket) {
    seen.push(n)
    if (seen.length === 10) expect(session?.queuedMessages).toBeGreaterThan(900)
    if (seen.length === 1_000) break
  }
  expect(seen).toEqual(range(1_000))
})

test('close({ drain }) waits for the acknowledgement of all; the server then ends the session', async () => {
  const consumed: number[] = []
  const served = await serve({}, session => {
    session.on('message', message => consumed.push((message as Numbered).n))
  })
  const socket = connect(served.url)
  for (const n of range(500)) socket.send({ n })
  expect((await socket.close({ drain: true })).undelivered).toEqual([])
  expect(consumed).toEqual(range(500))
  await until(() => served.server.stats().sessions === 0)
})

test('auth is asked for on each connection; forbidden is final', async () => {
  const served = await serve()
  const proxy = await proxied(served)
  const asked: number[] = []
  const socket = connect(proxy.url, {
    session: resumable({
      auth: async ({ attempt }: { attempt: number }) => {
        asked.push(attempt)
        return asked.length < 3 ? 'somebody' : 'somebody else'
      },
    }),
  })
  await reaches(socket, 'open')
  const again = next(socket, 'open')
  proxy.cut('rst')
  expect(await again).toMatchObject({ resumed: true })
  const closed = reaches(socket, 'closed')
  proxy.cut('rst')
  await closed
  expect(asked).toHaveLength(3)
  expect(socket.transitions.at(-1)?.reason).toMatch(/^4403/)
})

test('a heartbeat of the session keeps a quiet connection, measures it, and finds a half-open one', async () => {
  const served = await serve()
  const proxy = await proxied(served)
  const socket = connect(proxy.url, { heartbeat: { intervalMs: 30, timeoutMs: 100 } })
  await until(() => socket.roundTripMs !== undefined)
  const closed = next(socket, 'close')
  proxy.stall('both')
  expect(await closed).toMatchObject({ code: 1006, reason: 'heartbeat timeout' })
  const again = next(socket, 'open')
  proxy.cut('rst')
  proxy.resume()
  expect(await again).toMatchObject({ resumed: true })
})

test('text that is not JSON is the same on both sides; JSON that is no string is an error, and skipped', async () => {
  const served = await serve({ codec: text() as never }, session =>
    session.on('message', message => session.send(`<${message}>`)),
  )
  const socket = new ReconnectingSocket(served.url, { WebSocket, session: resumable(), codec: text() })
  cleanup(() => socket.close())
  socket.send('say "hi"')
  expect(await next(socket, 'message')).toBe('<say "hi">')

  // A server that spells as JSON what we read as text
  const other = await serve({}, session => session.on('message', () => [7, 'fine'].map(m => session.send(m))))
  const astray = new ReconnectingSocket(other.url, { WebSocket, session: resumable(), codec: text() })
  cleanup(() => astray.close())
  const [errors, messages] = [collect(astray, 'error'), collect(astray, 'message')]
  astray.send('')
  await until(() => messages.length)
  expect(messages).toEqual(['fine'])
  expect(errors).toMatchObject([{ code: 'decode', data: '7' }])
})

test.each(['handshake', 'sequence'] as const)(
  '%s is refused beside session: it would never be asked',
  name => {
    const beside = { handshake: () => {}, sequence: sequence({ of: () => 1 }) }
    expect(
      () =>
        new ReconnectingSocket('ws://server.test', {
          autoConnect: false,
          session: resumable(),
          [name]: beside[name],
        }),
    ).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        message: `${name}: expected nothing beside session`,
      }),
    )
  },
)

test('limits of a session that are not whole are rounded down, and those that JSON cannot say are refused', async () => {
  const served = await serve()
  const socket = connect(served.url, { session: resumable({ win: 8.5, maxMessageBytes: 1_000.5 }) })
  await socket.opened()
  for (const options of [{ win: Infinity }, { maxMessageBytes: Infinity }, { win: 0.5 }])
    expect(() => resumable(options)).toThrow(expect.objectContaining({ code: 'invalid-option' }))
})

test('a volatile message that is too large for the server is undelivered, and the session lives', async () => {
  const served = await serve({ maxMessageBytes: 100 }, session => session.on('message', () => {}))
  const socket = connect(served.url)
  const [undelivered, losses] = [collect(socket, 'undelivered'), collect(socket, 'sessionLost')]
  await socket.opened()
  socket.send({ n: 1, pad: 'x'.repeat(1_000) }, { volatile: true })
  expect(await socket.deliver({ n: 2 })).toBe('acknowledged')
  expect(undelivered).toMatchObject([{ code: 'too-large', certain: true }])
  expect(losses).toEqual([])
})

test.each(['listener', 'loop'])(
  'a client that never stops talking to a %s does not keep a server from draining: all that it consumed is answered',
  async how => {
    const undelivered: unknown[] = []
    const answered: number[] = []
    const { url, server } = await serve({}, async session => {
      session.on('undelivered', event => undelivered.push(event))
      const answer = (message: unknown) => {
        answered.push((message as Numbered).n)
        session.send(message)
      }
      if (how === 'listener') session.on('message', answer)
      else for await (const message of session) answer(message)
    })
    const heard: number[] = []
    const client = connect(url)
    client.on('message', ({ n }) => heard.push(n))
    await client.opened()
    let said = 0
    const talk = setInterval(() => client.send({ n: ++said }), 1)
    cleanup(() => clearInterval(talk))
    // By then not each message is acknowledged at once
    await until(() => heard.length > 100)
    const started = performance.now()
    await server.close({ timeoutMs: 2_000 })
    // Quiet after a half, and then as long as an acknowledgement takes
    expect(performance.now() - started).toBeLessThan(1_900)
    expect(undelivered).toEqual([])
    await until(() => heard.length === answered.length)
  },
)

test('messages without a number do not pile up in a client where nobody listens; those with one wait', async () => {
  const served = await serve()
  const socket = connect(served.url, { session: resumable({ win: 4 }) })
  await reaches(socket, 'open')
  await until(() => served.sessions.length)
  const [session] = served.sessions
  const before = socket.stats().messagesIn
  for (let n = 0; n < 100; n++) session?.send({ n }, { volatile: true })
  for (let n = 100; n < 104; n++) session?.send({ n })
  await until(() => socket.stats().messagesIn === before + 104)
  const messages = collect(socket, 'message')
  await until(() => messages.at(-1)?.n === 103)
  expect(messages.map(({ n }) => n)).toEqual([0, 1, 2, 3, 100, 101, 102, 103])
})
