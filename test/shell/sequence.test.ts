import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import * as z from 'zod'
import {
  type AttemptContext,
  type EventMap,
  type Gap,
  type HandshakeContext,
  type Options,
  ReconnectingSocket,
  type Sequence,
  type SequenceNumber,
  type SequenceOptions,
  SocketError,
  sequence,
  text,
} from '../../src/index'
import { collect } from '../support/events'
import { FakeWebSocket } from '../support/fake-websocket'
import { create, opened, pass, reported, useFakes } from '../support/shell'

useFakes()

type Numbered = { n?: number | null | undefined; stream?: string; text?: string }

const last = () => FakeWebSocket.last
const come = (...messages: (number | Numbered)[]) => {
  for (const message of messages)
    last().receive(JSON.stringify(typeof message === 'number' ? { n: message } : message))
}
const byN = (options: Partial<SequenceOptions<Numbered>> = {}) =>
  sequence<Numbered>({ of: ({ n }) => n, ...options })
const numbers = (messages: Numbered[]) => messages.map(({ n }) => n)

/** An open socket, its sequence, and what it tells. */
const numbered = async (sequence: Sequence<Numbered>, options: Options<Numbered> = {}) => {
  const socket = await opened<Numbered, unknown>({ sequence, ...options })
  return { socket, sequence, messages: collect(socket, 'message'), gaps: collect(socket, 'gap') }
}

/** The next connection is made, and accepted. */
const again = async () => {
  const { length } = FakeWebSocket.all
  await pass(2_000)
  expect(FakeWebSocket.all).toHaveLength(length + 1)
  last().accept()
  await pass()
}

describe('what comes', () => {
  test('twice is dropped, and what is missing is told before what comes after it', async () => {
    const { socket, sequence, messages, gaps } = await numbered(byN())
    const order: unknown[] = []
    socket.on('message', ({ n }) => order.push(n))
    socket.on('gap', ({ from, to }) => order.push([from, to]))
    come(5, 6, 6, 5, 9)
    expect(numbers(messages)).toEqual([5, 6, 9])
    expect(gaps).toEqual([{ stream: '', from: 7, to: 8 }])
    expect(order).toEqual([5, 6, [7, 8], 9])
    expect([sequence.duplicates, sequence.gaps, [...sequence.last]]).toEqual([2, 1, [['', 9]]])
    expect(socket.state.name).toBe('open')
  })

  test.each([undefined, null])('with the number %s is delivered as it comes', async n => {
    const { messages, sequence } = await numbered(byN({ reorder: {} }))
    come(1, 3, { n, text: 'hi' }, 2)
    expect(numbers(messages)).toEqual([1, n, 2, 3])
    expect(sequence.duplicates).toBe(0)
  })

  test('is numbered by stream', async () => {
    const { messages, gaps } = await numbered(byN({ stream: ({ stream = '' }) => stream }))
    come({ n: 1, stream: 'a' }, { n: 8, stream: 'b' }, { n: 2, stream: 'a' }, { n: 10, stream: 'b' })
    expect(messages).toHaveLength(4)
    expect(gaps).toEqual([{ stream: 'b', from: 9, to: 9 }])
  })

  test('may be numbered by bigints', async () => {
    const { messages, gaps } = await numbered(byN({ of: ({ text = '' }) => BigInt(text) }))
    come({ text: '18446744073709551615' }, { text: '18446744073709551615' }, { text: '18446744073709551617' })
    expect(messages).toHaveLength(2)
    expect(gaps).toEqual([{ stream: '', from: 2n ** 64n, to: 2n ** 64n }])
  })

  test('as an answer to the heartbeat has no part in it', async () => {
    const heartbeat = { isPong: ({ text }: Numbered) => text === 'pong' }
    const { messages, gaps } = await numbered(byN(), { heartbeat })
    come(1, { n: 50, text: 'pong' }, 2)
    expect([numbers(messages), gaps]).toEqual([[1, 2], []])
  })

  test('is in order for iterators too', async () => {
    const { socket } = await numbered(byN({ reorder: {} }))
    const iterator = socket.messages()
    come(1, 3, 2)
    const read = [await iterator.next(), await iterator.next(), await iterator.next()]
    expect(read.map(({ value }) => value?.n)).toEqual([1, 2, 3])
  })
})

describe('a message whose number cannot be read', () => {
  const broken: [what: string, options: Partial<SequenceOptions<Numbered>>, message: RegExp][] = [
    [
      'of throws',
      {
        of() {
          throw new Error('broken')
        },
      },
      /^sequence: broken$/,
    ],
    ['of answers text', { of: () => '5' as unknown as number }, /^sequence: of: expected a safe integer/],
    ['of answers NaN', { of: () => Number.NaN }, /expected a safe integer/],
    ['of answers a fraction', { of: () => 0.5 }, /expected a safe integer/],
    ['of answers what JSON has rounded', { of: () => 2 ** 53 }, /expected a safe integer or a bigint/],
    [
      'stream answers no text',
      { stream: () => 5 as unknown as string },
      /^sequence: stream: expected a string/,
    ],
    [
      'stream throws what is no error',
      {
        stream() {
          throw 'broken'
        },
      },
      /^sequence$/,
    ],
  ]

  test.each(broken)('is told by an error event, and delivered: %s', async (_, options, message) => {
    const { socket, messages, sequence } = await numbered(byN(options))
    const errors = collect(socket, 'error')
    come(1)
    expect(errors).toMatchObject([
      { code: 'sequence', message: expect.stringMatching(message), data: { n: 1 } },
    ])
    expect(errors[0]).toBeInstanceOf(SocketError)
    expect(errors[0]?.cause).toBeDefined()
    expect([numbers(messages), sequence.last.size, socket.state.name]).toEqual([[1], 0, 'open'])
  })
})

describe('a small disorder', () => {
  const patient = () => byN({ reorder: { window: 2, timeoutMs: 100 } })

  test('is put right', async () => {
    const { messages, gaps } = await numbered(patient())
    come(1, 3, 4, 2)
    expect([numbers(messages), gaps, vi.getTimerCount()]).toEqual([[1, 2, 3, 4], [], 0])
  })

  test('beyond the window is a gap', async () => {
    const { messages, gaps } = await numbered(patient())
    come(1, 3, 4)
    expect(numbers(messages)).toEqual([1])
    come(5)
    expect([numbers(messages), gaps]).toEqual([[1, 3, 4, 5], [{ stream: '', from: 2, to: 2 }]])
  })

  test('for too long is a gap, of each its own', async () => {
    const { messages, gaps } = await numbered(patient())
    come(1, 3)
    await pass(50)
    come(5)
    expect(gaps).toHaveLength(0)
    await pass(50)
    expect([numbers(messages), gaps]).toEqual([[1, 3], [{ stream: '', from: 2, to: 2 }]])
    await pass(50)
    expect([numbers(messages), gaps.length, vi.getTimerCount()]).toEqual([[1, 3, 5], 2, 0])
  })

  test('is not given up before what has already arrived', async () => {
    const { messages, gaps } = await numbered(patient())
    come(1, 3)
    // As in Firefox: the overdue timer is first
    setTimeout(come, 100, 2)
    await pass(150)
    expect([numbers(messages), gaps]).toEqual([[1, 2, 3], []])
  })

  test('when the connection ends, leaves no timer: what was held is not counted, and may come again', async () => {
    const { socket, sequence, messages, gaps } = await numbered(patient())
    come(1, 3)
    expect(vi.getTimerCount()).toBe(1)
    last().end()
    // That of the next attempt
    expect([vi.getTimerCount(), [...sequence.last]]).toEqual([1, [['', 1]]])
    await again()
    come(2, 3)
    expect([numbers(messages), gaps]).toEqual([[1, 2, 3], []])
    come(5)
    void socket.close()
    await pass(200)
    expect(numbers(messages)).toEqual([1, 2, 3])
    last().end()
    await pass()
    expect([socket.state.name, vi.getTimerCount()]).toEqual(['closed', 0])
  })

  test.each(['close', 'reconnect'] as const)(
    'is told of no more after %s() in the middle of it',
    async how => {
      const { socket, sequence, messages } = await numbered(patient())
      socket.on('message', ({ n }) => {
        if (n === 2) void socket[how]()
      })
      come(1, 3, 2)
      await pass(200)
      expect(numbers(messages)).toEqual([1, 2])
      expect([...sequence.last]).toEqual([['', 2]])
    },
  )
})

describe('the last number', () => {
  test('is what the provider and the handshake are told', async () => {
    const told: unknown[] = []
    const see =
      <T>(answer: T) =>
      ({ sequence }: AttemptContext) => {
        told.push(sequence && [...sequence])
        return answer
      }
    const socket = create<Numbered, unknown>(
      { sequence: byN(), handshake: see(undefined), protocols: see([]) },
      see('ws://server.test/'),
    )
    await pass()
    last().accept()
    await pass()
    expect(told).toEqual([[], [], []])
    come(4, 5)
    last().end()
    await again()
    expect(told.slice(3)).toEqual([[['', 5]], [['', 5]], [['', 5]]])
    expect(socket.state.name).toBe('open')
  })

  test('is not there without the option', async () => {
    const handshake = vi.fn()
    await opened({ handshake })
    expect(handshake.mock.lastCall?.[0]).toMatchObject({ sequence: undefined })
  })

  test('survives a reconnect: what comes again is dropped, and what was missed is told', async () => {
    const { messages, gaps, sequence } = await numbered(byN())
    come(1, 2, 3)
    last().end()
    await again()
    come(2, 3, 6)
    expect(numbers(messages)).toEqual([1, 2, 3, 6])
    expect(gaps).toEqual([{ stream: '', from: 4, to: 5 }])
    expect(sequence.duplicates).toBe(2)
  })

  test('is not that of what came for a handshake that failed', async () => {
    let ready = false
    const sequence = byN()
    const socket = create<Numbered, unknown>({
      sequence,
      async handshake({ receive }) {
        if (ready) return
        await receive()
        ready = true
        throw new Error('not ready')
      },
    })
    const messages = collect(socket, 'message')
    const errors = collect(socket, 'error')
    await pass()
    last().accept()
    come({ text: 'hello' }, 1, 2)
    await pass()
    expect(errors).toMatchObject([{ code: 'handshake' }])
    expect(sequence.last.size).toBe(0)
    await again()
    come(1, 2)
    expect(numbers(messages)).toEqual([1, 2])
  })

  test('is not that of what nobody was told of any more', async () => {
    const sequence = byN()
    const socket = create<Numbered, unknown>({
      sequence,
      handshake: () => new Promise(r => setTimeout(r, 10)),
    })
    socket.once('message', () => socket.reconnect())
    await pass()
    last().accept()
    come(1, 2, 3)
    await pass(10)
    expect([...sequence.last]).toEqual([['', 1]])
  })
})

describe('what receive() takes', () => {
  const snapshots = (seen: unknown[]) => ({
    async handshake({ receive }: HandshakeContext<Numbered, unknown>) {
      seen.push((await receive()).n)
    },
  })

  test('says where the stream is: what is not above it is dropped', async () => {
    const seen: unknown[] = []
    const socket = create<Numbered, unknown>({ sequence: byN(), ...snapshots(seen) })
    const messages = collect(socket, 'message')
    await pass()
    last().accept()
    come(5, 4, 5, 6)
    await pass()
    expect([seen, numbers(messages)]).toEqual([[5], [6]])
  })

  test('is no gap, and no duplicate, whatever its number', async () => {
    const seen: unknown[] = []
    const sequence = byN()
    const socket = create<Numbered, unknown>({ sequence, ...snapshots(seen) })
    const messages = collect(socket, 'message')
    const gaps = collect(socket, 'gap')
    for (const start of [50, 900, 10]) {
      await pass(2_000)
      last().accept()
      come(start, start + 1)
      await pass()
      last().end()
    }
    expect([seen, numbers(messages), gaps]).toEqual([[50, 900, 10], [51, 901, 11], []])
    expect([sequence.duplicates, sequence.gaps]).toEqual([0, 0])
  })

  test('may have no number', async () => {
    const socket = create<Numbered, unknown>({ sequence: byN(), ...snapshots([]) })
    const messages = collect(socket, 'message')
    await pass()
    last().accept()
    come({ text: 'hello' }, 3)
    await pass()
    expect(numbers(messages)).toEqual([3])
  })
})

describe("onGap: 'reconnect'", () => {
  test('replaces the connection, after the backoff, with the last number before the gap', async () => {
    const { socket, sequence, messages, gaps } = await numbered(byN({ onGap: 'reconnect' }))
    const closes = collect(socket, 'close')
    come(1, 2, 5, 6)
    expect([numbers(messages), gaps]).toEqual([[1, 2], [{ stream: '', from: 3, to: 4 }]])
    expect(closes).toMatchObject([{ code: 1005, reason: 'gap', local: true, wasOpen: true, final: false }])
    expect([socket.state.name, [...sequence.last], FakeWebSocket.live]).toEqual(['waiting', [['', 2]], 0])
    await again()
    come(3, 4, 5, 6)
    expect([numbers(messages), gaps.length, sequence.duplicates]).toEqual([[1, 2, 3, 4, 5, 6], 1, 0])
  })

  test('goes on if the next connection does not have it either, and tells each number once', async () => {
    const { socket, messages, gaps } = await numbered(byN({ onGap: 'reconnect' }))
    come(1, 4)
    await again()
    come(7, 8)
    expect([numbers(messages), socket.state.name]).toEqual([[1, 7, 8], 'open'])
    expect(gaps.map(({ from, to }) => [from, to])).toEqual([
      [2, 3],
      [4, 6],
    ])
    come(10)
    expect(socket.state.name).toBe('waiting')
  })

  test('waits for longer and longer where each connection has a gap', async () => {
    const { socket } = await numbered(byN({ onGap: 'reconnect' }))
    come(1)
    const attempts: number[] = []
    for (let n = 3; n < 60; n += 10) {
      come(n, n + 2)
      expect(socket.state.name).toBe('waiting')
      attempts.push(socket.state.attempt)
      while (socket.state.name === 'waiting') await pass(100)
      last().accept()
      await pass()
    }
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('is for shouldRetry to decide, as of every other end', async () => {
    const shouldRetry = vi.fn(() => 0)
    await numbered(byN({ onGap: 'reconnect' }), { shouldRetry })
    come(1, 3)
    expect(shouldRetry).toHaveBeenCalledWith(expect.objectContaining({ reason: 'gap' }), 1)
    await pass(200)
    expect(FakeWebSocket.all).toHaveLength(2)
    last().accept()
  })

  test.each(['close', 'reconnect'] as const)(
    'leaves it to whoever calls %s() when told of the gap',
    async how => {
      const { socket, messages } = await numbered(byN({ onGap: 'reconnect' }))
      socket.on('gap', () => void socket[how]())
      come(1, 3)
      await pass()
      expect(socket.state.name).toBe(how === 'close' ? 'closing' : 'connecting')
      expect(numbers(messages)).toEqual([1])
    },
  )
})

describe('reset()', () => {
  test('in handshake is for servers that count anew with each connection', async () => {
    const sequence = byN()
    const { messages, gaps } = await numbered(sequence, { handshake: () => sequence.reset() })
    come(1, 2, 3)
    last().end()
    await again()
    come(1, 2, 4)
    expect(numbers(messages)).toEqual([1, 2, 3, 1, 2, 4])
    expect(gaps).toEqual([{ stream: '', from: 3, to: 3 }])
  })

  test('may be for one stream', async () => {
    const { sequence, messages } = await numbered(byN({ stream: ({ stream = '' }) => stream }))
    come({ n: 5, stream: 'a' }, { n: 5, stream: 'b' })
    sequence.reset('a')
    come({ n: 1, stream: 'a' }, { n: 1, stream: 'b' })
    expect(messages.map(({ n, stream }) => `${stream}${n}`)).toEqual(['a5', 'b5', 'a1'])
  })

  test('delivers what is held', async () => {
    const { sequence, messages } = await numbered(byN({ reorder: {} }))
    come(1, 3)
    sequence.reset()
    await pass(1)
    expect([numbers(messages), sequence.last.size, vi.getTimerCount()]).toEqual([[1, 3], 0, 0])
    come(1)
    expect(numbers(messages)).toEqual([1, 3, 1])
  })

  test('before there is a socket does nothing', () => {
    expect(byN().reset()).toBeUndefined()
  })
})

test('a listener that throws is reported, and everything else goes on', async () => {
  const { socket, messages } = await numbered(byN({ reorder: {} }))
  const thrown = new Error('of a listener')
  socket.once('message', () => {
    throw thrown
  })
  come(1, 3, 2)
  expect([numbers(messages), reported.splice(0)]).toEqual([[1, 2, 3], [thrown]])
})

test('10 000 connections leave nothing of it', async () => {
  const { socket } = await numbered(byN({ reorder: {} }))
  come(1)
  for (let n = 0; n < 10_000; n++) {
    come(3)
    socket.reconnect()
    await pass()
    last().accept()
  }
  await pass()
  expect([vi.getTimerCount(), FakeWebSocket.live]).toEqual([0, 1])
}, 30_000)

describe('what cannot be', () => {
  const of = () => 1
  const wrong: [options: unknown, message: RegExp][] = [
    [undefined, /^sequence\.of: expected function, got undefined/],
    [5, /^sequence: expected object, got 5/],
    [{}, /^sequence\.of: expected function/],
    [{ of: 'seq' }, /^sequence\.of: expected function, got "seq"/],
    [{ of, stream: 'symbol' }, /^sequence\.stream: expected function, got "symbol"/],
    [{ of, onGap: 'ignore' }, /^sequence\.onGap: expected report or reconnect, got "ignore"/],
    [{ of, reorder: true }, /^sequence\.reorder: expected object, got true/],
    [{ of, reorder: { window: 0 } }, /^sequence\.reorder\.window: expected 1 to Infinity, got 0/],
    [{ of, reorder: { timeoutMs: 0 } }, /^sequence\.reorder\.timeoutMs: expected 1 to 2147483647, got 0/],
    [{ of, reorder: { timeout: 5 } }, /^sequence\.reorder\.timeout: expected nothing by this name/],
    [{ of, ongap: 'report' }, /^sequence\.ongap: expected nothing by this name/],
  ]

  test.each(wrong)('%j is refused, by name', (options, message) => {
    expect(() => sequence(options as SequenceOptions)).toThrow(
      expect.objectContaining({ code: 'invalid-option', message: expect.stringMatching(message) }),
    )
  })

  test('undefined asks for nothing', () => {
    const options = { of, stream: undefined, onGap: undefined, reorder: undefined }
    expect(sequence(options).gaps).toBe(0)
  })

  test('the options of a sequence are no sequence', () => {
    expect(() => create({ sequence: { of } as unknown as Sequence })).toThrow(
      /^sequence: expected object bind/,
    )
  })

  test('one sequence is for one socket', () => {
    const shared = byN()
    create({ sequence: shared })
    expect(() => create({ sequence: shared })).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        message: 'sequence: expected one for each socket',
      }),
    )
    expect(FakeWebSocket.all).toHaveLength(0)
  })
})

describe('types', () => {
  type In<S> = S extends ReconnectingSocket<infer I, infer _O> ? I : never
  const make = <I, O>(options: Options<I, O>) =>
    new ReconnectingSocket<I, O>('ws://server.test', { ...options, autoConnect: false })

  test('of a message are those that the socket says', () => {
    new ReconnectingSocket<Numbered, string>('ws://server.test', {
      autoConnect: false,
      sequence: sequence({
        of(message) {
          expectTypeOf(message).toEqualTypeOf<Numbered>()
          return message.n
        },
        stream: ({ stream = '' }) => stream,
      }),
    })
  })

  test('leave it to a schema or a codec what a message is, which of then has to repeat', () => {
    const of = ({ n }: { n: number }) => n
    const bySchema = make({ incoming: z.object({ n: z.number() }), sequence: sequence({ of }) })
    expectTypeOf<In<typeof bySchema>>().toEqualTypeOf<{ n: number }>()
    const byCodec = make({ codec: text(), sequence: sequence({ of: (line: string) => BigInt(line) }) })
    expectTypeOf<In<typeof byCodec>>().toBeString()
    const bySequence = make({ sequence: byN() })
    expectTypeOf<In<typeof bySequence>>().toEqualTypeOf<Numbered>()
  })

  test('of a gap and of the last numbers are those of the protocol', () => {
    expectTypeOf<Parameters<EventMap['gap']>>().toEqualTypeOf<[event: Gap]>()
    expectTypeOf<Gap['from']>().toEqualTypeOf<number | bigint>()
    expectTypeOf<AttemptContext['sequence']>().toEqualTypeOf<
      ReadonlyMap<string, SequenceNumber> | undefined
    >()
    expectTypeOf<Sequence['last']>().toEqualTypeOf<ReadonlyMap<string, SequenceNumber>>()
  })

  test('refuse what is none', () => {
    const unused = vi.fn()
    unused(() => {
      // @ts-expect-error a text is no number
      sequence<Numbered>({ of: ({ text }) => text })
      // @ts-expect-error there has to be a number
      sequence<Numbered>({ onGap: 'report' })
      // @ts-expect-error there is no such answer to a gap
      sequence<Numbered>({ of: ({ n }) => n, onGap: 'resume' })
      // @ts-expect-error these are numbers of other messages
      new ReconnectingSocket<string, string>('', { sequence: byN() })
      // @ts-expect-error and these are, too
      make({ incoming: z.string(), sequence: byN() })
      // @ts-expect-error the last numbers are to be read
      byN().last.set('', 5)
    })
  })
})
