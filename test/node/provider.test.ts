import { describe, expect, test, vi } from 'vitest'
import { type AttemptContext, FatalError, text } from '../../src/index'
import { collect, next, quiet, until } from '../support/events'
import { connect, LONGER_MS, proxied, serve } from './rig'

const never = new Promise<never>(() => {})

/** A provider that never answers, and the signals it was given. */
function hanging() {
  const signals: AbortSignal[] = []
  const provider = ({ signal }: AttemptContext) => {
    signals.push(signal)
    return never
  }
  return { signals, provider }
}

describe('the URL provider', () => {
  test('is awaited, and told of the attempt and of how the last connection ended', async () => {
    const server = await serve('echo')
    const contexts: AttemptContext[] = []
    const socket = connect(async context => {
      contexts.push(context)
      await quiet(5)
      return server.url
    })
    await until(socket, 'open')
    const opened = next(socket, 'open')
    server.closeAll(4001, 'again')
    await opened
    const [first, second] = contexts
    expect(contexts).toHaveLength(2)
    expect(first).toMatchObject({ attempt: 0, lastClose: undefined })
    expect(second).toMatchObject({
      attempt: 1,
      lastClose: { code: 4001, reason: 'again', wasClean: true, local: false },
    })
    expect([first?.signal.aborted, second?.signal.aborted]).toEqual([true, false])
  })

  test('may refresh a token: each attempt uses what it just answered', async () => {
    const paths: string[] = []
    const server = await serve('echo', {
      selectProtocol: offered => {
        paths.push(...offered)
        return [...offered][0] ?? false
      },
    })
    let token = 0
    const socket = connect(server.url, { protocols: async () => [`token-${token++}`] })
    expect(await next(socket, 'open')).toMatchObject({ protocol: 'token-0' })
    server.closeAll(4001)
    expect(await next(socket, 'open')).toMatchObject({ protocol: 'token-1' })
    expect(paths).toEqual(['token-0', 'token-1'])
  })

  test.each([
    ['rejects', async () => Promise.reject(new Error('no token'))],
    [
      'throws',
      () => {
        throw new Error('no token')
      },
    ],
  ])('that %s fails the attempt, which is tried again', async (_, fail) => {
    const server = await serve('echo')
    const socket = connect(({ attempt }) => (attempt < 2 ? fail() : server.url))
    const errors = collect(socket, 'error')
    const closes = collect(socket, 'close')
    await until(socket, 'open')
    expect(errors.map(({ code }) => code)).toEqual(['provider', 'provider'])
    expect(errors[0]?.cause).toMatchObject({ message: 'no token' })
    expect(closes).toMatchObject([
      { code: 1006, reason: 'provider failed', wasOpen: false, final: false },
      { code: 1006, reason: 'provider failed', wasOpen: false, final: false },
    ])
  })

  test('is told by its signal that close was called', async () => {
    const { signals, provider } = hanging()
    const socket = connect(provider)
    await vi.waitFor(() => expect(signals.map(({ aborted }) => aborted)).toEqual([false]))
    await socket.close()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  test('is told by its signal that the attempt took too long', async () => {
    const { signals, provider } = hanging()
    const socket = connect(provider, { connectTimeoutMs: 60 })
    expect(await next(socket, 'close')).toMatchObject({ reason: 'connect timeout' })
    expect(signals[0]?.aborted).toBe(true)
    await until(socket, 'connecting')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  })

  test('that answers too late opens nothing', async () => {
    const proxy = await proxied(await serve('echo'))
    let answer: (url: string) => void = () => {}
    const socket = connect(() => new Promise<string>(resolve => (answer = resolve)))
    await socket.close()
    answer(proxy.url)
    await quiet(LONGER_MS)
    expect(proxy.accepted).toBe(0)
  })

  test('that rejects too late is nobody’s error', async () => {
    let fail: (error: Error) => void = () => {}
    const socket = connect(() => new Promise<string>((_, reject) => (fail = reject)))
    const errors = collect(socket, 'error')
    await socket.close()
    fail(new Error('too late'))
    await quiet(20)
    expect(errors).toEqual([])
  })

  test('ends it all with a FatalError', async () => {
    const socket = connect(async () => Promise.reject(new FatalError('account closed')))
    const [failed, closed] = [next(socket, 'error'), next(socket, 'close')]
    expect(await failed).toMatchObject({ code: 'provider', cause: { message: 'account closed' } })
    expect(await closed).toMatchObject({ final: true, retryInMs: undefined })
    expect(socket.state.name).toBe('closed')
  })

  test.each(['not a url', 'ftp://127.0.0.1/', ''])('ends it all with the invalid URL %j', async url => {
    const socket = connect(async () => url)
    const [failed, closed] = [next(socket, 'error'), next(socket, 'close')]
    expect(await failed).toMatchObject({ code: 'provider' })
    expect(await closed).toMatchObject({ final: true })
    expect(socket.state.name).toBe('closed')
  })
})

describe('subprotocols', () => {
  test('the one that the server selected shows in the open event', async () => {
    const server = await serve('echo', { selectProtocol: offered => offered.has('v1') && 'v1' })
    const socket = connect(server.url, { protocols: ['v2', 'v1'] })
    expect(await next(socket, 'open')).toEqual({ protocol: 'v1', reconnected: false, resumed: false })
  })

  test('none asked for is none shown', async () => {
    const socket = connect((await serve('echo')).url)
    expect(await next(socket, 'open')).toMatchObject({ protocol: '' })
  })

  test('a server that selects none of those requested fails the attempt', async () => {
    let willing = false
    const server = await serve('echo', { selectProtocol: () => willing && 'v1' })
    const socket = connect(server.url, { protocols: 'v1', codec: text() })
    const opens = collect(socket, 'open')
    expect(await next(socket, 'close')).toMatchObject({ code: 1006, wasOpen: false, final: false })
    expect(opens).toEqual([])
    willing = true
    expect(await next(socket, 'open')).toMatchObject({ protocol: 'v1' })
  })
})
