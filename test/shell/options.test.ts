import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { ReconnectingSocket, SocketError } from '../../src/index'

const construct = (options: object, ...[url]: unknown[]) =>
  new ReconnectingSocket(url as string, { autoConnect: false, ...options } as object)

const wrong: [options: object, message: RegExp][] = [
  [{ hearbeat: {} }, /^hearbeat: expected nothing by this name/],
  [{ autoConnect: 'yes' }, /^autoConnect: expected true or false, got "yes"/],
  [{ connectTimeoutMs: 0 }, /^connectTimeoutMs: expected 1 to 2147483647, got 0/],
  [{ connectTimeoutMs: '5s' }, /^connectTimeoutMs: .* got "5s"/],
  [{ closeTimeoutMs: Number.NaN }, /^closeTimeoutMs: /],
  [{ minUptimeMs: -1 }, /^minUptimeMs: expected 0 to Infinity, got -1/],
  [{ maxAttempts: 0 }, /^maxAttempts: expected 1 to Infinity/],
  [{ maxElapsedMs: null }, /^maxElapsedMs: .* got null/],
  [{ maxMessageBytes: 0 }, /^maxMessageBytes: /],
  [{ backoff: 5 }, /^backoff: expected object, got 5/],
  [{ backoff: null }, /^backoff: /],
  [{ backoff: { baseMs: 0 } }, /^backoff\.baseMs: /],
  [{ backoff: { maxMS: 5 } }, /^backoff\.maxMS: expected nothing by this name/],
  [{ heartbeat: true }, /^heartbeat: /],
  [{ heartbeat: { intervalMs: 0 } }, /^heartbeat\.intervalMs: /],
  [{ heartbeat: { isPong: /pong/ } }, /^heartbeat\.isPong: expected function/],
  [{ heartbeat: { message: () => {} } }, /^heartbeat\.message: expected what can be sent/],
  [
    { queue: { overflow: 'drop' } },
    /^queue\.overflow: expected throw or drop-oldest or drop-newest, got "drop"/,
  ],
  [{ queue: { maxBytes: -1 } }, /^queue\.maxBytes: /],
  [{ queue: { maxMessages: '10' } }, /^queue\.maxMessages: /],
  [{ queue: { highWaterMarkBytes: 0 } }, /^queue\.highWaterMarkBytes: /],
  [{ codec: 'json' }, /^codec: /],
  [{ codec: {} }, /^codec: expected object encode decode, got object/],
  [{ connectTimeoutMs: Infinity }, /^connectTimeoutMs: /],
  [{ platform: { clock: {} } }, /^platform\.clock: expected object now/],
  [{ signal: {} }, /^signal: expected object throwIfAborted/],
  [{ handshake: {} }, /^handshake: expected function/],
  [{ shouldRetry: true }, /^shouldRetry: expected function/],
  [{ signal: true }, /^signal: expected object/],
  [{ WebSocket: {} }, /^WebSocket: expected function/],
  [{ platform: { clock: 5 } }, /^platform\.clock: expected object/],
  [{ platform: { page: null } }, /^platform\.page: /],
  [{ platform: { transport: {} } }, /^platform\.transport: /],
  [{ protocols: ['a', 'a'] }, /^protocols: expected distinct tokens/],
  [{ protocols: '' }, /^protocols: /],
  [{ protocols: ['with space'] }, /^protocols: /],
  [{ protocols: ['base64='] }, /^protocols: /],
  [{ protocols: 5 }, /^protocols: /],
]

test.each(wrong)('%j is refused, by name', (options, message) => {
  const error = (() => {
    try {
      construct(options, 'ws://server.test')
    } catch (error) {
      return error as SocketError
    }
    return undefined
  })()
  expect(error).toBeInstanceOf(SocketError)
  expect(error?.message).toMatch(message)
  expect(error?.code).toBe('invalid-option')
})

test.each(['ftp://server.test', 'ws://', 'ws://[', '//', null, undefined, 5, {}])(
  'the url %j is refused',
  url => {
    expect(() => construct({}, url)).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        message: expect.stringMatching(/^url: expected a ws:/),
      }),
    )
  },
)

test.each([null, 5, 'options'])('options %j are refused', options => {
  expect(() => new ReconnectingSocket('ws://server.test', options as unknown as object)).toThrow(SocketError)
})

test('undefined asks for nothing', () => {
  const options = {
    connectTimeoutMs: undefined,
    backoff: undefined,
    queue: { maxBytes: undefined },
    protocols: undefined,
  }
  expect(construct(options, 'ws://server.test').state.name).toBe('idle')
})

test('without a WebSocket it says so, and does not try for ever', async () => {
  const { WebSocket } = globalThis
  Reflect.deleteProperty(globalThis, 'WebSocket')
  try {
    const socket = construct({}, 'ws://server.test')
    const error = new Promise(resolve => socket.on('error', resolve))
    socket.connect()
    expect(await error).toMatchObject({ code: 'provider', cause: expect.any(TypeError) })
    expect(socket.state.name).toBe('closed')
  } finally {
    globalThis.WebSocket = WebSocket
  }
})

describe('for anything at all', () => {
  const timer = z
    .number()
    .min(1)
    .max(2 ** 31 - 1)
    .optional()
  const amount = z.union([z.number().min(1), z.literal(Infinity)]).optional()
  const duration = z.union([z.number().min(0), z.literal(Infinity)]).optional()
  /** The same said by zod, which is too large to ship. */
  const oracle = z.strictObject({
    autoConnect: z.boolean().optional(),
    connectTimeoutMs: timer,
    closeTimeoutMs: timer,
    minUptimeMs: duration,
    maxAttempts: amount,
    maxElapsedMs: duration,
    maxMessageBytes: amount,
    backoff: z.strictObject({ baseMs: timer, maxMs: timer }).optional(),
    queue: z
      .strictObject({
        maxMessages: amount,
        maxBytes: amount,
        highWaterMarkBytes: amount,
        overflow: z.enum(['throw', 'drop-oldest', 'drop-newest']).optional(),
      })
      .optional(),
  })
  const odd = fc.oneof(
    fc.double(),
    fc.integer({ min: -2, max: 5_000 }),
    fc.constantFrom(undefined, null, true, false, 'throw', 'drop-newest', '', 0, Infinity, {}, []),
  )
  const key = fc.constantFrom(...Object.keys(oracle.shape).filter(name => name !== 'autoConnect'), 'typo')
  const inner = fc.dictionary(
    fc.constantFrom('baseMs', 'maxMs', 'maxMessages', 'maxBytes', 'highWaterMarkBytes', 'overflow', 'typo'),
    odd,
    {
      maxKeys: 2,
    },
  )

  test('options are refused exactly when the schema refuses them', () => {
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.oneof(odd, inner), { maxKeys: 3, noNullPrototype: true }),
        options => {
          // An array is an object with nothing in it, to us
          fc.pre(!Object.values(options).some(value => Array.isArray(value)))
          let refused = false
          try {
            construct(options, 'ws://server.test')
          } catch (error) {
            expect(error).toMatchObject({ name: 'SocketError', code: 'invalid-option' })
            refused = true
          }
          expect(refused).toBe(!oracle.safeParse(options).success)
        },
      ),
      { seed: 42, numRuns: 3_000 },
    )
  })
})
