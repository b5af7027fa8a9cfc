/** The default platform, against the simulated server that front-end developers use in their own tests. */

import { Server } from 'mock-socket'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ReconnectingSocket } from '../../src/index'

const URL_ = 'ws://localhost:9999/'
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms + 2)
let server: Server
let socket: ReconnectingSocket | undefined

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  server = new Server(URL_)
})

afterEach(async () => {
  socket?.close()
  await pass(3_000)
  server.stop()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const echoing = (server: Server) => {
  const received: unknown[] = []
  server.on('connection', peer =>
    peer.on('message', data => {
      received.push(data)
      peer.send(data)
    }),
  )
  return received
}

test('sends, hears, and uses the global WebSocket of the moment', async () => {
  const received = echoing(server)
  socket = new ReconnectingSocket(URL_)
  const messages: unknown[] = []
  socket.on('message', message => messages.push(message))
  socket.send({ n: 1 })
  await pass(50)
  socket.send({ n: 2 })
  await pass(50)
  expect(received).toEqual(['{"n":1}', '{"n":2}'])
  expect(messages).toEqual([{ n: 1 }, { n: 2 }])
})

test('comes back after the server was killed and started again, and flushes in order', async () => {
  echoing(server)
  socket = new ReconnectingSocket(URL_)
  await pass(50)
  const closes: unknown[] = []
  socket.on('close', event => closes.push(event))
  server.close({ code: 1006, reason: '', wasClean: false })
  server.stop()
  await pass(10)
  expect(socket.state.name).toBe('waiting')
  expect(closes).toEqual([expect.objectContaining({ code: 1006, retryInMs: 500, wasOpen: true })])
  for (const n of [1, 2, 3]) socket.send(n)
  server = new Server(URL_)
  const received = echoing(server)
  await pass(600)
  expect(socket.state.name).toBe('open')
  expect(received).toEqual(['1', '2', '3'])
})

test('hears the real code and reason of the server', async () => {
  socket = new ReconnectingSocket(URL_)
  await pass(50)
  const closes: unknown[] = []
  socket.on('close', event => closes.push(event))
  server.clients()[0]?.close({ code: 4001, reason: 'expired', wasClean: true })
  await pass(50)
  expect(closes[0]).toMatchObject({ code: 4001, reason: 'expired', local: false })
})

test('1008 ends it', async () => {
  socket = new ReconnectingSocket(URL_)
  await pass(50)
  server.close({ code: 1008, reason: 'no', wasClean: true })
  await pass(60_000)
  expect(socket.state.name).toBe('closed')
})

test('a half-open connection is found and replaced', async () => {
  let connections = 0
  server.on('connection', () => connections++)
  socket = new ReconnectingSocket(URL_, { heartbeat: { message: 'ping', intervalMs: 1_000, timeoutMs: 500 } })
  await pass(50)
  await pass(1_500 + 1_000)
  expect(connections).toBe(2)
})

test('close() is confirmed', async () => {
  socket = new ReconnectingSocket(URL_)
  await pass(50)
  const done = socket.close(1000, 'bye')
  await pass(50)
  expect(await done).toMatchObject({ code: 1000, reason: 'bye' })
})
