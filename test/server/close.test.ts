/** How sessions and servers end. */

import { expect, test } from 'vitest'
import type { Session } from '../../src/server'
import { connectSession } from '../support/session-client'
import { cleanup, dial, event, fakeClock, serve, until } from './rig'

test('a session that is closed is gone: 4410, and whoever comes back is told so', async () => {
  const { url, sessions, server } = await serve({}, session => session.on('message', () => {}))
  const client = await dial(url)
  const { sid } = await client.welcome()
  const session = sessions[0] as Session
  client.msg(1, 'consumed')
  session.send('in flight')
  await client.next()
  await until(() => server.stats().received)
  const ended = event(session, 'ended')
  const closed = session.close()
  expect(session.reason).toBe('gone')
  expect(await closed).toEqual({ undelivered: [{ message: 'in flight', code: 'ended', certain: false }] })
  expect(await ended).toBe('gone')
  // What was consumed by then is acknowledged
  expect(await client.next()).toEqual({ kind: 'ack', ack: 1 })
  expect(await client.closed).toEqual({ code: 4410, reason: 'gone' })
  expect(() => session.send('late')).toThrow(expect.objectContaining({ code: 'closed' }))
  await expect(session.drained()).rejects.toMatchObject({ code: 'closed' })
  expect(await session.close()).toEqual({ undelivered: [] })
  const again = await dial(url)
  expect(await again.welcome({ epoch: 2, sid, ack: 1 })).toMatchObject({ lost: { reason: 'gone', ack: 1 } })
})

test('a client whose session is gone reports it as lost, and stays away', async () => {
  const { url, sessions } = await serve()
  const client = connectSession(url, () => {})
  await until(() => client.welcomes)
  client.send('never consumed')
  await until(() => sessions[0]?.unconsumed)
  sessions[0]?.close({ reason: 'logged out' })
  await until(() => client.isDead)
  expect(client).toMatchObject({ losses: ['gone'], undelivered: ['never consumed'], codes: [4410] })
})

test('a session that is drained waits for its client, and then ends with 1000', async () => {
  const { url, sessions } = await serve()
  const first = await dial(url)
  const { sid } = await first.welcome()
  const session = sessions[0] as Session
  first.cut()
  await event(session, 'disconnected')
  session.send('last words')
  const closed = session.close({ drain: true })
  expect(() => session.send('late')).toThrow(expect.objectContaining({ code: 'closed' }))
  const second = await dial(url)
  await second.welcome({ epoch: 2, sid, ack: 0 })
  expect(await second.next()).toMatchObject({ data: '"last words"' })
  second.send({ kind: 'ack', ack: 1 })
  expect(await second.closed).toEqual({ code: 1000, reason: 'closed' })
  expect(await closed).toEqual({ undelivered: [] })
  expect(session.reason).toBe('closed')
})

test('draining has a bound', async () => {
  const clock = fakeClock()
  const { url, sessions } = await serve({ clock })
  const client = await dial(url)
  await client.welcome()
  const session = sessions[0] as Session
  session.send('ignored')
  const closed = session.close({ drain: true, timeoutMs: 3_000 })
  clock.advance(2_999)
  expect(session.reason).toBeUndefined()
  clock.advance(1)
  expect(await closed).toMatchObject({ undelivered: [{ message: 'ignored', certain: false }] })
  expect(await client.closed).toEqual({ code: 4410, reason: 'gone' })
})

test('a server that is closed waits for acknowledgements, and sends its clients elsewhere', async () => {
  const { url, server, sessions } = await serve({}, session =>
    session.on('message', message => message === 'b' && session.send('answer')),
  )
  const [busy, idle, away, silent] = await Promise.all([dial(url), dial(url), dial(url), dial(url)])
  await busy.welcome({ id: 'busy' })
  await idle.welcome({ id: 'idle' })
  await away.welcome({ id: 'away' })
  away.cut()
  await until(() => server.stats().connections === 3)
  const session = sessions.find(({ id }) => id === 'busy') as Session
  session.send('to be acknowledged')
  const ended: unknown[] = []
  for (const each of sessions) each.on('ended', reason => ended.push([each.id, reason]))
  const closed = server.close({ retryMs: 1_500, spreadMs: 0 })
  expect(server.close()).toBe(closed)
  expect(await silent.closed).toEqual({ code: 4503, reason: 'draining; retry=1500' })
  expect(await idle.closed).toEqual({ code: 4503, reason: 'draining; retry=1500' })
  expect(ended).toEqual([
    ['idle', 'draining'],
    ['away', 'draining'],
  ])
  const late = await dial(url)
  expect(await late.closed).toMatchObject({ code: 4503 })
  // Still consumed, and acknowledged
  busy.msg(1, 'a')
  expect(await busy.next()).toMatchObject({ kind: 'msg' })
  // Answered even now
  busy.msg(2, 'b', 1)
  expect(await busy.next()).toEqual({ kind: 'msg', seq: 2, ack: 1, data: '"answer"' })
  busy.send({ kind: 'ack', ack: 2 })
  expect(await busy.closed).toEqual({ code: 4503, reason: 'draining; retry=1500' })
  await closed
  expect(server.stats()).toMatchObject({ connections: 0, sessions: 0, undelivered: 0 })
})

test('a server is closed in time, whatever its clients do', async () => {
  const clock = fakeClock()
  const { url, server, sessions } = await serve({ clock, closeTimeoutMs: 1_000 })
  const client = await dial(url)
  await client.welcome()
  sessions[0]?.send('ignored')
  await client.next()
  // Does not even answer the closing handshake
  client.socket.pause()
  let isClosed = false
  const closed = server.close({ reason: 'maintenance', timeoutMs: 5_000 }).then(() => {
    isClosed = true
  })
  clock.advance(5_000)
  await until(() => sessions[0]?.reason === 'maintenance')
  expect(isClosed).toBe(false)
  expect(server.stats()).toMatchObject({ sessions: 0, connections: 1, undelivered: 1 })
  clock.advance(1_000)
  await closed
  expect(server.stats().connections).toBe(0)
})

test('a client that is sent elsewhere goes on trying', async () => {
  const { url, server } = await serve()
  const client = connectSession(url, () => {})
  cleanup(() => client.close())
  await until(() => client.welcomes)
  await server.close()
  await until(() => client.codes.filter(code => code === 4503).length > 1)
  expect(client.isDead).toBe(false)
})

test.each([
  ['reason', { reason: 'a; b' }],
  ['reason', { reason: 'x'.repeat(100) }],
  ['retryMs', { retryMs: -1 }],
  ['spreadMs', { spreadMs: -1 }],
  ['timeoutMs', { timeoutMs: NaN }],
])('%s is checked', async (name, options) => {
  const { server } = await serve()
  expect(() => server.close(options)).toThrow(
    expect.objectContaining({ code: 'invalid-option', message: expect.stringContaining(`close.${name}: `) }),
  )
})
