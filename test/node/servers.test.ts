/** Servers as tutorials have them, which know nothing of this library. */

import { describe, expect, test, vi } from 'vitest'
import { json, type ReconnectingSocket, text } from '../../src/index'
import { collect, until } from '../support/events'
import { connect, serve } from './rig'

const BEAT = { message: 'ping', intervalMs: 40, timeoutMs: 2_000 }

const isMeasured = <I, O>(socket: ReconnectingSocket<I, O>) =>
  vi.waitFor(() => expect(socket.roundTripMs).toEqual(expect.any(Number)))

describe.each(['echo', 'echo-binary', 'broadcast'] as const)('%s', kind => {
  test('talks text, and its echo of the heartbeat is measured and not delivered', async () => {
    const server = await serve(kind)
    const socket = connect(server.url, { codec: text(), heartbeat: BEAT })
    const messages = collect(socket, 'message')
    socket.send('grüße 👋')
    await isMeasured(socket)
    socket.send('')
    await vi.waitFor(() => expect(messages).toEqual(['grüße 👋', '']))
    expect(socket.roundTripMs).toBeGreaterThanOrEqual(0)
    expect(server.received).toContain('ping')
  })

  test('talks JSON, and its echo of the heartbeat is measured and not delivered', async () => {
    const server = await serve(kind)
    const socket = connect<unknown, unknown>(server.url, {
      heartbeat: { ...BEAT, message: { type: 'ping' } },
    })
    const messages = collect(socket, 'message')
    socket.send({ text: 'grüße 👋' })
    await isMeasured(socket)
    socket.send([1, null])
    await vi.waitFor(() => expect(messages).toEqual([{ text: 'grüße 👋' }, [1, null]]))
    expect(server.received).toContain('{"type":"ping"}')
  })
})

describe.each([
  ['prefix', 'Server says: '],
  ['echo-colon', 'echo: '],
] as const)('%s', (kind, prefix) => {
  test('talks text, and isPong knows its answer to the heartbeat', async () => {
    const server = await serve(kind)
    const socket = connect(server.url, {
      codec: text(),
      heartbeat: { ...BEAT, isPong: message => message === `${prefix}ping` },
    })
    const messages = collect(socket, 'message')
    socket.send('hello')
    await isMeasured(socket)
    expect(messages).toEqual([`${prefix}hello`])
  })

  test('without isPong its answer is life all the same, and is delivered', async () => {
    const server = await serve(kind)
    const socket = connect(server.url, { codec: text(), heartbeat: { ...BEAT, timeoutMs: 200 } })
    const messages = collect(socket, 'message')
    const closes = collect(socket, 'close')
    await vi.waitFor(() => expect(messages.length).toBeGreaterThanOrEqual(5), 4_000)
    expect(new Set(messages)).toEqual(new Set([`${prefix}ping`]))
    expect(closes).toEqual([])
  })

  test('that does not speak JSON is told of as an error, and the connection stays', async () => {
    const server = await serve(kind)
    const socket = connect(server.url, { codec: json() })
    const errors = collect(socket, 'error')
    const messages = collect(socket, 'message')
    socket.send({ type: 'hello' })
    await vi.waitFor(() => expect(errors).toHaveLength(1))
    expect(errors[0]).toMatchObject({ code: 'decode', data: `${prefix}{"type":"hello"}` })
    expect(messages).toEqual([])
    expect(socket.state.name).toBe('open')
  })
})

test('broadcast: everyone hears everyone, and nobody hears a heartbeat', async () => {
  const server = await serve('broadcast')
  const sockets = [1, 2, 3].map(() => connect(server.url, { codec: text(), heartbeat: BEAT }))
  const heard = sockets.map(socket => collect(socket, 'message'))
  await Promise.all(sockets.map(socket => until(socket, 'open')))
  await Promise.all(sockets.map(isMeasured))
  for (const [i, socket] of sockets.entries()) {
    socket.send(`hello from ${i}`)
    await vi.waitFor(() => expect(heard.map(list => list.length)).toEqual([i + 1, i + 1, i + 1]))
  }
  const all = ['hello from 0', 'hello from 1', 'hello from 2']
  expect(heard).toEqual([all, all, all])
})

test('chat: greets, answers ping with a pong that isPong takes out, and tells everyone', async () => {
  const server = await serve('chat')
  const join = () =>
    connect<{ type: string; text?: string }, object>(server.url, {
      codec: {
        encode: message => JSON.stringify(message),
        decode: data => JSON.parse(String(data)),
      },
      heartbeat: { ...BEAT, message: { type: 'ping' }, isPong: ({ type }) => type === 'pong' },
    })
  const [ann, bob] = [join(), join()]
  const heard = [collect(ann, 'message'), collect(bob, 'message')]
  await Promise.all([isMeasured(ann), isMeasured(bob)])
  ann.send({ type: 'say', text: 'hi' })
  const told = [{ type: 'connected' }, { type: 'say', text: 'hi' }]
  await vi.waitFor(() => expect(heard).toEqual([told, told]))
})

test('a busy connection never asks for life', async () => {
  const server = await serve('echo')
  const feed = setInterval(() => server.send('tick'), 10)
  try {
    const socket = connect(server.url, { codec: text(), heartbeat: { ...BEAT, intervalMs: 400 } })
    const messages = collect(socket, 'message')
    await vi.waitFor(() => expect(messages.length).toBeGreaterThanOrEqual(60), 4_000)
    expect(server.received).toEqual([])
    expect(socket.roundTripMs).toBeUndefined()
  } finally {
    clearInterval(feed)
  }
})
