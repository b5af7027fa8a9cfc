/** Before the hello nobody is anybody: so it takes little time, few places and small frames. */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { SessionServer } from '../../src/server'
import { parseFrame } from '../../src/wire/frames'
import { FakeServerSocket } from './fake-socket'
import { cleanup, dial, event, fakeClock, HELLO, ping, serve, until } from './rig'

const hello = `[0,${JSON.stringify(HELLO)}]`

/** A client of bytes: what comes after the upgrade is said by hand. */
const wire = async (port: number) => {
  const socket = connect(port, '127.0.0.1')
  cleanup(() => socket.destroy())
  socket.on('error', () => {})
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  await once(socket, 'data')
  const came: Buffer[] = []
  socket.on('data', data => came.push(data))
  /** A frame of WebSocket, masked by nothing. */
  const frame = (opcode: number, payload: string, isLast = true) =>
    Buffer.concat([
      Buffer.from([
        (isLast ? 128 : 0) | opcode,
        ...(payload.length < 126
          ? [128 | payload.length]
          : [128 | 126, payload.length >> 8, payload.length & 255]),
        ...[0, 0, 0, 0],
      ]),
      Buffer.from(payload),
    ])
  return { socket, frame, came, ended: once(socket, 'close') }
}

test('who says nothing, and who says it byte by byte, is closed in time', async () => {
  const clock = fakeClock()
  let asked = 0
  const { port, server } = await serve({ clock, authenticate: () => `${++asked}` })
  const [silent, slow, dripping] = await Promise.all([wire(port), wire(port), wire(port)])
  const bytes = slow.frame(1, hello)
  // A frame that never ends, and a message of fragments that has no last one
  for (let second = 0; second < 9; second++) {
    slow.socket.write(bytes.subarray(second, second + 1))
    dripping.socket.write(dripping.frame(second ? 0 : 1, hello[second] ?? '', false))
    clock.advance(1_000)
  }
  expect(server.stats()).toMatchObject({ waiting: 3, refused: 0 })
  clock.advance(1_000)
  expect(server.stats()).toMatchObject({ waiting: 0, refused: 3 })
  // Nor do they have to agree
  clock.advance(2_000)
  await Promise.all([silent.ended, slow.ended, dripping.ended])
  expect([server.stats().connections, asked, clock.timers.size]).toEqual([0, 0, 0])
})

test('pings put nothing off, neither those of WebSocket nor frames that nobody knows', async () => {
  const clock = fakeClock()
  const { url, server } = await serve({ clock })
  const [pinging, chatting] = [await dial(url), await dial(url)]
  for (let second = 0; second < 9; second++) {
    pinging.socket.ping()
    chatting.send('[99]')
    await once(pinging.socket, 'pong')
    clock.advance(1_000)
  }
  expect(server.stats().waiting).toBe(2)
  clock.advance(1_000)
  expect(await pinging.closed).toEqual({ code: 4408, reason: 'hello timeout' })
  expect(await chatting.closed).toEqual({ code: 4408, reason: 'hello timeout' })
})

test('nor are they listened to for long', async () => {
  const { url, server } = await serve({ clock: fakeClock() })
  const [pinging, chatting] = [await dial(url), await dial(url)]
  await ping(pinging, 64)
  for (let n = 0; n < 64; n++) chatting.send('[99]')
  expect(server.stats().refused).toBe(0)
  pinging.socket.ping()
  chatting.send('[99]')
  expect(await pinging.closed).toEqual({ code: 4400, reason: 'too early' })
  expect(await chatting.closed).toEqual({ code: 4400, reason: 'too early' })
  expect(server.stats().refused).toBe(2)
})

test('pings of WebSocket while we authenticate count, too', async () => {
  const { url } = await serve({ clock: fakeClock(), authenticate: () => new Promise<string>(() => {}) })
  const client = await dial(url)
  client.hello()
  await ping(client, 63)
  client.socket.ping()
  expect(await client.closed).toEqual({ code: 4400, reason: 'too early' })
})

test('so many may wait: the one that has been silent for the longest makes room for the next', async () => {
  const clock = fakeClock()
  const { url, server } = await serve({
    clock,
    limits: { waiting: 3 },
    authenticate: ({ auth }) => (auth === 'slow' ? new Promise<string>(() => {}) : String(auth)),
  })
  const slow = await dial(url)
  slow.hello({ id: 'slow', auth: 'slow' })
  // It has said something when the others come
  await until(() => server.stats().waiting === 1 && slow.socket.bufferedAmount === 0)
  await ping(slow, 1)
  const silent = [await dial(url), await dial(url)]
  const honest = await dial(url)
  expect(await silent[0]?.closed).toMatchObject({
    code: 4503,
    reason: expect.stringMatching(/^crowded; retry=\d+$/),
  })
  await honest.welcome({ auth: 'ada' })
  expect(server.stats()).toMatchObject({ waiting: 2, sessions: 1 })
  expect([slow, silent[1]].map(client => client?.socket.readyState)).toEqual([1, 1])
})

test('if all who wait have said hello, it is the newcomer that finds no room', async () => {
  const { url, server } = await serve({
    clock: fakeClock(),
    limits: { waiting: 2 },
    authenticate: () => new Promise<string>(() => {}),
  })
  for (const id of ['a', 'b']) {
    const client = await dial(url)
    client.hello({ id })
    await ping(client, 1)
  }
  const newcomer = await dial(url)
  expect(await newcomer.closed).toMatchObject({ code: 4503 })
  expect(server.stats()).toMatchObject({ waiting: 2, refused: 1 })
})

test('there are so many connections at most; those who are on their way out do not count', async () => {
  const { url, server } = await serve({ clock: fakeClock(), limits: { connections: 2 } })
  const [one, two] = [await dial(url), await dial(url)]
  await one.welcome({ id: '1' })
  await two.welcome({ id: '2' })
  const three = await dial(url)
  expect(await three.closed).toMatchObject({ code: 4503, reason: expect.stringMatching(/^full; retry=\d+$/) })
  await until(() => server.stats().connections === 2)
  // Its client does not answer
  two.socket.pause()
  for (const session of server.sessions) if (session.id === '2') session.close()
  expect(server.stats().connections).toBe(2)
  await (await dial(url)).welcome({ id: '4' })
})

test('10 000 silent connections cost no more than those that may wait', () => {
  const server = new SessionServer({
    authenticate: () => 'ada',
    clock: fakeClock(),
    limits: { waiting: 100 },
  })
  const sockets = Array.from({ length: 10_000 }, () => {
    const socket = new FakeServerSocket()
    server.accept(socket, undefined)
    return socket
  })
  expect(server.stats().waiting).toBe(100)
  expect(sockets.filter(({ code }) => code === 4503)).toHaveLength(9_900)
  // The latest are those that wait
  expect(sockets.slice(-100).every(({ code }) => code === undefined)).toBe(true)
  for (const socket of sockets) socket.end()
  expect(server.stats().connections).toBe(0)
})

/** A server whose `ws` is told what is the largest frame. */
const bounded = async (maxMessageBytes: number) => {
  const server = new SessionServer({ authenticate: () => 'ada', maxMessageBytes })
  const received: unknown[] = []
  server.on('session', session => session.on('message', message => received.push(message)))
  const http = createServer()
  const webSockets = new WebSocketServer({ server: http, maxPayload: server.maxPayload })
  // As `ws` reports what it refuses by itself
  webSockets.on('connection', (socket, request) => server.accept(socket, request))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  cleanup(async () => {
    await server.close({ timeoutMs: 0 })
    webSockets.close()
    http.closeAllConnections()
    await new Promise(resolve => http.close(resolve))
  })
  return { server, received, url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}` }
}

test('maxPayload lets every frame through that we take, and no larger one into memory', async () => {
  const { server, received, url } = await bounded(100_000)
  expect(server.maxPayload).toBe(100_064)
  const client = await dial(url)
  await client.welcome()
  // Quotes included
  client.msg(1, 'x'.repeat(99_998))
  await until(() => received.length)
  client.socket.send(`[2,2,0,"${'x'.repeat(200_000)}"]`)
  expect(await client.closed).toMatchObject({ code: 1009 })
  await until(() => !server.stats().connected)
  expect(server.stats()).toMatchObject({ sessions: 1, detached: 1 })
  // A hello has to fit whatever messages may be
  expect((await bounded(1)).server.maxPayload).toBe(12_288)
})

test('a message of the largest size is taken, one byte more ends its session', async () => {
  const got: unknown[] = []
  const { url, sessions } = await serve({ maxMessageBytes: 1_000 }, session =>
    session.on('message', message => got.push(message)),
  )
  const client = await dial(url)
  await client.welcome()
  client.msg(1, 'x'.repeat(998))
  await until(() => got.length)
  const ended = event(sessions[0] as never, 'ended')
  client.msg(2, 'x'.repeat(999))
  expect(await client.closed).toMatchObject({ code: 4413 })
  expect(await ended).toBe('too large')
})

test('a hello of the largest size is taken, with all its auth', async () => {
  const seen: unknown[] = []
  const { url } = await serve({
    authenticate({ auth }) {
      seen.push(auth)
      return 'ada'
    },
  })
  const room = 4_096 - `[0,${JSON.stringify({ ...HELLO, auth: '' })}]`.length
  const client = await dial(url)
  await client.welcome({ auth: 'x'.repeat(room) })
  const rude = await dial(url)
  rude.hello({ auth: 'x'.repeat(room + 1) })
  expect(await rude.closed).toEqual({ code: 4400, reason: 'too large' })
  expect(seen).toEqual(['x'.repeat(room)])
})

test('a hello as deep as it is long harms nobody', async () => {
  const { url } = await serve({ authenticate: () => 'ada' })
  const deep = `${'['.repeat(1_900)}${']'.repeat(1_900)}`
  const frame = `[0,${JSON.stringify(HELLO).slice(0, -1)},"auth":${deep}}]`
  expect(parseFrame(frame)).toMatchObject({ kind: 'hello' })
  const client = await dial(url)
  client.send(frame)
  expect(await client.next()).toMatchObject({ kind: 'welcome' })
})

test('a connection that was closed before it was accepted is nobody', async () => {
  const server = new SessionServer({ authenticate: () => 'ada', clock: fakeClock(), limits: { waiting: 1 } })
  for (let n = 0; n < 3; n++) {
    const socket = new FakeServerSocket()
    socket.end()
    server.accept(socket, undefined)
  }
  expect(server.stats()).toMatchObject({ connections: 0, waiting: 0, refused: 3 })
})

test('who goes on and on after the end is cut off before its time', () => {
  const server = new SessionServer({ authenticate: () => 'ada', clock: fakeClock() })
  let say: (event: { type: string; data: unknown }) => void = () => {}
  let end: (event: { type: string; code: number }) => void = () => {}
  let codes: unknown[] = []
  server.accept(
    {
      readyState: 1,
      send() {},
      close: code => codes.push(code),
      terminate: () => codes.push('terminated'),
      addEventListener(type, listener) {
        if (type === 'message') say = listener
        if (type === 'close') end = listener
      },
    },
    undefined,
  )
  for (let n = 0; n < 10_000; n++) say({ type: 'message', data: 'nonsense' })
  expect(codes).toEqual([4400])
  codes = []
  for (let n = 0; n < 10_000; n++) say({ type: 'message', data: 'nonsense' })
  expect(codes).toEqual(['terminated'])
  end({ type: 'close', code: 1006 })
  expect(server.stats().connections).toBe(0)
})
