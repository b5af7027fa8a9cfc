/** Who gets a session, and who gets at one: on each connection, by whatever the client can show. */

import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ReconnectingSocket, resumable } from '../../src/index'
import { FORBIDDEN } from '../../src/server'
import { next } from '../support/events'
import { connectSession } from '../support/session-client'
import { cleanup, dial, event, fakeClock, HELLO, type Raw, serve, until } from './rig'

const cookieOf = ({ headers }: IncomingMessage, name: string) =>
  headers.cookie?.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1]

const tokenOf = ({ headers }: IncomingMessage) =>
  headers['sec-websocket-protocol']?.match(/\bbearer\.([\w-]+)/)?.[1]

test('a cookie: it is in the request, on each connection', async () => {
  const users = new Map([['s1', 'ada']])
  const { url, sessions } = await serve({
    authenticate: ({ request }) => users.get(cookieOf(request, 'sid') ?? ''),
  })
  const headers = { cookie: 'theme=dark; sid=s1' }
  const first = await dial(url, { headers })
  const { sid } = await first.welcome()
  expect(sessions[0]?.principal).toBe('ada')
  first.cut()
  const stranger = await dial(url)
  stranger.hello({ sid, ack: 0, epoch: 2 })
  expect(await stranger.closed).toMatchObject({ code: 4401 })
  const second = await dial(url, { headers })
  expect(await second.welcome({ sid, ack: 0, epoch: 3 })).toMatchObject({ sid })
  // Signed out meanwhile
  users.delete('s1')
  const third = await dial(url, { headers })
  third.hello({ sid, ack: 0, epoch: 4 })
  expect(await third.closed).toMatchObject({ code: 4401 })
  expect(sessions).toHaveLength(1)
})

test('a subprotocol, for browsers, which can send no headers: one that is not selected', async () => {
  const { url, sessions } = await serve({
    authenticate: ({ request }) => (tokenOf(request) === 'good' ? 'ada' : undefined),
  })
  const connect = (token: string) => {
    // `ws` selects the first
    const socket = new ReconnectingSocket(url, {
      WebSocket,
      session: resumable(),
      protocols: ['chat', `bearer.${token}`],
    })
    cleanup(() => socket.close())
    return socket
  }
  const bad = next(connect('bad'), 'close')
  await next(connect('good'), 'open')
  expect(await bad).toMatchObject({ code: 4401 })
  expect(sessions.map(({ principal }) => principal)).toEqual(['ada'])
})

test('a token in the hello that expires: the client shows a fresh one, and goes on with its session', async () => {
  const good = new Set(['first'])
  const { url, server, sessions } = await serve({
    authenticate: ({ auth }) => (good.has(String(auth)) ? 'ada' : undefined),
  })
  const shown: string[] = []
  const socket = new ReconnectingSocket(url, {
    WebSocket,
    backoff: { baseMs: 1, maxMs: 1 },
    session: resumable({
      auth: () => {
        // The first is stale by the time of the second connection
        const token = shown.length < 2 ? 'first' : 'second'
        shown.push(token)
        return token
      },
    }),
  })
  cleanup(() => socket.close())
  await next(socket, 'open')
  good.clear()
  good.add('second')
  const again = next(socket, 'open')
  socket.reconnect()
  expect(await again).toMatchObject({ resumed: true })
  expect(shown).toEqual(['first', 'first', 'second'])
  expect(server.stats()).toMatchObject({ begun: 1, resumed: 1, refused: 1 })
  expect(sessions).toHaveLength(1)
})

test('whoever may not is told so on resume, too, and the session is not theirs any more', async () => {
  const banned = new Set<string>()
  const { url, sessions } = await serve({
    authenticate: ({ auth }) => (banned.has(String(auth)) ? FORBIDDEN : String(auth)),
  })
  const client = connectSession(url, () => {}, { auth: 'ada' })
  cleanup(() => client.close())
  await until(() => client.welcomes)
  banned.add('ada')
  client.drop()
  await until(() => client.isDead)
  expect(client.codes).toEqual([1006, 4403])
  await until(() => !sessions[0]?.connected)
})

/** A client that is at work, with all that it says on the wire; and what an attacker may know of it. */
const victim = async () => {
  const got: unknown[] = []
  const served = await serve({ clock: fakeClock(), limits: { hellosPerSecond: 10 } }, session =>
    session.on('message', message => got.push(message)),
  )
  const client = await dial(served.url)
  const { sid } = await client.welcome({ id: 'victim', key: 'k'.repeat(22), auth: 'ada' })
  return { ...served, client, got, sid }
}

const undisturbed = async (client: Raw, got: readonly unknown[], message: number) => {
  client.msg(message, message)
  await until(() => got.length === message)
  expect(got.at(-1)).toBe(message)
  expect(client.socket.readyState).toBe(WebSocket.OPEN)
}

test('a stolen id is worth nothing: ids are public, keys are not', async () => {
  const { url, client, got, sid, server, sessions } = await victim()
  await undisturbed(client, got, 1)
  for (const auth of ['ada', 'eve']) {
    const thief = await dial(url)
    thief.hello({ id: 'victim', key: 'guessed', sid, ack: 0, epoch: 1_000, auth })
    expect(await thief.closed).toEqual({ code: 4403, reason: 'forbidden' })
  }
  await undisturbed(client, got, 2)
  // Nor did the thief's epoch count
  client.cut()
  await event(sessions[0] as never, 'disconnected')
  const back = await dial(url)
  expect(
    await back.welcome({ id: 'victim', key: 'k'.repeat(22), auth: 'ada', sid, ack: 0, epoch: 2 }),
  ).toMatchObject({ sid, ack: 2 })
  expect(server.stats()).toMatchObject({ begun: 1, ended: 0, refused: 2 })
})

test('a stolen id and key are worth nothing to somebody else', async () => {
  const { url, client, got, sid, server } = await victim()
  for (const auth of ['eve', 'Ada', 'ada ', ['ada', 'eve']]) {
    const thief = await dial(url)
    thief.hello({ id: 'victim', key: 'k'.repeat(22), sid, ack: 0, epoch: 7, auth })
    expect(await thief.closed).toEqual({ code: 4403, reason: 'forbidden' })
  }
  await undisturbed(client, got, 1)
  expect(server.stats()).toMatchObject({ begun: 1, ended: 0 })
})

test('after the session has ended its id is still only for who has the key', async () => {
  const { url, client, sid, sessions } = await victim()
  client.socket.close(1000)
  await until(() => sessions[0]?.reason)
  const thief = await dial(url)
  thief.hello({ id: 'victim', key: 'guessed', sid, ack: 0, epoch: 9, auth: 'ada' })
  expect(await thief.closed).toMatchObject({ code: 4403 })
})

test('who guesses keys is soon not listened to', async () => {
  const { url, client, got, sid, server } = await victim()
  const codes = await Promise.all(
    Array.from({ length: 150 }, async (_, n) => {
      const thief = await dial(url)
      thief.hello({ id: 'victim', key: `guess ${n}`, sid, ack: 0, epoch: 9, auth: 'ada' })
      return (await thief.closed).code
    }),
  )
  // What may come at once is ten seconds' worth, and the victim's own hello was one of them
  expect(codes.filter(code => code === 4403)).toHaveLength(99)
  expect(codes.filter(code => code === 4429)).toHaveLength(51)
  await undisturbed(client, got, 1)
  expect(server.stats()).toMatchObject({ begun: 1, ended: 0, refused: 150 })
})

test.each(['id', 'key', 'nonce', 'sid'])(
  'a hello with an endless %s is none: it would be kept',
  async name => {
    let asked = 0
    const { url, server } = await serve({ authenticate: () => `${++asked}` })
    const rude = await dial(url)
    rude.hello({ [name]: 'x'.repeat(129) })
    expect(await rude.closed).toEqual({ code: 4400, reason: 'not a hello' })
    const polite = await dial(url)
    await polite.welcome({ [name]: 'x'.repeat(128) })
    expect([asked, server.stats().begun]).toEqual([1, 1])
  },
)

test.each([
  ['an epoch that is no integer', { epoch: 1.5 }],
  ['an epoch beyond all numbers', { epoch: 2 ** 53 }],
  ['a window of nothing', { win: 0 }],
  ['an acknowledgement below zero', { ack: -1 }],
  ['an id that is a list', { id: ['a'] }],
  ['an id of nothing', { id: '' }],
])('%s is no hello', async (_, lie) => {
  const { url, server } = await serve()
  const client = await dial(url)
  client.send(`[0,${JSON.stringify({ ...HELLO, ...lie })}]`)
  expect(await client.closed).toMatchObject({ code: 4400 })
  expect(server.stats().begun).toBe(0)
})

test.each(['__proto__', 'constructor', 'toString', '\u0000'])(
  'the name %j is one like any other',
  async id => {
    const { url, sessions } = await serve()
    const client = await dial(url)
    await client.welcome({ id, auth: id })
    expect(sessions[0]).toMatchObject({ id, principal: id })
    const again = await dial(url)
    await again.welcome({ id, auth: id, epoch: 2 })
    expect(await client.closed).toMatchObject({ code: 4409 })
  },
)
