/** The server of the demo: an echo for anyone, and orders from nobody but its own page. */

import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import WebSocket from 'ws'
import type { ServerCount } from '../../demo/counting'
import { type Demo, startDemo } from '../../demo/server'
import { ReconnectingSocket, resumable } from '../../src/index'

let demo: Demo

beforeEach(async () => {
  demo = await startDemo(0)
})
afterEach(async () => {
  await Promise.all(sessions.splice(0).map(session => session.close()))
  await demo.close()
})

const sessions: ReconnectingSocket<ServerCount, unknown>[] = []

function session() {
  const socket = new ReconnectingSocket<ServerCount, unknown>(
    demo.url.replace('http', 'ws').concat('session'),
    { WebSocket, session: resumable(), backoff: { baseMs: 100, maxMs: 100 }, closeTimeoutMs: 200 },
  )
  sessions.push(socket)
  return socket
}

async function connect(): Promise<WebSocket> {
  const socket = new WebSocket(demo.url.replace('http', 'ws').concat('echo'))
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

/** `fetch` would not let us say who we are. */
function order(body: unknown, headers: Record<string, string> = {}): Promise<number | undefined> {
  const { host, origin } = new URL(demo.url)
  return new Promise((resolve, reject) => {
    const all = { host, origin, 'content-type': 'application/json', ...headers }
    const request = httpRequest(`${demo.url}faults`, { method: 'POST', headers: all }, response => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
    request.end(JSON.stringify(body))
  })
}

test('echoes text and bytes as what they were', async () => {
  const socket = await connect()
  socket.send('text')
  expect(await once(socket, 'message')).toEqual([Buffer.from('text'), false])
  socket.send(Buffer.from([1, 2]))
  expect(await once(socket, 'message')).toEqual([Buffer.from([1, 2]), true])
})

test.each([
  ['another origin', { origin: 'http://evil.example' }],
  ['no origin', { origin: '' }],
  ['a name that was made to point here', { host: 'evil.example', origin: 'http://evil.example' }],
  ['a form', { 'content-type': 'text/plain' }],
])('an order of %s is refused, and nothing breaks', async (_, headers) => {
  const socket = await connect()
  expect(await order({ fault: 'cut' }, headers)).toBe(403)
  socket.send('still here')
  await once(socket, 'message')
})

test.each([
  { fault: 'explode' },
  { fault: 'slow', ms: -1 },
  { fault: 'slow', ms: '1' },
  { fault: 'close', code: 1006 },
  { fault: 'close', code: 1000, reason: 'x'.repeat(124) },
  { fault: 'close', code: 1000, reason: 'x'.repeat(2_000) },
  'cut',
  null,
])('%j is not an order', async body => {
  expect(await order(body)).toBe(400)
})

test('cut destroys the connections, close says why', async () => {
  const cut = await connect()
  const ended = once(cut, 'close')
  expect(await order({ fault: 'cut' })).toBe(200)
  expect((await ended)[0]).toBe(1006)
  const closed = await connect()
  const told = once(closed, 'close')
  expect(await order({ fault: 'close', code: 4321, reason: 'why' })).toBe(200)
  expect(await told).toEqual([4321, Buffer.from('why')])
})

test('a stalled connection is silent but there, and the next one is well', async () => {
  const stalled = await connect()
  let heard = 0
  stalled.on('message', () => heard++)
  expect(await order({ fault: 'stall' })).toBe(200)
  stalled.send('lost')
  const next = await connect()
  next.send('first')
  await once(next, 'message')
  next.send('second')
  await once(next, 'message')
  expect(heard).toBe(0)
  expect(stalled.readyState).toBe(WebSocket.OPEN)
})

test('late echoes stay in order when they are late no longer', async () => {
  const socket = await connect()
  await order({ fault: 'slow', ms: 100 })
  const heard: string[] = []
  const both = new Promise<void>(resolve =>
    socket.on('message', data => heard.push(`${data}`) === 2 && resolve()),
  )
  socket.send('late')
  // Orders and messages come by different connections
  await new Promise(resolve => socket.ping(resolve))
  await once(socket, 'pong')
  await order({ fault: 'heal' })
  socket.send('prompt')
  await both
  expect(heard).toEqual(['late', 'prompt'])
})

test('in a session the server counts, tells what it has seen, and makes nothing of nonsense', async () => {
  const socket = session()
  const told: ServerCount[] = []
  const last = new Promise<ServerCount>(resolve =>
    socket.on('message', count => {
      told.push(count)
      if (count.last) resolve(count)
    }),
  )
  for (const nonsense of [null, 'x', {}, { n: 0, received: 0 }, { n: 'a' }, { n: 1 }, [1]])
    socket.send(nonsense)
  for (const n of [1, 2, 5, 4, 2]) socket.send({ n, received: 0 })
  await socket.opened()
  const back = new Promise(resolve => socket.once('open', resolve))
  await order({ fault: 'cut' })
  await back
  socket.send({ n: 6, received: 1, last: true })
  expect(await last).toMatchObject({ received: 6, lost: 1, doubled: 1, disordered: 1, resumed: 1 })
  expect(told.map(({ n }) => n)).toEqual(told.map((_, at) => at + 1))
  expect(told.at(-1)?.underway).toBe(told.length - 1)
})

test('the page may not run anything inline, and a path leads nowhere else', async () => {
  const page = await fetch(demo.url)
  expect(page.headers.get('content-security-policy')).toMatch(
    /default-src 'self'; connect-src 'self' ws: wss:/,
  )
  expect(await page.text()).not.toMatch(/<style|style=|<script(?![^>]* src=)| on\w+=/)
  for (const path of ['server.ts', '../package.json', '%2e%2e/package.json', 'nothing'])
    expect((await fetch(new URL(path, demo.url))).status).toBe(404)
})

test('frees its port, though clients are connected, late or stalled', async () => {
  await order({ fault: 'slow', ms: 10_000 })
  const late = await connect()
  late.send('never')
  await connect()
  await order({ fault: 'stall' })
  await connect()
  // Or even the welcome to a session would be late
  await order({ fault: 'heal' })
  await session().opened()
  await order({ fault: 'stall' })
  await session().opened()
  await demo.close()
  const again = await startDemo(Number(new URL(demo.url).port))
  await again.close()
})
