import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import * as z from 'zod'
import * as mini from 'zod/mini'
import {
  bytes,
  type Codec,
  json,
  ReconnectingSocket,
  SocketError,
  type StandardSchema,
  text,
  ValidationError,
} from '../../src/index'
import { msgpack } from '../../src/msgpack'
import { collect } from '../support/events'
import { FakeWebSocket } from '../support/fake-websocket'
import { create, opened, pass, useFakes } from '../support/shell'

useFakes()

/** The same two schemas, by each library. Coming in, the time becomes a Date; going out, a padded text is trimmed. */
const libraries = {
  zod: {
    incoming: z.object({ price: z.number(), at: z.number().transform(ms => new Date(ms)) }),
    outgoing: z.object({ say: z.string().transform(say => say.trim()) }),
  },
  'zod/mini': {
    incoming: mini.object({
      price: mini.number(),
      at: mini.pipe(
        mini.number(),
        mini.transform(ms => new Date(ms)),
      ),
    }),
    outgoing: mini.object({
      say: mini.pipe(
        mini.string(),
        mini.transform(say => say.trim()),
      ),
    }),
  },
  valibot: {
    incoming: v.object({
      price: v.number(),
      at: v.pipe(
        v.number(),
        v.transform(ms => new Date(ms)),
      ),
    }),
    outgoing: v.object({ say: v.pipe(v.string(), v.trim()) }),
  },
  arktype: {
    incoming: type({ price: 'number', at: type('number').pipe(ms => new Date(ms)) }),
    outgoing: type({ say: type('string').pipe(say => say.trim()) }),
  },
}

type Price = { price: number; at: Date }
type Say = { say: string }

describe.each<[string, { incoming: StandardSchema<unknown, Price>; outgoing: StandardSchema<Say, unknown> }]>(
  Object.entries(libraries),
)('a schema of %s', (_, schemas) => {
  test('gives what it makes of a message to listeners', async () => {
    const messages = collect(await opened(schemas), 'message')
    FakeWebSocket.last.receive('{"price":1,"at":0,"more":true}')
    expect(messages).toMatchObject([{ price: 1, at: new Date(0) }])
  })

  test('refuses what comes: an error event with issues and data, and the connection lives on', async () => {
    const socket = await opened(schemas)
    const [messages, errors] = [collect(socket, 'message'), collect(socket, 'error')]
    FakeWebSocket.last.receive('{"price":"1","at":0}')
    FakeWebSocket.last.receive('{"price":2,"at":0}')
    expect(messages).toMatchObject([{ price: 2 }])
    expect(errors).toHaveLength(1)
    expect(errors[0]).toBeInstanceOf(ValidationError)
    const { name, code, message, data, issues } = errors[0] as ValidationError
    expect([name, code, data]).toEqual(['ValidationError', 'invalid-message', '{"price":"1","at":0}'])
    expect(message).toMatch(/^invalid-message: price: ./)
    expect([...issues]).toMatchObject([{ path: expect.anything(), message: expect.any(String) }])
    expect(socket.state.name).toBe('open')
  })

  test('makes of a message what is sent', async () => {
    const socket = await opened(schemas)
    socket.send({ say: '  hi ' })
    expect(FakeWebSocket.last.sent).toEqual(['{"say":"hi"}'])
  })

  test('refuses to send, before anything is queued', () => {
    const socket = create(schemas)
    const wrong = { say: 5 } as never
    expect(() => socket.send(wrong)).toThrow(ValidationError)
    expect(() => socket.send(wrong)).toThrow(/^invalid-message: say: ./)
    expect(socket.queuedMessages).toBe(0)
  })
})

test('undelivered tells the message as it was sent, not what the schema made of it', async () => {
  const socket = create(libraries.zod)
  const message = { say: ' hi ' }
  socket.send(message)
  const { undelivered } = await socket.close()
  expect(undelivered[0]?.message).toBe(message)
})

test('a handshake sends and receives by the schemas too', async () => {
  const heard: Price[] = []
  const socket = create({
    ...libraries.zod,
    async handshake({ send, receive }) {
      send({ say: ' who ' })
      heard.push(await receive())
    },
  })
  const errors = collect(socket, 'error')
  await pass()
  FakeWebSocket.last.accept()
  await pass()
  FakeWebSocket.last.receive('"refused"')
  FakeWebSocket.last.receive('{"price":1,"at":0}')
  await pass()
  expect(FakeWebSocket.last.sent).toEqual(['{"say":"who"}'])
  expect(heard).toEqual([{ price: 1, at: new Date(0) }])
  expect(errors).toMatchObject([{ code: 'invalid-message', data: '"refused"' }])
})

test('a heartbeat is checked at construction, and its answer is recognised as what the schema made of it', async () => {
  const outgoing = z.literal('ping')
  const incoming = z.object({ type: z.enum(['pong', 'news']) })
  expect(() => create({ outgoing, heartbeat: { message: 'pong' as never } })).toThrow(
    /^heartbeat.message: expected what can be sent: invalid-message: /,
  )
  const socket = await opened({
    incoming,
    outgoing,
    heartbeat: { message: 'ping', isPong: ({ type }) => type === 'pong' },
  })
  const messages = collect(socket, 'message')
  FakeWebSocket.last.receive('{"type":"pong"}')
  FakeWebSocket.last.receive('{"type":"news"}')
  expect(messages).toEqual([{ type: 'news' }])
})

describe('a schema that answers with a promise', () => {
  const rejecting: StandardSchema<string> = {
    '~standard': { version: 1, vendor: 'test', validate: async () => Promise.reject(new Error('rejected')) },
  }
  const slow: [string, StandardSchema<string>][] = [
    ['of zod', z.string().refine(async () => true)],
    ['that rejects', rejecting],
  ]

  test.each(slow)('makes send throw: one %s', async (_, outgoing) => {
    const send = () => create({ outgoing }).send('hi')
    expect(send).toThrow(expect.objectContaining({ code: 'async-schema' }))
    await pass()
  })

  test.each(slow)('is an error event for what comes: one %s', async (_, incoming) => {
    const socket = await opened({ incoming })
    const errors = collect(socket, 'error')
    FakeWebSocket.last.receive('"hi"')
    await pass()
    expect(errors).toMatchObject([{ code: 'async-schema', data: '"hi"' }])
    expect(errors[0]).toBeInstanceOf(SocketError)
    expect(socket.state.name).toBe('open')
  })
})

describe('a schema that throws', () => {
  const broken: StandardSchema<string> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate() {
        throw new Error('broken')
      },
    },
  }

  test('makes send throw what it threw', () =>
    expect(() => create({ outgoing: broken }).send('')).toThrow('broken'))

  test('is an error event for what comes, and the connection lives on', async () => {
    const socket = await opened({ incoming: broken })
    const errors = collect(socket, 'error')
    FakeWebSocket.last.receive('""')
    expect(errors).toMatchObject([{ code: 'decode', cause: { message: 'broken' } }])
    expect(socket.state.name).toBe('open')
  })
})

test('an issue may have no path, and steps that are symbols or objects', () => {
  const message = (path?: readonly PropertyKey[]) =>
    new ValidationError([path ? { message: 'wrong', path } : { message: 'wrong' }]).message
  expect(message()).toBe('invalid-message: wrong')
  expect(message([Symbol('s'), 0, 'a'])).toBe('invalid-message: Symbol(s).0.a: wrong')
})

/** Only the compiler looks at what is in here. */
const unused = () => vi.fn()

describe('types', () => {
  type In<S> = S extends ReconnectingSocket<infer I, infer _O> ? I : never
  type Out<S> = S extends ReconnectingSocket<infer _I, infer O> ? O : never
  const make = <I, O>(...[, options]: ConstructorParameters<typeof ReconnectingSocket<I, O>>) =>
    new ReconnectingSocket<I, O>('ws://server.test', { ...options, autoConnect: false })

  test('are the output of incoming, and the input of outgoing', () => {
    const socket = make('', libraries.zod)
    expectTypeOf<In<typeof socket>>().toEqualTypeOf<Price>()
    expectTypeOf<Out<typeof socket>>().toEqualTypeOf<Say>()
    const small = make('', libraries['zod/mini'])
    expectTypeOf<In<typeof small>>().toEqualTypeOf<Price>()
    expectTypeOf<Out<typeof small>>().toEqualTypeOf<Say>()
    const valibot = make('', libraries.valibot)
    expectTypeOf<In<typeof valibot>>().toEqualTypeOf<Price>()
    expectTypeOf<Out<typeof valibot>>().toEqualTypeOf<Say>()
    const arktype = make('', libraries.arktype)
    expectTypeOf<In<typeof arktype>>().toEqualTypeOf<Price>()
    expectTypeOf<Out<typeof arktype>>().toEqualTypeOf<Say>()
  })

  test('are held at every door', () => {
    const socket = make('', libraries.zod)
    socket.on('message', message => expectTypeOf(message).toEqualTypeOf<Price>())
    socket.once('message', message => expectTypeOf(message).toEqualTypeOf<Price>())
    socket.on('undelivered', ({ message }) => expectTypeOf(message).toEqualTypeOf<Say>())
    expectTypeOf(socket[Symbol.asyncIterator]).returns.toEqualTypeOf<
      AsyncIterableIterator<Price, undefined>
    >()
    unused()(() => {
      // @ts-expect-error a number is no text
      socket.send({ say: 5 })
      // @ts-expect-error it is not called that
      socket.send({ speak: 'hi' })
      // @ts-expect-error there is no such event
      socket.on('massage', () => {})
      // @ts-expect-error a price has no name
      socket.on('message', ({ name }) => name)
      // @ts-expect-error the heartbeat is a message too
      make('', { outgoing: z.string(), heartbeat: { message: 5 } })
      // @ts-expect-error what comes is what the schema makes of it
      make('', { incoming: z.string(), heartbeat: { isPong: (message: number) => message > 1 } })
      // @ts-expect-error no schema
      make('', { incoming: { parse: () => 'hi' } })
      // @ts-expect-error a codec answers with text or bytes
      make('', { codec: { encode: () => 5, decode: () => 'hi' } })
    })
  })

  test('are unknown without a schema, and one does not speak for the other direction', () => {
    const neither = make('')
    expectTypeOf<In<typeof neither>>().toBeUnknown()
    expectTypeOf<Out<typeof neither>>().toBeUnknown()
    const incoming = make('', { incoming: z.string() })
    expectTypeOf<In<typeof incoming>>().toBeString()
    expectTypeOf<Out<typeof incoming>>().toBeUnknown()
    const outgoing = make('', { outgoing: z.string() })
    expectTypeOf<In<typeof outgoing>>().toBeUnknown()
    expectTypeOf<Out<typeof outgoing>>().toBeString()
  })

  test('are those of the codec, unless a schema says more', () => {
    const strings = make('', { codec: text() })
    expectTypeOf<In<typeof strings>>().toBeString()
    expectTypeOf<Out<typeof strings>>().toBeString()
    const binary = make('', { codec: bytes() })
    expectTypeOf<In<typeof binary>>().toEqualTypeOf<Uint8Array<ArrayBuffer>>()
    const checked = make('', { codec: text(), incoming: z.coerce.number() })
    expectTypeOf<In<typeof checked>>().toBeNumber()
    expectTypeOf<Out<typeof checked>>().toBeString()
    for (const codec of [json(), msgpack()]) {
      const typed = make('', { codec, ...libraries.zod })
      expectTypeOf<In<typeof typed>>().toEqualTypeOf<Price>()
      expectTypeOf<Out<typeof typed>>().toEqualTypeOf<Say>()
    }
    const own: Codec<Price, Say> = { encode: ({ say }) => say, decode: () => ({ price: 1, at: new Date() }) }
    const owned = make('', { codec: own })
    expectTypeOf<In<typeof owned>>().toEqualTypeOf<Price>()
    expectTypeOf<Out<typeof owned>>().toEqualTypeOf<Say>()
  })

  test('may be claimed', () => {
    const socket = new ReconnectingSocket<Price, Say>('ws://server.test', {
      autoConnect: false,
      codec: { encode: ({ say }) => say, decode: () => ({ price: 1, at: new Date() }) },
    })
    expectTypeOf(socket.send).parameter(0).toEqualTypeOf<Say>()
  })
})
