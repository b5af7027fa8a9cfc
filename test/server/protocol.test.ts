/** What a server says and does, frame by frame. */

import { expect, test } from 'vitest'
import { msgpack } from '../../src/msgpack'
import { FORBIDDEN } from '../../src/server'
import { text } from '../../src/wire/codec'
import type { Frame } from '../../src/wire/frames'
import { dial, event, fakeClock, HELLO, proxied, serve, until } from './rig'

test('the first hello is answered by a welcome that says all limits', async () => {
  const { url, sessions } = await serve({
    win: 7,
    maxMessageBytes: 1_000,
    ttlMs: 5_000,
    heartbeat: { intervalMs: 3_000 },
  })
  const client = await dial(url)
  const welcome = await client.welcome({ auth: 'ada' })
  expect(welcome).toEqual({
    v: 1,
    nonce: 'nonce',
    sid: expect.stringMatching(/^[\w-]{16}$/),
    ack: 0,
    win: 7,
    max: 1_000,
    ttl: 5_000,
    hb: 3_000,
  })
  const [session] = sessions
  expect(session).toMatchObject({ id: 'client-1', sid: welcome.sid, principal: 'ada', connected: true })
})

test('limits that are not whole are told as whole numbers', async () => {
  const { url } = await serve({
    maxMessageBytes: 1_000.5,
    ttlMs: 5_000.5,
    heartbeat: { intervalMs: 3_000.5 },
  })
  const client = await dial(url)
  expect(await client.welcome()).toMatchObject({ max: 1_000, ttl: 5_001, hb: 3_001 })
})

test('messages go both ways as JSON, spliced in, and carry acknowledgements', async () => {
  const { url } = await serve({}, session =>
    session.on('message', message => session.send({ echo: message })),
  )
  const client = await dial(url)
  await client.welcome()
  client.send('[2,1,0,{"a":[1,2]}]')
  expect(await client.next()).toEqual({ kind: 'msg', seq: 1, ack: 0, data: '{"echo":{"a":[1,2]}}' })
  client.msg(2, 'b', 1)
  // What is consumed by then is acknowledged along the way
  expect(await client.next()).toEqual({ kind: 'msg', seq: 2, ack: 1, data: '{"echo":"b"}' })
})

test('MessagePack travels in binary frames', async () => {
  const codec = msgpack()
  const { url } = await serve({ codec }, session =>
    session.on('message', message => session.send({ echo: message, at: new Date(0) })),
  )
  const client = await dial(url)
  await client.welcome()
  const data = codec.encode(new Uint8Array([1, 2])) as Uint8Array<ArrayBuffer>
  client.send({ kind: 'msg', seq: 1, ack: 0, data })
  const frame = (await client.next()) as Extract<Frame, { kind: 'msg' }>
  expect(codec.decode(frame.data)).toEqual({ echo: new Uint8Array([1, 2]), at: new Date(0) })
})

test('text that is not JSON travels as a JSON string, and JSON that is no string is skipped', async () => {
  const { url, sessions, errors } = await serve({ codec: text() as never }, session =>
    session.on('message', message => session.send(`<${message}>`)),
  )
  const client = await dial(url)
  await client.welcome()
  client.send('[2,1,0,"say \\"hi\\""]')
  expect(await client.next()).toMatchObject({ kind: 'msg', data: '"<say \\"hi\\">"' })
  client.send('[2,2,0,7]')
  await until(() => errors.length)
  expect(errors).toMatchObject([{ code: 'decode', data: '7' }])
  expect(sessions[0]).toMatchObject({ unconsumed: 0, connected: true })
})

test('a text frame that an echo made binary is text nevertheless', async () => {
  const { url } = await serve({}, session => session.on('message', message => session.send(message as never)))
  const client = await dial(url)
  client.send(new TextEncoder().encode(`[0,${JSON.stringify(HELLO)}]`))
  expect(await client.next()).toMatchObject({ kind: 'welcome' })
  client.send(new TextEncoder().encode('[2,1,0,"ä"]'))
  expect(await client.next()).toMatchObject({ data: '"ä"' })
})

test('a message that the codec refuses is an error event, consumed and acknowledged', async () => {
  const clock = fakeClock()
  const got: unknown[] = []
  const { url, errors } = await serve({ clock, win: 4 }, session =>
    session.on('message', message => got.push(message)),
  )
  const client = await dial(url)
  await client.welcome()
  client.send('[2,1,0,{oops}]')
  client.msg(2, 'fine')
  expect(await client.next()).toEqual({ kind: 'ack', ack: 2 })
  expect(got).toEqual(['fine'])
  expect(errors).toMatchObject([{ code: 'decode', data: '{oops}' }])
})

test('at first eight messages are acknowledged at once, a single one after 250 ms, and no acknowledgement is', async () => {
  const clock = fakeClock()
  const { url, sessions } = await serve({ clock }, session => session.on('message', () => {}))
  const client = await dial(url)
  await client.welcome()
  for (let n = 1; n <= 8; n++) client.msg(n, n)
  expect(await client.next()).toEqual({ kind: 'ack', ack: 8 })
  client.msg(9, 9)
  client.send({ kind: 'ping' })
  expect(await client.next()).toEqual({ kind: 'pong' })
  clock.advance(249)
  client.send({ kind: 'ping' })
  expect(await client.next()).toEqual({ kind: 'pong' })
  clock.advance(1)
  expect(await client.next()).toEqual({ kind: 'ack', ack: 9 })
  sessions[0]?.send('x')
  expect(await client.next()).toMatchObject({ kind: 'msg', ack: 9 })
  client.send({ kind: 'ack', ack: 1 })
  clock.advance(1_000)
  client.send({ kind: 'ping' })
  expect(await client.next()).toEqual({ kind: 'pong' })
})

test('who reads slowly withholds acknowledgements, and the window bounds what waits', async () => {
  const clock = fakeClock()
  const { url, sessions } = await serve({ clock, win: 4 })
  const client = await dial(url)
  await client.welcome()
  for (let i = 1; i <= 4; i++) client.msg(i, i)
  await until(() => sessions[0]?.unconsumed === 4)
  clock.advance(1_000)
  client.send({ kind: 'ping' })
  expect(await client.next()).toEqual({ kind: 'pong' })
  const [session] = sessions
  if (!session) throw new Error('none')
  const messages = session[Symbol.asyncIterator]()
  expect(await messages.next()).toEqual({ done: false, value: 1 })
  expect(session.unconsumed).toBe(4)
  expect(await messages.next()).toEqual({ done: false, value: 2 })
  expect(session.unconsumed).toBe(3)
  expect(await messages.next()).toEqual({ done: false, value: 3 })
  expect(await client.next()).toEqual({ kind: 'ack', ack: 2 })
  // One more than the window
  client.msg(5, 5)
  client.msg(6, 6)
  client.msg(7, 7)
  expect(await client.closed).toEqual({ code: 4400, reason: 'too many' })
})

test('a session goes on where it was after its connection was cut', async () => {
  const served = await serve({}, session => session.on('message', message => got.push(message)))
  const got: unknown[] = []
  const proxy = await proxied(served)
  const first = await dial(proxy.url)
  const { sid } = await first.welcome()
  const [session] = served.sessions
  if (!session) throw new Error('none')
  first.msg(1, 'a')
  first.msg(2, 'b')
  expect(await first.next()).toEqual({ kind: 'ack', ack: 2 })
  session.send('one')
  expect(await first.next()).toMatchObject({ seq: 1 })
  const gone = event(session, 'disconnected')
  proxy.cut('rst')
  expect(await gone).toEqual({ code: 1006, reason: '' })
  expect(session.connected).toBe(false)
  session.send('two')
  const back = event(session, 'connected')
  const second = await dial(proxy.url)
  expect(await second.welcome({ epoch: 2, sid, ack: 0 })).toMatchObject({ sid, ack: 2 })
  expect(await back).toMatchObject({ resumed: true })
  // The first was not acknowledged
  expect(await second.next()).toEqual({ kind: 'msg', seq: 1, ack: 2, data: '"one"' })
  expect(await second.next()).toEqual({ kind: 'msg', seq: 2, ack: 2, data: '"two"' })
  second.msg(2, 'b again')
  second.msg(3, 'c', 2)
  await until(() => got.length === 3)
  expect(got).toEqual(['a', 'b', 'c'])
  expect(served.sessions).toHaveLength(1)
  expect(served.server.stats()).toMatchObject({ sessions: 1, begun: 1, resumed: 1, ended: 0 })
})

test('a later connection takes the session over, and nothing more is heard from the one before', async () => {
  const got: unknown[] = []
  const { url, sessions } = await serve({}, session => session.on('message', message => got.push(message)))
  const first = await dial(url)
  const { sid } = await first.welcome()
  first.msg(1, 'first')
  await until(() => got.length)
  const second = await dial(url)
  await second.welcome({ epoch: 2, sid, ack: 0 })
  first.msg(2, 'from the grave')
  second.msg(2, 'second')
  expect(await first.closed).toEqual({ code: 4409, reason: 'superseded' })
  await until(() => got.length === 2)
  expect(got).toEqual(['first', 'second'])
  expect(sessions).toHaveLength(1)
})

test('a hello that was overtaken by a later one is refused, and changes nothing', async () => {
  const { url, server, sessions } = await serve()
  const first = await dial(url)
  const { sid } = await first.welcome({ epoch: 5 })
  const refused = event(server, 'refused')
  const second = await dial(url)
  second.hello({ epoch: 5, sid, ack: 0 })
  expect(await second.closed).toEqual({ code: 4409, reason: 'superseded' })
  expect(await refused).toMatchObject({ code: 4409 })
  expect(sessions[0]?.connected).toBe(true)
})

test('neither another key nor another principal gets at a session', async () => {
  const { url, sessions } = await serve()
  const first = await dial(url)
  const { sid } = await first.welcome({ auth: 'ada' })
  const thief = await dial(url)
  thief.hello({ epoch: 2, sid, ack: 0, key: 'guessed', auth: 'ada' })
  expect(await thief.closed).toMatchObject({ code: 4403 })
  const other = await dial(url)
  other.hello({ epoch: 2, sid, ack: 0, auth: 'bob' })
  expect(await other.closed).toMatchObject({ code: 4403 })
  expect(sessions).toHaveLength(1)
  expect(sessions[0]?.connected).toBe(true)
})

test('who is not authenticated is refused with 4401, who may not with 4403, on each connection', async () => {
  let isBanned = false
  const { url, errors, server } = await serve({
    async authenticate({ auth, request }) {
      if (auth === 'bug') throw new Error('oops')
      if (isBanned) return FORBIDDEN
      return request.url === '/' && auth === 'ada' ? 'ada' : ''
    },
  })
  for (const auth of ['bug', 'nobody']) {
    const client = await dial(url)
    client.hello({ auth })
    expect(await client.closed).toEqual({ code: 4401, reason: 'unauthenticated' })
  }
  expect(errors).toMatchObject([{ message: 'oops' }])
  const client = await dial(url)
  const { sid } = await client.welcome({ auth: 'ada' })
  isBanned = true
  const again = await dial(url)
  again.hello({ auth: 'ada', sid, ack: 0, epoch: 2 })
  expect(await again.closed).toEqual({ code: 4403, reason: 'forbidden' })
  expect(server.stats()).toMatchObject({ sessions: 1, connected: 1, refused: 3 })
})

test('an expired session is over; its client is told what was consumed of it, and begins another', async () => {
  const clock = fakeClock()
  const { url, sessions } = await serve({ clock, ttlMs: 60_000, win: 4 }, session =>
    session.on('message', () => {}),
  )
  const first = await dial(url)
  const { sid } = await first.welcome()
  const [session] = sessions
  if (!session) throw new Error('none')
  const undelivered: unknown[] = []
  session.on('undelivered', told => undelivered.push(told))
  first.msg(1, 'a')
  first.msg(2, 'b')
  await first.next()
  session.send('sent')
  await first.next()
  first.cut()
  await event(session, 'disconnected')
  session.send('never sent')
  clock.advance(59_999)
  expect(session.reason).toBeUndefined()
  const ended = event(session, 'ended')
  clock.advance(1)
  expect(await ended).toBe('expired')
  expect(session.reason).toBe('expired')
  expect(undelivered).toEqual([
    { message: 'sent', code: 'ended', certain: false },
    { message: 'never sent', code: 'ended', certain: true },
  ])
  expect(() => session.send('late')).toThrow(expect.objectContaining({ code: 'closed' }))
  const second = await dial(url)
  const welcome = await second.welcome({ epoch: 2, sid, ack: 0 })
  expect(welcome).toMatchObject({ ack: 0, lost: { reason: 'expired', ack: 2 } })
  expect(welcome.sid).not.toBe(sid)
  expect(sessions).toHaveLength(2)
})

test.each([
  ['text that is no JSON', 'hi', 4400],
  ['an unknown kind', '[7]', 4400],
  ['a gap', '[2,3,0,1]', 4400],
  ['an acknowledgement of what was not sent', '[3,1]', 4400],
  ['a second hello', `[0,${JSON.stringify(HELLO)}]`, 4400],
  ['binary of an unknown kind', new Uint8Array([9]), 4400],
  ['too large a message', `[2,1,0,"${'x'.repeat(1_000)}"]`, 4413],
  ['far too large a message', `[2,1,0,"${'x'.repeat(10_000)}"]`, 4413],
])('after hello, %s closes the connection', async (_, frame, code) => {
  const { url } = await serve({ maxMessageBytes: 1_000 })
  const client = await dial(url)
  await client.welcome()
  client.send(frame)
  expect(await client.closed).toMatchObject({ code })
})

test.each([
  ['text that is no JSON', 'hi', 4400],
  ['a message', '[2,1,0,1]', 4400],
  ['a hello without a key', '[0,{"v":1,"id":"x"}]', 4400],
  ['a hello of another version', '[0,{"v":2}]', 4426],
  ['a hello of 5 kB', `[0,${JSON.stringify({ ...HELLO, auth: 'x'.repeat(5_000) })}]`, 4400],
  ['a megabyte', 'x'.repeat(1_000_000), 4400],
])('before hello, %s closes the connection, and nobody is asked', async (_, frame, code) => {
  let asked = 0
  const { url, server } = await serve({ authenticate: () => `${++asked}` })
  const client = await dial(url)
  client.send(frame)
  expect(await client.closed).toMatchObject({ code })
  expect(asked).toBe(0)
  await until(() => !server.stats().connections)
})

test('the same position blamed three times ends the session', async () => {
  const { url, sessions } = await serve()
  let sid: string | undefined
  for (let epoch = 1; epoch <= 3; epoch++) {
    const client = await dial(url)
    const welcome = await client.welcome({ epoch, ...(sid && { sid, ack: 0 }) })
    sid = welcome.sid
    client.send('hi')
    await client.closed
  }
  expect(sessions).toHaveLength(1)
  expect(sessions[0]?.reason).toBe('poison')
})

test('who says no hello, or waits for authentication, is closed with 4408 in time', async () => {
  const clock = fakeClock()
  const aborted: boolean[] = []
  let asked = 0
  const { url, server } = await serve({
    clock,
    helloTimeoutMs: 5_000,
    authenticate({ signal }) {
      asked++
      return new Promise(() => signal.addEventListener('abort', () => aborted.push(true)))
    },
  })
  const silent = await dial(url)
  const waiting = await dial(url)
  waiting.hello()
  await until(() => asked && server.stats().waiting === 2)
  clock.advance(5_000)
  expect(await silent.closed).toEqual({ code: 4408, reason: 'hello timeout' })
  expect(await waiting.closed).toEqual({ code: 4408, reason: 'hello timeout' })
  expect(aborted).toEqual([true])
  expect(server.stats()).toMatchObject({ sessions: 0, refused: 2 })
})

test('what comes during authentication waits, up to a limit', async () => {
  const { promise, resolve } = withResolvers<string>()
  const { url } = await serve({ authenticate: () => promise })
  const patient = await dial(url)
  patient.hello()
  for (let i = 0; i < 8; i++) patient.send({ kind: 'ping' })
  const flood = await dial(url)
  flood.hello({ id: 'client-2' })
  for (let i = 0; i < 9; i++) flood.send({ kind: 'ping' })
  expect(await flood.closed).toEqual({ code: 4400, reason: 'too early' })
  resolve('ada')
  expect(await patient.next()).toMatchObject({ kind: 'welcome' })
  for (let i = 0; i < 8; i++) expect(await patient.next()).toEqual({ kind: 'pong' })
})

const withResolvers = <T>() => {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(done => {
    resolve = done
  })
  return { promise, resolve }
}

test('a connection that is closed during authentication leaves nothing', async () => {
  const { promise, resolve } = withResolvers<string>()
  const { url, server, sessions, errors } = await serve({ authenticate: () => promise })
  const client = await dial(url)
  client.hello()
  await until(() => server.stats().waiting)
  client.cut()
  await until(() => !server.stats().connections)
  resolve('ada')
  await new Promise(done => setTimeout(done, 20))
  expect([sessions, errors]).toEqual([[], []])
  expect(server.stats()).toMatchObject({ sessions: 0, begun: 0 })
})

test('after a long silence the server asks, and then gives the connection up, not the session', async () => {
  const clock = fakeClock()
  const { url, sessions } = await serve({ clock, ttlMs: 600_000 })
  const client = await dial(url)
  await client.welcome()
  clock.advance(119_999)
  client.send({ kind: 'ping' })
  expect(await client.next()).toEqual({ kind: 'pong' })
  clock.advance(119_999)
  expect(client.frames.waiting).toBe(0)
  clock.advance(1)
  expect(await client.next()).toEqual({ kind: 'ping' })
  client.send({ kind: 'pong' })
  client.send({ kind: 'ping' })
  expect(await client.next()).toEqual({ kind: 'pong' })
  clock.advance(120_000)
  expect(await client.next()).toEqual({ kind: 'ping' })
  clock.advance(10_000)
  expect(await client.closed).toEqual({ code: 4408, reason: 'silent' })
  expect(sessions[0]).toMatchObject({ connected: false, reason: undefined })
})

test('a volatile message goes at once or never', async () => {
  const { url, sessions } = await serve({}, session =>
    session.on('message', message => session.send(message as never, { volatile: true })),
  )
  const client = await dial(url)
  await client.welcome()
  client.send({ kind: 'volatile', data: '"now"' })
  expect(await client.next()).toEqual({ kind: 'volatile', data: '"now"' })
  client.cut()
  const [session] = sessions
  if (!session) throw new Error('none')
  await event(session, 'disconnected')
  const never = event(session, 'undelivered')
  session.send('x', { volatile: true })
  expect(await never).toEqual({ message: 'x', code: 'volatile', certain: true })
})

test('a client that closes with 1000 ends the session; without a code, or with 1001, it keeps it', async () => {
  const { url, sessions } = await serve()
  let sid: string | undefined
  for (const [epoch, code] of [
    [1, undefined],
    [2, 1001],
    [3, 1000],
  ] as const) {
    const client = await dial(url)
    const welcome = await client.welcome({ epoch, ...(sid && { sid, ack: 0 }) })
    expect(sid ?? welcome.sid).toBe(welcome.sid)
    sid = welcome.sid
    client.socket.close(code)
    await client.closed
    await until(() => !sessions[0]?.connected)
    expect(sessions[0]?.reason).toBe(code === 1000 ? 'closed' : undefined)
  }
})
