/**
 * The path dies and nobody says so: the connection stays open, and nothing moves on it. How long until each finds out,
 * and until its next message is answered on another connection. Idle, and while it sends; in Chromium, by turns of all
 * at once. `npm run bench -- detect`.
 */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Server as SocketIoServer } from 'socket.io'
import { drive, launch } from '../test/browser/drive'
import { startProxy } from '../test/support/proxy'
import { startServer } from '../test/support/servers'
import { median } from './measure'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
/** Who has not noticed by then never will, as far as a user is concerned. */
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 20_000)
const INTERVAL_MS = 2_000
const TIMEOUT_MS = 1_000
const SEND_MS = 100

/** In the page. `lost` is called when the subject says that its connection is gone, `answered` for each answer. */
const PAGE = `
  import { ReconnectingSocket } from './dist/index.js'
  import ReconnectingWebSocket from 'reconnecting-websocket'
  import PartySocket from 'partysocket/ws'
  import { ExponentialBackoff, WebsocketBuilder } from 'websocket-ts'
  import { io } from 'socket.io-client'

  const ours = heartbeat => (url, lost, answered) => {
    const socket = new ReconnectingSocket(url, { heartbeat })
    socket.on('close', lost)
    socket.on('message', answered)
    return { send: () => socket.send({ type: 'say' }), close: () => socket.close() }
  }
  const like = create => (url, lost, answered) => {
    const socket = create(url)
    socket.addEventListener('close', lost)
    socket.addEventListener('message', answered)
    return { send: () => socket.readyState === 1 && socket.send('{"type":"say"}'), close: () => socket.close() }
  }
  const subjects = {
    'reconnecting-socket': ours({ message: { type: 'ping' }, intervalMs: ${INTERVAL_MS}, timeoutMs: ${TIMEOUT_MS} }),
    'the same, unasked': ours(false),
    'reconnecting-websocket': like(url => new ReconnectingWebSocket(url)),
    'partysocket': like(url => new PartySocket(url)),
    'websocket-ts': like(url => new WebsocketBuilder(url).withBackoff(new ExponentialBackoff(1_000, 3)).build()),
    'socket.io-client': (url, lost, answered) => {
      const socket = io(url.replace('ws', 'http'), { transports: ['websocket'] })
      socket.on('disconnect', lost)
      socket.on('say', answered)
      return { send: () => socket.emit('say'), close: () => socket.close() }
    },
    'raw WebSocket': like(url => new WebSocket(url)),
  }
  const runs = {}

  Object.assign(globalThis, {
    names: Object.keys(subjects),
    /** Fulfilled when a first message was answered. */
    start: (name, url) => new Promise(resolve => {
      const run = { diedAt: Infinity }
      runs[name] = run
      run.socket = subjects[name](
        url,
        () => {
          if (performance.now() > run.diedAt) run.lostAt ??= performance.now()
        },
        () => {
          resolve()
          if (run.lostAt !== undefined) run.answeredAt ??= performance.now()
        },
      )
      // Until there is a connection most have nowhere to put it
      run.first = setInterval(() => run.socket.send(), 100)
    }),
    /** From now on nothing moves. Who sends goes on, and who is idle sends once it has noticed. */
    died(isSending) {
      for (const run of Object.values(runs)) {
        clearInterval(run.first)
        run.diedAt = performance.now()
        run.timer = setInterval(() => {
          if (isSending || (run.lostAt !== undefined && run.answeredAt === undefined)) run.socket.send()
        }, ${SEND_MS})
      }
    },
    told: () => Object.fromEntries(Object.entries(runs).map(([name, { diedAt, lostAt, answeredAt }]) =>
      [name, [lostAt - diedAt, answeredAt - diedAt].map(ms => ms >= 0 ? ms : null)])),
    stop() {
      for (const { socket, timer } of Object.values(runs)) {
        clearInterval(timer)
        socket.close()
      }
    },
  })
`

type Times = readonly [lostMs: number | null, answeredMs: number | null]

const startSocketIo = async () => {
  const http = createServer()
  const io = new SocketIoServer(http, {
    cors: { origin: '*' },
    pingInterval: INTERVAL_MS,
    pingTimeout: TIMEOUT_MS,
  })
  io.on('connection', socket => socket.on('say', () => socket.emit('say')))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return { port: (http.address() as AddressInfo).port, stop: () => io.close() }
}

const browser = await launch('chromium')

/** Each has a loopback address of its own: a browser opens connections to one address one at a time. */
async function round(isSending: boolean): Promise<Readonly<Record<string, Times>>> {
  const { page, close } = await drive(browser, PAGE)
  const names = await page.evaluate<string[]>('names')
  const [echo, socketIo] = [await startServer('echo'), await startSocketIo()]
  const proxies = await Promise.all(
    names.map(async (name, n) => {
      const { port } = name === 'socket.io-client' ? socketIo : echo
      const host = `127.0.7.${n + 1}`
      const proxy = await startProxy(port, { host })
      await page.evaluate(`start(${JSON.stringify(name)}, 'ws://${host}:${proxy.port}')`)
      return proxy
    }),
  )
  for (const proxy of proxies) proxy.zombie()
  await page.evaluate(`died(${isSending})`)
  const end = performance.now() + PATIENCE_MS
  let told: Record<string, Times> = {}
  do {
    await pause(250)
    told = await page.evaluate('told()')
  } while (performance.now() < end && Object.values(told).some(([, answered]) => answered === null))
  await page.evaluate('stop()')
  await close()
  for (const proxy of proxies) await proxy.close()
  await echo.stop()
  await socketIo.stop()
  return told
}

const shown = (times: readonly (number | null | undefined)[]) => {
  const known = times.filter(ms => typeof ms === 'number')
  return known.length * 2 > times.length
    ? `${(median(known) / 1_000).toFixed(1)} s`
    : `not in ${PATIENCE_MS / 1_000} s`
}

console.log(`Chromium ${browser.version()}, medians of ${ROUNDS} rounds. Heartbeats where there are any: ours, and that of the
server of socket.io, after ${INTERVAL_MS / 1_000} s, with ${TIMEOUT_MS / 1_000} s to answer. "Unasked" is ours without the option heartbeat.
`)
for (const isSending of [false, true]) {
  const rounds: Readonly<Record<string, Times>>[] = []
  for (let n = 0; n < ROUNDS; n++) rounds.push(await round(isSending))
  console.log(
    `${isSending ? `sending every ${SEND_MS} ms` : 'idle'}`.padEnd(26),
    'noticed'.padStart(14),
    'answered again'.padStart(16),
  )
  for (const name of Object.keys(rounds[0] ?? {}))
    console.log(
      name.padEnd(26),
      shown(rounds.map(told => told[name]?.[0])).padStart(14),
      shown(rounds.map(told => told[name]?.[1])).padStart(16),
    )
  console.log()
}
await browser.close()
