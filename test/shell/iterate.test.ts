import { expect, test } from 'vitest'
import type { ReconnectingSocket } from '../../src/index'
import { FakeWebSocket } from '../support/fake-websocket'
import { create, opened, pass, useFakes } from '../support/shell'

useFakes()

const receive = (...messages: unknown[]) => {
  for (const message of messages) FakeWebSocket.last.receive(JSON.stringify(message))
}

/** Reads to the end. */
async function read(socket: AsyncIterable<unknown>) {
  const messages: unknown[] = []
  for await (const message of socket) messages.push(message)
  return messages
}

const failing = (read: Promise<unknown>) =>
  read.then(
    () => undefined,
    error => error as { code: string },
  )

test('gives the messages in order, across connections, until the socket is closed for good', async () => {
  const socket = await opened()
  const messages = read(socket)
  receive(1, 2)
  await pass()
  FakeWebSocket.last.end(1001, 'again', true)
  await pass(2_000)
  FakeWebSocket.last.accept()
  receive(3)
  await pass()
  socket.close()
  FakeWebSocket.last.end(1005, '', true)
  expect(await messages).toEqual([1, 2, 3])
})

test('what comes before the first next() waits, from the moment that the iterator was asked for', async () => {
  const socket = await opened()
  receive('too early')
  const iterator = socket[Symbol.asyncIterator]()
  receive(1, null)
  expect(await iterator.next()).toEqual({ done: false, value: 1 })
  expect(await iterator.next()).toEqual({ done: false, value: null })
  const third = iterator.next()
  receive(3)
  expect(await third).toEqual({ done: false, value: 3 })
})

test('several next() at once are answered in turn, and several iterators get all of it', async () => {
  const socket = await opened()
  const [one, other] = [socket[Symbol.asyncIterator](), socket[Symbol.asyncIterator]()]
  const asked = [one.next(), one.next(), other.next()]
  receive(1, 2)
  expect(await Promise.all(asked)).toMatchObject([{ value: 1 }, { value: 2 }, { value: 1 }])
  expect(await other.next()).toMatchObject({ value: 2 })
})

test('waits on a socket that is idle', async () => {
  const socket = create({ autoConnect: false })
  const messages = read(socket)
  socket.connect()
  await pass()
  FakeWebSocket.last.accept()
  receive(1)
  FakeWebSocket.last.end(1008)
  expect(await messages).toEqual([1])
})

test('a break unsubscribes: what comes then is kept for nobody', async () => {
  const socket = await opened()
  receive(0)
  const seen: unknown[] = []
  const reading = (async () => {
    for await (const message of socket) {
      seen.push(message)
      if (message === 2) break
    }
  })()
  receive(1, 2, 3)
  await reading
  expect(seen).toEqual([1, 2])
})

test('return() ends a next() that waits, forgets what is buffered, and may be called again', async () => {
  const iterator = (await opened())[Symbol.asyncIterator]()
  const waiting = iterator.next()
  expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
  expect(await waiting).toEqual({ done: true, value: undefined })
  receive(1)
  expect(await iterator.next()).toEqual({ done: true, value: undefined })
  expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
})

test('more than 1,000 that wait end it with inbound-full, after what was in time; others read on', async () => {
  const socket = await opened()
  const slow = socket[Symbol.asyncIterator]()
  const quick: unknown[] = []
  socket.on('message', message => quick.push(message))
  receive(...Array.from({ length: 1_002 }, (_, n) => n))
  const last = Array.from({ length: 1_000 }, () => slow.next())
  expect((await Promise.all(last)).at(-1)).toEqual({ done: false, value: 999 })
  expect(await failing(slow.next())).toMatchObject({ name: 'SocketError', code: 'inbound-full' })
  expect(await slow.next()).toEqual({ done: true, value: undefined })
  expect(quick).toHaveLength(1_002)
  expect(socket.state.name).toBe('open')
})

test('a socket that connects again after its end has new iterators, and the old stay ended', async () => {
  const socket: ReconnectingSocket = await opened()
  const old = socket[Symbol.asyncIterator]()
  socket.close()
  FakeWebSocket.last.end(1005, '', true)
  expect(await old.next()).toMatchObject({ done: true })
  expect(await read(socket)).toEqual([])
  socket.connect()
  await pass()
  FakeWebSocket.last.accept()
  const fresh = socket[Symbol.asyncIterator]()
  receive(1)
  expect(await old.next()).toMatchObject({ done: true })
  expect(await fresh.next()).toMatchObject({ value: 1 })
})

test('what arrived before the end is still read after it', async () => {
  const socket = await opened()
  const iterator = socket[Symbol.asyncIterator]()
  receive(1, 2)
  FakeWebSocket.last.end(1008, 'go away', true)
  expect([await iterator.next(), await iterator.next(), await iterator.next()]).toMatchObject([
    { value: 1 },
    { value: 2 },
    { done: true },
  ])
})
