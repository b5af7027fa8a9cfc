/** Bugs that we had: each has a test that failed. */

import { describe, expect, test, vi } from 'vitest'
import { text } from '../../src/index'
import { collect, next, until } from '../support/events'
import { connect, proxied, serve } from './rig'

describe('a connection that was given up is gone, and does not keep the process alive for half a minute', () => {
  test('after close() that nobody confirmed', async () => {
    const proxy = await proxied(await serve('mute'))
    const socket = connect(proxy.url)
    await until(socket, 'open')
    await socket.close()
    await vi.waitFor(() => expect(proxy.connections).toBe(0), 1_000)
  })

  test('after silence', async () => {
    const proxy = await proxied(await serve('echo'))
    const socket = connect(proxy.url, {
      codec: text(),
      heartbeat: { message: 'ping', intervalMs: 50, timeoutMs: 50 },
    })
    await until(socket, 'open')
    const opened = next(socket, 'open')
    proxy.zombie()
    await opened
    await vi.waitFor(() => expect(proxy.connections).toBe(1), 1_000)
  })
})

test('send of a handshake throws a SocketError with the code closed once the attempt has ended', async () => {
  const server = await serve('sink')
  let speak: () => void = () => {}
  const socket = connect<string, string>(server.url, {
    codec: text(),
    handshake({ send, receive }) {
      speak = () => send('too late')
      return receive()
    },
  })
  await until(socket, 'handshaking')
  await socket.close()
  expect(speak).toThrow(expect.objectContaining({ code: 'closed' }))
})

test('a handshake hears the answer to what it sent itself, also if that looks like a heartbeat', async () => {
  const server = await serve('echo')
  const socket = connect<string, string>(server.url, {
    codec: text(),
    connectTimeoutMs: 300,
    maxAttempts: 1,
    heartbeat: { message: 'ping' },
    async handshake({ send, receive }) {
      send('ping')
      await receive()
    },
  })
  await socket.opened()
})

test('what a message listener causes is told after the message has been told to everyone', async () => {
  const server = await serve('echo')
  const socket = connect(server.url, { codec: text() })
  await until(socket, 'open')
  const told: string[] = []
  socket.on('state', ({ name }) => told.push(name))
  socket.on('message', () => void socket.close())
  socket.on('message', message => told.push(message))
  socket.send('last words')
  await until(socket, 'closed')
  expect(told).toEqual(['last words', 'closing', 'closed'])
})

test('the type of a heartbeat is not that of all messages', async () => {
  const socket = connect('ws://127.0.0.1/', {
    autoConnect: false,
    heartbeat: { message: { type: 'ping' } },
  })
  const told = collect(socket, 'undelivered')
  socket.send({ text: 'hello' })
  await socket.close()
  expect(told).toHaveLength(1)
})
