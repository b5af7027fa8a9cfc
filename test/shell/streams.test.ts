import { describe, expect, test } from 'vitest'
import { streams, text } from '../../src/index'
import { collect } from '../support/events'
import { FakeWebSocket } from '../support/fake-websocket'
import { opened, pass, useFakes } from '../support/shell'

useFakes()

const last = () => FakeWebSocket.last

const source = (...messages: string[]) =>
  new ReadableStream<string>({
    start(controller) {
      for (const message of messages) controller.enqueue(message)
      controller.close()
    },
  })

describe('readable', () => {
  test('gives the messages in order, and ends when the socket is closed for good', async () => {
    const socket = await opened({ codec: text() })
    const { readable } = streams(socket)
    last().receive('a')
    last().receive('b')
    const reading = read(readable)
    last().end(1008, 'enough')
    expect(await reading).toEqual(['a', 'b'])
  })

  test('errors when it is read too slowly; by another policy it drops, and tells', async () => {
    const socket = await opened({ codec: text() })
    const errors = collect(socket, 'error')
    const strict = streams(socket, { maxMessages: 2 }).readable.getReader()
    const oldest = streams(socket, { maxMessages: 2, overflow: 'drop-oldest' }).readable.getReader()
    const newest = streams(socket, { maxMessages: 2, overflow: 'drop-newest' }).readable.getReader()
    for (const message of ['1', '2', '3', '4']) last().receive(message)
    expect([await strict.read(), await strict.read()]).toMatchObject([{ value: '1' }, { value: '2' }])
    await expect(strict.read()).rejects.toMatchObject({ code: 'inbound-full' })
    expect([await oldest.read(), await oldest.read()]).toMatchObject([{ value: '3' }, { value: '4' }])
    expect([await newest.read(), await newest.read()]).toMatchObject([{ value: '1' }, { value: '2' }])
    expect(errors.map(({ code, data }) => [code, data]).sort()).toEqual(
      ['1', '2', '3', '4'].map(data => ['inbound-full', data]),
    )
  })

  test('cancel() stops reading and leaves the socket open, even while a read waits', async () => {
    const socket = await opened({ codec: text() })
    const reader = streams(socket).readable.getReader()
    const waiting = reader.read()
    await reader.cancel()
    expect(await waiting).toMatchObject({ done: true })
    last().receive('nobody reads this')
    expect(socket.state.name).toBe('open')
  })

  test('refuses wrong options', async () => {
    const socket = await opened({ codec: text() })
    expect(() => streams(socket, { maxMessages: 0 })).toThrow(/^messages\.maxMessages: /)
    expect(() => streams(socket, { overflow: 'drop' as never })).toThrow(/^messages\.overflow: /)
  })
})

describe('writable', () => {
  test('a slow peer slows down the source: no write is done before there is room for the next', async () => {
    const socket = await opened({ codec: text(), queue: { maxMessages: 4 } })
    last().bufferedAmount = 2 ** 20
    let pulled = 0
    const many = new ReadableStream<string>(
      {
        pull(controller) {
          if (pulled < 100) controller.enqueue(`${pulled++}`)
        },
      },
      { highWaterMark: 0 },
    )
    const { writable } = streams(socket)
    const controller = new AbortController()
    const piping = many.pipeTo(writable, { signal: controller.signal, preventAbort: true })
    await pass(500)
    expect(socket.queuedMessages).toBe(2)
    expect(pulled).toBeLessThan(5)
    last().bufferedAmount = 0
    await pass(100)
    expect(pulled).toBe(100)
    controller.abort('enough')
    await expect(piping).rejects.toBe('enough')
    expect(last().sent).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`))
  })

  test('pipeTo() sends all of it, then closes the socket', async () => {
    const socket = await opened({ codec: text() })
    const piping = source('a', 'b').pipeTo(streams(socket).writable)
    await pass(100)
    expect(last().sent).toEqual(['a', 'b'])
    expect(socket.state.name).toBe('closing')
    last().end(1005, '', true)
    await piping
  })

  test('errors when the socket is closed, and for a socket that is', async () => {
    const socket = await opened({ codec: text() })
    const writer = streams(socket).writable.getWriter()
    writer.closed.catch(() => {})
    last().end(1008)
    await expect(writer.write('x')).rejects.toMatchObject({ code: 'closed' })
    const late = streams(socket).writable.getWriter()
    await expect(late.closed).rejects.toMatchObject({ code: 'closed' })
  })

  test('abort() closes the socket at once', async () => {
    const socket = await opened({ codec: text() })
    const aborting = streams(socket).writable.abort('why')
    await pass()
    expect(last().closed).toHaveLength(1)
    last().end(1005, '', true)
    await aborting
  })

  test('what the codec refuses errors the stream, and leaves the socket open', async () => {
    const socket = await opened()
    const writer = streams(socket).writable.getWriter()
    writer.closed.catch(() => {})
    await expect(writer.write(undefined)).rejects.toMatchObject({ code: 'encode' })
    expect(socket.state.name).toBe('open')
  })
})

async function read(readable: ReadableStream<string>) {
  const all: string[] = []
  for await (const message of readable as unknown as AsyncIterable<string>) all.push(message)
  return all
}
