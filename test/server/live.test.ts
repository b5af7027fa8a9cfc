/** Two true halves, and a network between them that is not: nothing is lost, doubled or out of order. */

import { expect, test } from 'vitest'
import { msgpack } from '../../src/msgpack'
import { SessionServer } from '../../src/server'
import { random } from '../support/random'
import { connectSession } from '../support/session-client'
import { startByteProxy } from './byte-proxy'
import { FakeServerSocket } from './fake-socket'
import { cleanup, dial, HELLO, serve, until } from './rig'

const MESSAGES = 10_000
const CUTS = 60

const codec = msgpack()

test.each([
  ['JSON', undefined, JSON.stringify, (data: string | Uint8Array) => JSON.parse(data as string)],
  ['MessagePack', codec, codec.encode, codec.decode],
] as const)(
  '10 000 messages each way as %s, through 60 connections that end at any byte, a third of them half-open',
  async (name, codec, encode, decode) => {
    const { below } = random(name.length)
    const up: number[] = []
    const down: number[] = []
    const served = await serve(
      { ...(codec && { codec }), queue: { maxMessages: MESSAGES } },
      async session => {
        // By turns as it reads: so that some messages wait
        for await (const message of session) {
          up.push((message as { n: number }).n)
          if (up.length % 100 === 0) await new Promise(resolve => setImmediate(resolve))
        }
      },
    )
    let made = 0
    const proxy = await startByteProxy(served, () => ({
      // Every fifth dies in its handshake or soon after
      bytes: made++ < CUTS ? 1 + below(made % 5 ? 60_000 : 1_000) : Infinity,
      isZombie: made % 3 === 0,
      lateMs: below(300),
    }))
    cleanup(() => proxy.close())
    const client = connectSession(proxy.url, data => down.push((decode(data as never) as { n: number }).n), {
      encode: encode as (message: unknown) => string,
      silenceMs: 100,
    })
    cleanup(() => client.close())
    await until(() => served.sessions.length)
    const [session] = served.sessions
    if (!session) throw new Error('none')

    const pad = () => 'x'.repeat(below(200))
    for (let sent = 0; sent < MESSAGES; sent++) {
      client.send({ n: sent, pad: pad() })
      session.send({ n: sent, pad: pad() })
      if (sent % 50 === 0) await new Promise(resolve => setTimeout(resolve, below(5)))
    }
    await until(() => up.length >= MESSAGES && down.length >= MESSAGES)
    // What the dead still have to say
    await new Promise(resolve => setTimeout(resolve, 350))

    const numbers = Array.from({ length: MESSAGES }, (_, i) => i)
    expect(up).toEqual(numbers)
    expect(down).toEqual(numbers)
    expect(proxy.ended.reset).toBeGreaterThanOrEqual(30)
    expect(proxy.ended.zombies).toBeGreaterThanOrEqual(15)
    expect(proxy.ended.reset + proxy.ended.zombies).toBeGreaterThanOrEqual(50)
    // Zombies were found out by silence
    expect(client.codes).toContain(4408)
    expect(client.losses).toEqual([])
    expect(served.server.stats()).toMatchObject({ begun: 1, ended: 0, sessions: 1, undelivered: 0 })
    expect(served.errors).toEqual([])
    await until(() => session.queuedMessages === 0 && client.settled.length === MESSAGES)
  },
  60_000,
)

test('frames that are sent in one go leave in one piece', async () => {
  const writes: number[] = []
  const { url, sessions } = await serve({}, session => {
    session.on('connected', ({ request }) => {
      const { socket } = request
      const writev = socket._writev?.bind(socket)
      socket._writev = (chunks, done) => {
        writes.push(chunks.length)
        writev?.(chunks, done)
      }
    })
  })
  const client = await dial(url)
  await client.welcome()
  for (let n = 0; n < 10; n++) sessions[0]?.send(n)
  for (let n = 0; n < 10; n++) expect(await client.next()).toMatchObject({ kind: 'msg', data: `${n}` })
  // Head and payload of the welcome, and of each of the ten
  expect(writes).toEqual([2, 20])
})

test('the answers of a loop to what came in one go are not a piece each', async () => {
  let pieces = 0
  const socket = new FakeServerSocket()
  const server = new SessionServer({ authenticate: () => 'somebody' })
  server.on('session', async session => {
    for await (const message of session) session.send(message)
  })
  server.accept(socket, { socket: { cork: () => pieces++, uncork() {} } })
  socket.say(`[0,${JSON.stringify(HELLO)}]`)
  await until(() => socket.sent.length)
  pieces = 0
  for (let n = 1; n <= 10; n++) socket.say(`[2,${n},0,${n}]`)
  await until(() => socket.sent.filter(data => String(data).startsWith('[2,')).length === 10)
  expect(pieces).toBeLessThan(3)
  socket.end()
  await server.close({ timeoutMs: 0 })
})
