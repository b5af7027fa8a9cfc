/** The built package, in a real browser, against a real server in a process of its own. */

import { afterEach, expect, test } from 'vitest'
import { commands } from 'vitest/browser'
import * as built from '../../dist/index.js'
import umdSource from '../../dist/umd/reconnecting-socket.min.js?raw'

type Socket = InstanceType<typeof built.ReconnectingSocket>

const quick = { backoff: { baseMs: 200, maxMs: 1_000 } }
const sockets: Socket[] = []
/** Each test has a loopback address of its own: browsers connect to one address one at a time. */
let host = 1

const create = (...args: ConstructorParameters<typeof built.ReconnectingSocket>): Socket => {
  const socket = new built.ReconnectingSocket(...args)
  sockets.push(socket)
  return socket
}

async function network(kind: 'echo' | 'echo-binary' | 'chat' | 'mute' = 'echo') {
  const address = `127.0.1.${host++}`
  const server = await commands.startServer(kind)
  const port = await commands.startNetwork(server, address)
  return { server, port, url: `ws://${address}:${port}/` }
}

const next = <K extends 'open' | 'close' | 'message'>(socket: Socket, event: K) =>
  new Promise<Parameters<built.EventMap[K]>[0]>(resolve => {
    socket.once(event, ((told: Parameters<built.EventMap[K]>[0]) => resolve(told)) as built.EventMap[K])
  })

function collect(socket: Socket, count: number): Promise<unknown[]> {
  const messages: unknown[] = []
  return new Promise(resolve => {
    socket.on('message', message => {
      messages.push(message)
      if (messages.length === count) resolve(messages)
    })
  })
}

afterEach(async () => {
  await Promise.all(sockets.splice(0).map(socket => socket.close()))
  await commands.stopEverything()
})

test('the server is killed and started again: the page is back by itself, and the queue goes out in order', async () => {
  const server = await commands.startServer('echo')
  const socket = create(`ws://127.0.0.1:${server}/`, quick)
  await socket.opened()
  const closed = next(socket, 'close')
  await commands.killServer(server)
  expect(await closed).toMatchObject({ code: 1006, wasOpen: true, local: false, final: false })
  const expected = Array.from({ length: 100 }, (_, n) => n)
  const echoed = collect(socket, 100)
  for (const n of expected) socket.send(n)
  expect(socket.queuedMessages).toBe(100)

  const reopened = next(socket, 'open')
  await commands.startServer('echo', server)
  const startedAt = performance.now()
  expect(await reopened).toMatchObject({ reconnected: true })
  // The longest wait, and what the browser itself takes to connect
  expect(performance.now() - startedAt).toBeLessThan(1_000 + 1_500)
  expect(await echoed).toEqual(expected)
  expect(socket.queuedMessages).toBe(0)
})

test.each([
  ['with a message to ask with', { message: 'ping' }],
  ['with a watchdog that only listens', {}],
])('a half-open connection is found and replaced, %s', async (_, more) => {
  const { port, url } = await network()
  const [intervalMs, timeoutMs] = [600, 400]
  const socket = create(url, { ...quick, heartbeat: { intervalMs, timeoutMs, ...more } })
  await socket.opened()
  const closed = next(socket, 'close')
  const reopened = next(socket, 'open')
  await commands.breakNetwork(port, 'zombie')
  const stalledAt = performance.now()
  expect(await closed).toMatchObject({ reason: 'heartbeat timeout', local: true, wasOpen: true })
  expect(performance.now() - stalledAt).toBeLessThan(intervalMs + timeoutMs + 1_000)
  await reopened
  const echoed = next(socket, 'message')
  socket.send('alive')
  expect(await echoed).toBe('alive')
})

test('an echo of the ping is swallowed and measured, even turned into bytes', async () => {
  for (const kind of ['echo', 'echo-binary'] as const) {
    const { url } = await network(kind)
    const socket = create(url, {
      heartbeat: { message: { type: 'ping' }, intervalMs: 100, timeoutMs: 2_000 },
    })
    const messages: unknown[] = []
    socket.on('message', message => messages.push(message))
    await socket.opened()
    await expect.poll(() => socket.roundTripMs, { timeout: 5_000 }).toBeGreaterThan(0)
    expect(messages).toEqual([])
  }
})

test('a handshake that hangs is given up at our deadline, and the next one gets through', async () => {
  const { port, url } = await network()
  await commands.breakNetwork(port, 'hang')
  const socket = create(url, { ...quick, connectTimeoutMs: 700 })
  const startedAt = performance.now()
  expect(await next(socket, 'close')).toMatchObject({ reason: 'connect timeout', wasOpen: false })
  expect(performance.now() - startedAt).toBeLessThan(700 + 1_000)
  await commands.breakNetwork(port, 'accept')
  await socket.opened()
})

test.each(['rst', 'fin'] as const)('a cut by %s is noticed at once', async how => {
  const { port, url } = await network()
  const socket = create(url, quick)
  await socket.opened()
  const reopened = next(socket, 'open')
  await commands.breakNetwork(port, how)
  await reopened
})

test('close() is bounded though the server never answers', async () => {
  const { url } = await network('mute')
  const socket = create(url, { ...quick, closeTimeoutMs: 500 })
  await socket.opened()
  const startedAt = performance.now()
  expect(await socket.close(4000, 'bye')).toMatchObject({
    code: 4000,
    reason: 'bye',
    wasClean: false,
    undelivered: [],
  })
  expect(performance.now() - startedAt).toBeLessThan(500 + 1_000)
})

test('close() is confirmed by a server that answers, and nothing opens after it', async () => {
  const { port, url } = await network()
  const socket = create(url, quick)
  await socket.opened()
  expect(await socket.close(4000, 'bye')).toMatchObject({
    code: 4000,
    reason: 'bye',
    wasClean: true,
    undelivered: [],
  })
  const { accepted } = await commands.countConnections(port)
  window.dispatchEvent(new Event('online'))
  document.dispatchEvent(new Event('visibilitychange'))
  // There is no event for what must not happen: five times the longest wait it would take
  await new Promise(resolve => setTimeout(resolve, 1_000))
  expect(await commands.countConnections(port)).toEqual({ connections: 0, accepted })
})

test('a page that is put away leaves at once, and is back when it is shown again', async () => {
  const { port, url } = await network()
  const socket = create(url, quick)
  await socket.opened()
  window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
  expect(socket.state.name).toBe('suspended')
  await expect.poll(async () => (await commands.countConnections(port)).connections).toBe(0)
  const reopened = next(socket, 'open')
  window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
  await reopened
})

test('a chat server is greeted by, and answered with pong', async () => {
  const { url } = await network('chat')
  const isPong = (message: unknown) => (message as { type?: string }).type === 'pong'
  const socket = create(url, { heartbeat: { message: { type: 'ping' }, isPong, intervalMs: 100 } })
  expect(await next(socket, 'message')).toEqual({ type: 'connected' })
  await expect.poll(() => socket.roundTripMs, { timeout: 5_000 }).toBeGreaterThan(0)
  const said = next(socket, 'message')
  socket.send({ type: 'say', text: 'hi' })
  expect(await said).toMatchObject({ type: 'say', text: 'hi' })
})

test('the UMD, loaded by a script tag, is one new global: the class, with the rest on it', async () => {
  const before = new Set(Object.getOwnPropertyNames(globalThis))
  const script = document.createElement('script')
  script.textContent = umdSource
  document.head.append(script)
  const added = Object.getOwnPropertyNames(globalThis).filter(name => !before.has(name))
  expect(added).toEqual(['ReconnectingSocket'])

  const Global = (
    globalThis as unknown as { ReconnectingSocket: typeof built.ReconnectingSocket & typeof built }
  ).ReconnectingSocket
  expect(Global.name).toBe('ReconnectingSocket')
  const { url } = await network()
  const socket = new Global<string, string>(url, { codec: Global.text() })
  const echoed = new Promise(resolve => socket.once('message', resolve))
  socket.send('by script tag')
  expect(await echoed).toBe('by script tag')
  await socket.close()
})

test('in a worker, where there is no page', async () => {
  const { url } = await network()
  const source = `${umdSource}
    const socket = new ReconnectingSocket(${JSON.stringify(url)})
    socket.on('message', message => postMessage(message))
    socket.send('from a worker')`
  const worker = new Worker(URL.createObjectURL(new Blob([source])))
  const echoed = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = reject
  })
  expect(echoed).toBe('from a worker')
  worker.terminate()
})
