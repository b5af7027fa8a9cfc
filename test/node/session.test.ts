import { describe, expect, test, vi } from 'vitest'
import { json, resumable, text } from '../../src/index'
import { msgpack } from '../../src/msgpack'
import { collect, next, until } from '../support/events'
import { connect, proxied, serve } from './rig'

const CUTS = 10

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
      // A greeting is none of the session's, and is told as that
      const greetings = kind === 'echo-greeting' ? ['unexpected-frame'] : []
      expect([...new Set(errors.map(({ code }) => code))]).toEqual(greetings)
      if (kind === 'echo-greeting') expect(errors.length).toBeGreaterThanOrEqual(CUTS)
    },
    30_000,
  )
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
