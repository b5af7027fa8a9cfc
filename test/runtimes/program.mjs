/**
 * What the built package does in any runtime: the same program runs in all of them, in processes and in workers. All
 * that it needs of its runtime is `fetch`, by which it asks the rig for servers and for networks that break.
 */

import { bytes, diagnose, ReconnectingSocket, resumable, streams, text } from '../../dist/index.js'

/** A behaviour takes this long at most, in ms. */
const PATIENCE_MS = 20_000
/** More than a busy machine adds to any duration, in ms. */
const SLACK_MS = 3_000

/**
 * @typedef {object} Context
 * @property {(url: string, options?: object) => ReconnectingSocket} connect is quick to react, and closed in the end
 * @property {(name: string, ...args: unknown[]) => Promise<any>} rig
 */

/** @typedef {{ name: string, status: 'passed' | 'failed', detail?: string }} Result */

const range = length => Array.from({ length }, (_, n) => n)

function equal(actual, expected, what) {
  const [is, shouldBe] = [actual, expected].map(value => JSON.stringify(value))
  if (is !== shouldBe) throw new Error(`${what}: expected ${shouldBe}, but it is ${is}`.slice(0, 1_000))
}

function check(isSo, what) {
  if (!isSo) throw new Error(what)
}

const next = (socket, event) => new Promise(resolve => socket.once(event, resolve))

const reached = (socket, name) =>
  new Promise(resolve => {
    if (socket.state.name === name) return resolve()
    const off = socket.on('state', state => {
      if (state.name !== name) return
      off()
      resolve()
    })
  })

/** The next so many messages. */
const messages = (socket, count) =>
  new Promise(resolve => {
    const came = []
    const off = socket.on('message', message => {
      if (came.push(message) < count) return
      off()
      resolve(came)
    })
  })

/** What is asked of the `close` event of a failed attempt. */
const attempt = ({ code, wasClean, wasOpen, local, final }) => ({ code, wasClean, wasOpen, local, final })
const FAILED = { code: 1006, wasClean: false, wasOpen: false, local: false, final: false }

/** @type {Record<string, (context: Context) => Promise<unknown>>} */
export const behaviours = {
  async 'echoes text'({ connect, rig }) {
    const socket = connect(await rig('serve', 'echo'), { codec: text() })
    const said = ['hello', '', 'ünï✓😀', 'x'.repeat(1_000_000)]
    const heard = messages(socket, said.length)
    for (const message of said) socket.send(message)
    equal(await heard, said, 'messages')
  },

  async 'echoes binary messages'({ connect, rig }) {
    const socket = connect(await rig('serve', 'echo'), { codec: bytes() })
    const said = [new Uint8Array(range(256)), new Uint8Array(), new Uint8Array(1_000_000).fill(7)]
    const heard = messages(socket, said.length + 1)
    for (const message of said) socket.send(message)
    // A view counts as what it shows, not as what is below
    socket.send(new Uint8Array([1, 2, 3, 4, 5, 6]).subarray(2, 4))
    const came = await heard
    check(
      came.every(message => message instanceof Uint8Array),
      'not all are a Uint8Array',
    )
    equal(
      came.map(message => [message.length, ...message.subarray(0, 256)]),
      [...said, [3, 4]].map(message => [message.length, ...message.slice(0, 256)]),
      'bytes',
    )
  },

  async 'echoes through streams'({ connect, rig }) {
    const socket = connect(await rig('serve', 'echo'), { codec: text() })
    const { readable, writable } = streams(socket)
    const [reader, writer] = [readable.getReader(), writable.getWriter()]
    await writer.write('one')
    await writer.write('two')
    equal([(await reader.read()).value, (await reader.read()).value], ['one', 'two'], 'messages')
    await writer.close()
    equal([socket.state.name, (await reader.read()).done], ['closed', true], 'after the end')
  },

  async 'comes back after the server was killed, with what was queued, in order'({ connect, rig }) {
    const url = await rig('serve', 'echo')
    const socket = connect(url, { codec: text() })
    await reached(socket, 'open')
    const closed = next(socket, 'close')
    await rig('stop', url)
    equal(attempt(await closed), { ...FAILED, wasOpen: true }, 'close')
    const said = range(100).map(String)
    const heard = messages(socket, said.length)
    for (const message of said) socket.send(message)
    const opened = next(socket, 'open')
    await rig('serve', 'echo', { port: Number(new URL(url).port) })
    equal((await opened).reconnected, true, 'reconnected')
    equal(await heard, said, 'messages')
    equal(await rig('received', url, said.length), said, 'what the server got')
  },

  async 'refused: 1006, waits, and opens once it may'({ connect, rig }) {
    const network = await rig('network', await rig('serve', 'echo'))
    await rig('fault', network, 'refuse')
    const socket = connect(network)
    const close = await next(socket, 'close')
    equal(attempt(close), FAILED, 'close')
    equal(socket.state.name, 'waiting', 'state')
    check(socket.state.retryAt > Date.now() - SLACK_MS, 'retryAt is not in the future')
    await rig('fault', network, 'accept')
    await reached(socket, 'open')
  },

  async 'HTTP 503 in place of the handshake: 1006, and tried again'({ connect, rig }) {
    const url = await rig('serveHttp', 503)
    const socket = connect(url)
    equal(attempt(await next(socket, 'close')), FAILED, 'close')
    equal(attempt(await next(socket, 'close')), FAILED, 'close')
  },

  async 'diagnose(): HTTP tells why'({ connect, rig }) {
    const socket = connect(await rig('serveHttp', 403), {
      platform: { transport: diagnose({ afterAttempts: 1 }) },
    })
    const { code, reason, final } = await next(socket, 'close')
    equal([code, reason, final], [1008, 'HTTP 403', true], 'close')
  },

  async 'cut in the handshake: 1006, and tried again'({ connect, rig }) {
    const network = await rig('network', await rig('serve', 'echo'))
    await rig('fault', network, 'hang')
    const socket = connect(network)
    await rig('connected', network, 1)
    const closed = next(socket, 'close')
    await rig('fault', network, 'rst')
    equal(attempt(await closed), FAILED, 'close')
    await rig('fault', network, 'accept')
    await reached(socket, 'open')
  },

  async 'a frame that breaks RFC 6455, a reset, an end without goodbye: 1006, and tried again'({
    connect,
    rig,
  }) {
    const notUtf8 = [0x81, 2, 0xff, 0xfe]
    const reserved = [0x83, 0]
    for (const end of [notUtf8, reserved, 'reset', 'end']) {
      const socket = connect(await rig('serveBroken', end), { codec: text() })
      // Firefox takes what comes with the handshake for a part of it
      socket.once('open', () => socket.send('now'))
      equal(attempt(await next(socket, 'close')), { ...FAILED, wasOpen: true }, `close after ${end}`)
      await socket.close()
    }
  },

  async 'a handshake that hangs is given up at connectTimeoutMs'({ connect, rig }) {
    const network = await rig('network', await rig('serve', 'echo'))
    await rig('fault', network, 'hang')
    const began = performance.now()
    const socket = connect(network, { connectTimeoutMs: 300 })
    const { reason, ...close } = await next(socket, 'close')
    equal([attempt(close), reason], [{ ...FAILED, local: true }, 'connect timeout'], 'close')
    check(performance.now() - began < 300 + SLACK_MS, 'it took too long')
    await rig('fault', network, 'accept')
    await reached(socket, 'open')
  },

  async 'hears the close code and reason of the server'({ connect, rig }) {
    const url = await rig('serve', 'echo')
    const socket = connect(url)
    for (const [code, reason] of [
      [4001, 'bye'],
      [1000, ''],
      [1011, 'ünï'],
      [undefined, undefined],
      [1008, 'final'],
    ]) {
      await reached(socket, 'open')
      const closed = next(socket, 'close')
      await rig('closeAll', url, code, reason)
      const close = await closed
      equal(
        [close.code, close.reason, close.wasClean, close.wasOpen, close.local, close.final],
        [code ?? 1005, reason ?? '', true, true, false, code === 1008],
        'close',
      )
    }
    equal(socket.state.name, 'closed', 'state')
  },

  async 'tells the server its own close code and reason'({ connect, rig }) {
    const url = await rig('serve', 'echo')
    const socket = connect(url)
    await reached(socket, 'open')
    const { code, reason, wasClean, local } = await socket.close(4001, 'bye ünï')
    equal([code, reason, wasClean, local], [4001, 'bye ünï', true, true], 'close()')
    equal(await rig('closes', url, 1), [{ code: 4001, reason: 'bye ünï' }], 'what the server got')
  },

  async 'a subprotocol is selected, or the attempt has failed'({ connect, rig }) {
    const url = await rig('serve', 'echo')
    const good = connect(url, { protocols: ['one', 'two'] })
    equal((await next(good, 'open')).protocol, 'one', 'protocol')
    const bad = connect(await rig('serve', 'echo', { selectsNone: true }), { protocols: ['one', 'two'] })
    let opened = false
    bad.on('open', () => {
      opened = true
    })
    for (const _ of range(2)) {
      const close = await next(bad, 'close')
      equal(attempt(close), FAILED, 'close')
    }
    equal(opened, false, 'opened')
  },

  async 'a half-open connection is found by the heartbeat, and replaced'({ connect, rig }) {
    const network = await rig('network', await rig('serve', 'echo'))
    const heartbeat = { message: 'ping', intervalMs: 200, timeoutMs: 200 }
    const socket = connect(network, { codec: text(), heartbeat })
    await reached(socket, 'open')
    const [closed, opened] = [next(socket, 'close'), next(socket, 'open')]
    const began = performance.now()
    await rig('fault', network, 'zombie')
    const { reason, ...close } = await closed
    equal([attempt(close), reason], [{ ...FAILED, wasOpen: true, local: true }, 'heartbeat timeout'], 'close')
    check(performance.now() - began < 400 + SLACK_MS, 'it took too long')
    equal((await opened).reconnected, true, 'reconnected')
    const heard = messages(socket, 1)
    socket.send('fresh')
    equal(await heard, ['fresh'], 'messages')
  },

  async 'close() on a dead path is bounded'({ connect, rig }) {
    const network = await rig('network', await rig('serve', 'echo'))
    const socket = connect(network)
    await reached(socket, 'open')
    await rig('fault', network, 'stall')
    const began = performance.now()
    const { wasClean, code, reason } = await socket.close(4000, 'enough')
    equal([wasClean, code, reason], [false, 4000, 'enough'], 'close()')
    check(performance.now() - began < 200 + SLACK_MS, 'it took too long')
    equal(socket.state.name, 'closed', 'state')
  },

  async 'a server that does not read is felt, and then gets all in order'({ connect, rig }) {
    const url = await rig('serve', 'sink')
    const network = await rig('network', url)
    const highWaterMarkBytes = 1_048_576
    const queue = { maxBytes: 2 ** 26, maxMessages: 10_000, highWaterMarkBytes }
    const socket = connect(network, { codec: text(), queue })
    await reached(socket, 'open')
    await rig('fault', network, 'stall')
    const size = 65_536
    // More than the kernels between here and there take
    const said = range(320).map(n => `${n}`.padEnd(size, '.'))
    const answers = said.map(message => socket.send(message))
    equal(answers.at(-1), false, 'send')
    const handed = socket.bufferedBytes - socket.queuedBytes
    check(handed >= 0 && handed <= highWaterMarkBytes + size, `the WebSocket was handed ${handed} bytes`)
    // For as long as nothing flows, only the kernels take something
    await new Promise(resolve => setTimeout(resolve, 300))
    check(socket.bufferedBytes > highWaterMarkBytes, `${socket.bufferedBytes} bytes are left`)
    const held = socket.bufferedBytes - socket.queuedBytes
    check(held >= 0 && held <= highWaterMarkBytes + size, `the WebSocket holds ${held} bytes`)
    const drained = socket.drained()
    await rig('fault', network, 'resume')
    await drained
    const received = await rig('received', url, said.length, 8)
    equal(
      received,
      said.map(message => message.slice(0, 8)),
      'what the server got',
    )
  },

  async 'a session: 1 000 messages each way through 12 cuts, exactly once, in order'({ connect, rig }) {
    const MESSAGES = 1_000
    const url = await rig('sessions', { messages: MESSAGES, cuts: 12, seed: 1 })
    const socket = connect(url, {
      session: resumable(),
      connectTimeoutMs: 500,
      heartbeat: { intervalMs: 100, timeoutMs: 200 },
      queue: { maxMessages: MESSAGES },
    })
    const told = []
    for (const event of ['error', 'sessionLost', 'undelivered'])
      socket.on(event, ({ code, reason }) => told.push([event, code ?? reason]))
    const heard = messages(socket, MESSAGES)
    const numbers = range(MESSAGES)
    const fates = await Promise.all(numbers.map(n => socket.deliver({ n, pad: 'x'.repeat(n % 200) })))
    equal(
      (await heard).map(({ n }) => n),
      numbers,
      'messages',
    )
    const report = await rig('report', url)
    equal(report.up, numbers, 'what the server got')
    equal([...new Set(fates)], ['acknowledged'], 'deliver()')
    equal([told, report.errors], [[], []], 'told')
    check(report.stats.resumed >= 4, `resumed ${report.stats.resumed} times`)
    equal([report.stats.begun, report.stats.ended, report.stats.undelivered], [1, 0, 0], 'sessions')
    equal((await socket.close()).undelivered, [], 'undelivered')
  },
}

const QUICK = { backoff: { baseMs: 20, maxMs: 100 }, minUptimeMs: 0, closeTimeoutMs: 200 }

/** @returns {(name: string, ...args: unknown[]) => Promise<any>} */
export const rigAt =
  url =>
  async (name, ...args) => {
    const response = await fetch(`${url}/${name}`, { method: 'POST', body: JSON.stringify(args) })
    const { result, error } = await response.json()
    if (error) throw new Error(`rig: ${name}: ${error}`)
    return result
  }

/**
 * Runs one after the other, and tells of each when it is done.
 * @param {string} url of the rig
 * @param {{ WebSocket?: unknown, only?: string }} options
 * @param {(result: Result) => void} tell
 */
export async function run(url, { WebSocket, only = '' }, tell) {
  const rig = rigAt(url)
  for (const [name, behave] of Object.entries(behaviours)) {
    if (!name.includes(only)) continue
    const sockets = []
    const connect = (address, options) => {
      const socket = new ReconnectingSocket(address, {
        ...QUICK,
        ...(WebSocket && { WebSocket }),
        ...options,
      })
      sockets.push(socket)
      return socket
    }
    let timer
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => {
        const seen = sockets.map(({ state, transitions }) => [state, transitions.slice(-6)])
        reject(new Error(`not done after ${PATIENCE_MS} ms: ${JSON.stringify(seen)}`))
      }, PATIENCE_MS)
    })
    const result = await Promise.race([behave({ connect, rig }), late]).then(
      () => ({ name, status: 'passed' }),
      error => ({ name, status: 'failed', detail: `${error.message}` }),
    )
    clearTimeout(timer)
    await Promise.all(sockets.map(socket => socket.close()))
    await rig('reset')
    tell(result)
  }
}
