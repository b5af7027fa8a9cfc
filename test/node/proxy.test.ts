/** The instrument is checked before anything is measured with it. */

import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { quiet } from '../support/events'
import { type FaultProxy, startProxy } from '../support/proxy'

let proxy: FaultProxy
let takeDown: (() => unknown)[] = []
/** The server's side of each connection. */
let served: Socket[] = []

beforeEach(async () => {
  served = []
  const server = createServer({ allowHalfOpen: true }, socket => {
    served.push(socket.on('error', () => {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const target = (server.address() as AddressInfo).port
  proxy = await startProxy(target)
  takeDown = [
    () => proxy.close(),
    () => {
      for (const socket of served) socket.destroy()
      server.close()
    },
  ]
})

afterEach(async () => {
  for (const each of takeDown) await each()
})

/** Both ends of a connection through the proxy. */
async function through(): Promise<[client: Socket, server: Socket]> {
  const already = served.length
  const client = dial({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => {})
  takeDown.unshift(() => client.destroy())
  await once(client, 'connect')
  const server = await vi.waitUntil(() => served[already], { interval: 1 })
  return [client, server]
}

function heard(socket: Socket): { text: string } {
  const all = { text: '' }
  socket.setEncoding('utf8').on('data', more => {
    all.text += more
  })
  return all
}

test('bytes pass in both directions, and half a connection can be closed', async () => {
  const [client, server] = await through()
  const [down, up] = [heard(client), heard(server)]
  client.end('question')
  await once(server, 'end')
  expect(up.text).toBe('question')
  server.end('answer')
  await once(client, 'end')
  expect(down.text).toBe('answer')
})

test('order survives a delay, also one that becomes shorter', async () => {
  const [client, server] = await through()
  const up = heard(server)
  const began = performance.now()
  proxy.delay(60)
  client.write('first ')
  await quiet(10)
  proxy.delay(0)
  client.end('second')
  await once(server, 'end')
  expect(up.text).toBe('first second')
  expect(performance.now() - began).toBeGreaterThanOrEqual(59)
})

test('what is stalled is held, not lost, and neither end of the connection sees it close', async () => {
  const [client, server] = await through()
  const up = heard(server)
  proxy.stall('up')
  client.write('held')
  server.write('passes')
  expect(String((await once(client, 'data'))[0])).toBe('passes')
  client.end()
  await quiet(30)
  expect(up.text).toBe('')
  expect(server.readableEnded).toBe(false)
  proxy.resume()
  await once(server, 'end')
  expect(up.text).toBe('held')
})

test('a new connection is stalled too, but not after zombie', async () => {
  const [old, oldServer] = await through()
  proxy.zombie()
  const [fresh, freshServer] = await through()
  const [stale, live] = [heard(oldServer), heard(freshServer)]
  old.write('a')
  fresh.write('b')
  await vi.waitFor(() => expect(live.text).toBe('b'))
  proxy.stall('both')
  const [late, lateServer] = await through()
  const later = heard(lateServer)
  late.write('c')
  await quiet(30)
  expect([stale.text, later.text]).toEqual(['', ''])
  proxy.resume()
  await vi.waitFor(() => expect([stale.text, later.text]).toEqual(['a', 'c']))
})

test('a reader that stops is felt by the writer, and then gets everything', async () => {
  const [client, server] = await through()
  server.pause()
  const chunk = Buffer.alloc(65_536, 'x')
  let written = 0
  // Kernel buffers on the way take some megabytes; a proxy without backpressure would take all of them
  while (written < 64 * 2 ** 20 && (client.write(chunk) || (await drains(client)))) written += chunk.length
  expect(written).toBeLessThan(64 * 2 ** 20)
  let arrived = 0
  server.on('data', data => {
    arrived += data.length
  })
  server.resume()
  client.end()
  await once(server, 'end')
  expect(arrived).toBeGreaterThanOrEqual(written)
})

const drains = (socket: Socket) =>
  Promise.race([once(socket, 'drain').then(() => true), quiet(150).then(() => false)])

test.each(['fin', 'rst'] as const)('cut by %s reaches both ends', async how => {
  const [client, server] = await through()
  const ended = (socket: Socket) =>
    new Promise(resolve => {
      socket.resume().on('end', () => resolve('fin'))
      socket.on('close', wasReset => wasReset && resolve('rst'))
    })
  const both = Promise.all([ended(client), ended(server)])
  proxy.cut(how)
  expect(await both).toEqual([how, how])
  expect(proxy.connections).toBe(0)
})

test('a reset is passed on as a reset', async () => {
  const [client, server] = await through()
  const wasReset = new Promise(resolve => client.on('close', resolve))
  server.resetAndDestroy()
  expect(await wasReset).toBe(true)
  expect(proxy.connections).toBe(0)
})

test('refused connections find nobody there, until the same port accepts again', async () => {
  proxy.refuse()
  const client = dial(proxy.port, '127.0.0.1')
  const [error] = await once(client, 'error')
  expect(error.code).toBe('ECONNREFUSED')
  await proxy.accept()
  await through()
  expect(proxy.accepted).toBe(1)
})

test('a hanging connection is accepted, never answered, and counted for as long as the client stays', async () => {
  proxy.hang()
  const client = dial(proxy.port, '127.0.0.1')
  client.write('anybody?')
  await vi.waitFor(() => expect(proxy.connections).toBe(1))
  expect(served).toHaveLength(0)
  client.destroy()
  await vi.waitFor(() => expect(proxy.connections).toBe(0))
  expect(proxy.accepted).toBe(1)
})
