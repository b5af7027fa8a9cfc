/** A server that goes away: it says when to come again, each client at a time of its own, and loses nothing on the way. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ReconnectingSocket, resumable } from '../../src/index'
import { SessionServer } from '../../src/server'
import { collect, next } from '../support/events'
import { FakeServerSocket } from './fake-socket'
import { cleanup, dial, fakeClock, serve, until } from './rig'

const startProcess = async (name: string) => {
  const child = fork(fileURLToPath(new URL('drained.ts', import.meta.url)), [name], {
    execArgv: ['--import', 'tsx'],
  })
  cleanup(() => child.kill('SIGKILL'))
  const [port] = (await once(child, 'message')) as [number]
  return { child, port }
}

interface Said {
  readonly from: string
  readonly last?: boolean
  readonly heard?: { readonly n: number }
}

const CLIENTS = 20

test('SIGTERM: the last words arrive, the process ends with 0, and clients come back to the successor', async () => {
  const [old, successor] = await Promise.all([startProcess('old'), startProcess('new')])
  let port = old.port
  const clients = Array.from({ length: CLIENTS }, () => {
    const socket = new ReconnectingSocket<Said, { n: number }>(() => `ws://127.0.0.1:${port}`, {
      WebSocket,
      session: resumable(),
      backoff: { baseMs: 1, maxMs: 1 },
    })
    cleanup(() => socket.close())
    const [messages, closes, losses] = [
      collect(socket, 'message'),
      collect(socket, 'close'),
      collect(socket, 'sessionLost'),
    ]
    return { socket, messages, closes, losses }
  })
  await Promise.all(clients.map(({ socket }) => socket.deliver({ n: 1 })))
  port = successor.port
  const exited = once(old.child, 'exit')
  const gone = clients.map(({ socket }) => next(socket, 'close'))
  old.child.kill('SIGTERM')
  await Promise.all(gone)
  // Sent while nobody is there
  const deliveries = clients.map(({ socket }) => socket.deliver({ n: 2 }))
  expect(await exited).toEqual([0, null])
  expect(new Set(await Promise.all(deliveries))).toEqual(new Set(['acknowledged']))
  await until(() => clients.every(({ messages }) => messages.at(-1)?.heard?.n === 2))
  for (const { messages, closes, losses } of clients) {
    expect(messages).toEqual([
      { from: 'old' },
      { from: 'old', heard: { n: 1 } },
      { from: 'old', last: true },
      { from: 'new' },
      { from: 'new', heard: { n: 2 } },
    ])
    expect(closes[0]).toMatchObject({ code: 4503 })
    // Another process knows nothing of it: nothing is undelivered all the same
    expect(losses).toMatchObject([{ undelivered: [] }])
  }
  const retries = clients.map(({ closes }) => closes[0]?.reason)
  expect(new Set(retries).size).toBeGreaterThan(CLIENTS / 2)
}, 60_000)

const retryOf = (reason: string) => Number(reason.match(/^draining; retry=(\d+)$/)?.[1])

test.each([
  ['unless told, from 5 to 10 s', {}, 5_000, 10_000],
  ['as long again as retryMs', { retryMs: 1_000 }, 1_000, 2_000],
  ['as told', { retryMs: 2_000, spreadMs: 60_000 }, 2_000, 62_000],
])('a fleet is spread evenly: %s', async (_, options, from, to) => {
  const clients = 1_000
  const server = new SessionServer({ authenticate: () => 'ada', clock: fakeClock() })
  const reasons: string[] = []
  server.on('refused', ({ reason }) => reasons.push(reason))
  const sockets = Array.from({ length: clients }, () => {
    const socket = new FakeServerSocket()
    server.accept(socket, undefined)
    return socket
  })
  const closed = server.close(options)
  for (const socket of sockets) socket.end()
  await closed
  const retries = reasons.map(retryOf).sort((a, b) => a - b)
  expect(retries).toHaveLength(clients)
  expect(retries[0]).toBeGreaterThanOrEqual(from)
  expect(retries.at(-1)).toBeLessThanOrEqual(to)
  // No tenth of the time has more than a fifth of them
  const tenths = Array.from({ length: 10 }, () => 0)
  for (const retry of retries) {
    const tenth = Math.min(9, Math.floor((10 * (retry - from)) / (to - from)))
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  expect(Math.max(...tenths)).toBeLessThan(clients / 5)
})

test('sessions, latecomers and those who wait are each told a time of their own', async () => {
  const { url, server } = await serve()
  const clients = await Promise.all(Array.from({ length: 10 }, () => dial(url)))
  for (const [n, client] of clients.slice(5).entries()) await client.welcome({ id: `c${n}` })
  const closed = server.close()
  const late = await Promise.all(Array.from({ length: 5 }, () => dial(url)))
  const reasons = await Promise.all([...clients, ...late].map(client => client.closed))
  expect(reasons.every(({ code }) => code === 4503)).toBe(true)
  const retries = reasons.map(({ reason }) => retryOf(reason))
  expect(retries.every(retry => retry >= 5_000 && retry <= 10_000)).toBe(true)
  expect(new Set(retries).size).toBeGreaterThan(10)
  await closed
})
