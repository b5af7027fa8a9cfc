import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { json, resumable, text } from '../../src/index'
import { msgpack } from '../../src/msgpack'
import { startByteProxy } from '../server/byte-proxy'
import { collect, next, until } from '../support/events'
import { random } from '../support/random'
import { connect, proxied, serve } from './rig'

const CUTS = 10
/** Connections that end by themselves. */
const ENDS = 20

const range = (length: number) => Array.from({ length }, (_, n) => n)

test('an echo server is a peer: all comes back once and in order, and is acknowledged', async () => {
  const server = await serve('echo')
  const socket = connect(server.url, { session: resumable() })
  const messages = collect(socket, 'message')
  const deliveries = range(100).map(n => socket.deliver({ n }))
  expect(new Set(await Promise.all(deliveries))).toEqual(new Set(['acknowledged']))
  expect(messages).toEqual(range(100).map(n => ({ n })))
  expect((await socket.close()).undelivered).toEqual([])
})

describe.each([
  ['echoes', 'echo'],
  ['turns text into bytes', 'echo-binary'],
  ['greets first', 'echo-greeting'],
] as const)('through a server that %s', (_, kind) => {
  // A greeting is none of the session's, and is told as that
  const expectedErrors = kind === 'echo-greeting' ? ['unexpected-frame'] : []
  test.each([
    ['JSON', json()],
    ['MessagePack', msgpack()],
    ['text', text()],
  ])(
    'with %s nothing is lost, doubled or out of order while the line is cut again and again',
    async (_, codec) => {
      const server = await serve(kind)
      const proxy = await proxied(server)
      const socket = connect(proxy.url, { session: resumable(), codec, queue: { maxMessages: 10_000 } })
      const messages = collect(socket, 'message')
      const errors = collect(socket, 'error')
      const all = range(2_000).map(n => `message ${n}`)
      const deliveries = Promise.all(all.map(message => socket.deliver(message)))
      for (let cut = 0; cut < CUTS; cut++) {
        const { resumed } = await next(socket, 'open')
        expect(resumed).toBe(cut > 0)
        const seen = messages.length
        await vi.waitFor(() => expect(messages.length).toBeGreaterThan(Math.min(seen, all.length - 1)), {
          interval: 1,
        })
        proxy.cut('rst')
      }
      expect(new Set(await deliveries)).toEqual(new Set(['acknowledged']))
      expect(messages).toEqual(all)
      expect([...new Set(errors.map(({ code }) => code))]).toEqual(expectedErrors)
      if (kind === 'echo-greeting') expect(errors.length).toBeGreaterThanOrEqual(CUTS)
    },
    30_000,
  )

  test('through connections that end at any byte, a third of them half-open, all comes back once and in order', async () => {
    const { below } = random(kind.length)
    const server = await serve(kind)
    let made = 0
    const proxy = await startByteProxy(server, () => ({
      // Every fifth dies in its handshake or soon after
      bytes: made++ < ENDS ? 1 + below(made % 5 ? 30_000 : 1_000) : Infinity,
      isZombie: made % 3 === 0,
      lateMs: below(300),
    }))
    onTestFinished(async () => void (await proxy.close()))
    const socket = connect(proxy.url, {
      session: resumable(),
      queue: { maxMessages: 10_000 },
      connectTimeoutMs: 500,
      heartbeat: { intervalMs: 100, timeoutMs: 200 },
    })
    const messages = collect(socket, 'message')
    const losses = collect(socket, 'sessionLost')
    const errors = collect(socket, 'error')
    const all = range(2_000).map(n => ({ n, pad: 'x'.repeat(below(200)) }))
    const settled = await Promise.all(all.map(message => socket.deliver(message)))
    expect(messages).toEqual(all)
    expect(new Set(settled)).toEqual(new Set(['acknowledged']))
    expect(losses).toEqual([])
    expect([...new Set(errors.map(({ code }) => code))]).toEqual(expectedErrors)
    expect(proxy.ended.reset).toBeGreaterThanOrEqual(10)
    expect(proxy.ended.zombies).toBeGreaterThanOrEqual(5)
  }, 60_000)
})

test('messages wait for somebody to listen, and an iterator consumes one at a time', async () => {
  const server = await serve('echo')
  const socket = connect(server.url, { session: resumable() })
  await until(socket, 'open')
  const deliveries = range(5).map(n => socket.deliver(n))
  const settled = vi.fn()
  Promise.all(deliveries).then(settled)
  const seen: unknown[] = []
  for await (const message of socket) {
    seen.push(message)
    if (seen.length === 5) break
  }
  expect(seen).toEqual(range(5))
  await Promise.all(deliveries)
})

test('a server that knows nothing of sessions ends it, with a word of what to do', async () => {
  const server = await serve('chat')
  const socket = connect(server.url, { session: resumable(), connectTimeoutMs: 100 })
  const errors = collect(socket, 'error')
  await until(socket, 'closed')
  expect(errors.map(({ code }) => code)).toContain('peer-not-supported')
}, 10_000)
