/** Why handshakes fail, found out by HTTP: a server that refuses them, and says why to whoever asks. */

import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import {
  type CloseEvent,
  type DiagnoseOptions,
  diagnose,
  type Options,
  type Provider,
  type SocketError,
} from '../../src/index'
import { collect, next, until } from '../support/events'
import { cleanup, connect } from './rig'

afterEach(() => void vi.unstubAllGlobals())

/** How it answers, handshakes and other requests; 101 lets in, and 0 is no answer at all. */
type Answer = readonly [status: number, headers?: OutgoingHttpHeaders]

const serve = async (answer: Answer) => {
  const state = {
    answer,
    asked: [] as { url: string | undefined; headers: IncomingHttpHeaders }[],
    handshakes: 0,
  }
  const http = createServer((request, response) => {
    const { url, headers } = request
    state.asked.push({ url, headers })
    const [status, more] = state.answer
    if (status) response.writeHead(status, more).end()
  })
  const sockets = new WebSocketServer({ noServer: true })
  http.on('upgrade', (request, socket, head) => {
    state.handshakes++
    const [status] = state.answer
    if (status === 101) sockets.handleUpgrade(request, socket, head, () => {})
    else socket.end(`HTTP/1.1 ${status || 500} Refused\r\nConnection: close\r\n\r\n`)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  cleanup(() => {
    for (const client of sockets.clients) client.terminate()
    http.closeAllConnections()
    return new Promise(resolve => http.close(resolve))
  })
  const { port } = http.address() as AddressInfo
  return Object.assign(state, { port, url: `ws://127.0.0.1:${port}/feed?room=1` })
}

const open = (url: Provider<string>, asked?: DiagnoseOptions, options: Options = {}) => {
  const socket = connect(url, {
    backoff: { baseMs: 5, maxMs: 10 },
    platform: { transport: diagnose(asked) },
    ...options,
  })
  return { socket, closes: collect(socket, 'close') as CloseEvent[] }
}

test('403 is final, from the second attempt on, and close says so', async () => {
  const server = await serve([403])
  const { socket, closes } = open(server.url)
  await until(socket, 'closed')
  expect(closes).toMatchObject([
    { code: 1006, reason: '', final: false },
    { code: 1008, reason: 'HTTP 403', final: true, wasOpen: false },
  ])
  expect(server.asked).toMatchObject([{ url: '/feed?room=1' }])
})

test('401 is final the second time: the first may be answered with a fresh token', async () => {
  const server = await serve([401])
  const { socket, closes } = open(server.url)
  await until(socket, 'closed')
  expect(closes.map(({ reason, final }) => [reason, final])).toEqual([
    ['', false],
    ['HTTP 401', false],
    ['HTTP 401', true],
  ])
})

test('a url that is a function sees the 401, and a token that is fresh opens', async () => {
  const server = await serve([401])
  const tokens: (string | undefined)[] = []
  const { socket } = open(({ lastClose }) => {
    tokens.push(lastClose?.reason)
    if (lastClose?.reason === 'HTTP 401') server.answer = [101]
    return server.url
  })
  await until(socket, 'open')
  expect(tokens).toEqual([undefined, '', 'HTTP 401'])
})

test('401, then something else, then 401 again are not two in a row', async () => {
  const server = await serve([401])
  const { closes, socket } = open(server.url)
  socket.on('close', () => {
    server.answer = closes.length === 2 ? [500] : [401]
  })
  await until(socket, 'closed')
  expect(closes.map(({ reason }) => reason)).toEqual(['', 'HTTP 401', 'HTTP 500', 'HTTP 401', 'HTTP 401'])
})

test('nor are 401, no answer, and 401', async () => {
  const server = await serve([500])
  const answers = [401, undefined, 401, 401]
  const url = () => {
    const status = answers.shift()
    if (!status) throw new Error('nobody there')
    return { status, headers: new Headers() }
  }
  const { closes, socket } = open(server.url, { url, afterAttempts: 1 })
  await until(socket, 'closed')
  expect(closes.map(({ reason }) => reason)).toEqual(['HTTP 401', 'unreachable', 'HTTP 401', 'HTTP 401'])
})

describe('an overloaded server is given the time that it asks for', () => {
  test.each([
    ['seconds', () => '7', 7_000],
    ['a date', () => new Date(Date.now() + 60_000).toUTCString(), 60_000],
  ])('as %s', async (_, header, ms) => {
    const server = await serve([503, { 'Retry-After': header() }])
    const { socket, closes } = open(server.url)
    await next(socket, 'close')
    const { reason, retryInMs = 0 } = await next(socket, 'close')
    expect(reason).toMatch(/^HTTP 503; retry=\d+$/)
    // A date has whole seconds; and up to a fifth is added, so that not all come at once
    expect(retryInMs).toBeGreaterThan(ms - 2_000)
    expect(retryInMs).toBeLessThanOrEqual(ms * 1.2)
    expect(closes[1]?.final).toBe(false)
  })

  test.each(['soon', '-5', new Date(0).toUTCString()])('but what is none is not: %s', async header => {
    const server = await serve([503, { 'Retry-After': header }])
    const { socket } = open(server.url)
    await next(socket, 'close')
    expect(await next(socket, 'close')).toMatchObject({ reason: 'HTTP 503', final: false })
  })
})

test.each([
  [404, 'HTTP 404'],
  [200, 'HTTP 200'],
  [426, 'HTTP 426'],
])('%i is told, and retried as usual', async (status, reason) => {
  const server = await serve([status])
  const { socket } = open(server.url)
  await next(socket, 'close')
  expect(await next(socket, 'close')).toMatchObject({ code: 1006, reason, final: false })
})

test('a redirect is not followed, as a handshake would not', async () => {
  const server = await serve([302, { Location: '/login' }])
  const { socket } = open(server.url)
  await next(socket, 'close')
  // Outside of browsers the status of a redirect is not hidden
  expect((await next(socket, 'close')).reason).toMatch(/^HTTP (redirect|302)$/)
  expect(server.asked.map(({ url }) => url)).toEqual(['/feed?room=1'])
})

test('no network, or nobody there: told apart as far as the page knows', async () => {
  const server = await serve([403])
  const url = 'http://127.0.0.1:1/'
  const { socket } = open(server.url, { url })
  await next(socket, 'close')
  expect(await next(socket, 'close')).toMatchObject({ reason: 'unreachable', final: false })
  vi.stubGlobal('navigator', { onLine: false })
  expect(await next(socket, 'close')).toMatchObject({ reason: 'offline', final: false })
})

test('who does not answer is not waited for longer than timeoutMs', async () => {
  const server = await serve([0])
  const { socket } = open(server.url, { timeoutMs: 30 })
  await next(socket, 'close')
  expect(await next(socket, 'close')).toMatchObject({ reason: 'unreachable' })
})

test('connectTimeoutMs ends the question too; close() and reconnect() abort it, and nothing comes of it', async () => {
  const server = await serve([0])
  const aborted: boolean[] = []
  const url = (_: string, { signal }: { signal: AbortSignal }) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        aborted.push(true)
        reject(signal.reason)
      })
    })
  const { socket, closes } = open(server.url, { url, afterAttempts: 1 }, { connectTimeoutMs: 100 })
  expect(await next(socket, 'close')).toMatchObject({ reason: 'connect timeout' })
  await vi.waitFor(() => expect(server.handshakes).toBe(2))
  socket.reconnect()
  await vi.waitFor(() => expect(server.handshakes).toBe(3))
  await socket.close()
  expect(aborted.length).toBeGreaterThanOrEqual(1)
  expect(closes.every(({ reason }) => reason !== 'unreachable')).toBe(true)
})

test('a handshake that hangs counts as one that failed', async () => {
  const hung = createServer()
  hung.on('upgrade', (_, socket) => cleanup(() => socket.destroy()))
  hung.listen(0, '127.0.0.1')
  await once(hung, 'listening')
  cleanup(() => {
    hung.closeAllConnections()
    return new Promise(resolve => hung.close(resolve))
  })
  const refusing = await serve([403])
  const urls = [`ws://127.0.0.1:${(hung.address() as AddressInfo).port}`]
  const { socket, closes } = open(() => urls.shift() ?? refusing.url, {}, { connectTimeoutMs: 200 })
  await until(socket, 'closed')
  expect(closes.map(({ reason }) => reason)).toEqual(['connect timeout', 'HTTP 403'])
})

test('one that opened starts the count anew; what was open is never looked into', async () => {
  const server = await serve([500])
  const { socket, closes } = open(server.url, {}, { minUptimeMs: 0 })
  await next(socket, 'close')
  server.answer = [101]
  await until(socket, 'open')
  server.answer = [403]
  socket.reconnect()
  await until(socket, 'closed')
  expect(closes.at(-1)).toMatchObject({ reason: 'HTTP 403' })
  // 500, the one that was replaced, one that is let be, and the one that is looked into
  expect(server.asked).toHaveLength(1)
  expect(closes.filter(({ wasOpen }) => wasOpen)).toHaveLength(1)
})

test('a function asks instead of fetch, and is told for which address', async () => {
  const server = await serve([500])
  const asked: string[] = []
  const url = (address: string) => {
    asked.push(address)
    return { status: 403, headers: new Headers() }
  }
  const { socket } = open(server.url, { url, afterAttempts: 3 })
  await until(socket, 'closed')
  expect(asked).toEqual([server.url])
  expect(server.handshakes).toBe(3)
})

test('a function that throws has found nothing out', async () => {
  const server = await serve([500])
  const url = () => {
    throw new Error('no')
  }
  const { socket } = open(server.url, { url, afterAttempts: 1 })
  expect(await next(socket, 'close')).toMatchObject({ reason: 'unreachable', final: false })
})

test.each([
  [{ url: 5 }, 'diagnose.url'],
  [{ afterAttempts: 0 }, 'diagnose.afterAttempts'],
  [{ timeoutMs: 0 }, 'diagnose.timeoutMs'],
  [{ timeoutMs: Infinity }, 'diagnose.timeoutMs'],
  [{ transport: {} }, 'diagnose.transport'],
  [{ after: 2 }, 'diagnose.after'],
])('%j is refused, by name', (options, path) => {
  expect(() => diagnose(options as DiagnoseOptions)).toThrow(
    expect.objectContaining({
      code: 'invalid-option',
      message: expect.stringContaining(path),
    }) as SocketError,
  )
})
