// @ts-check
/** Connects, and lets each instrument look at the connection. */

import { createChart } from './chart.js'
import { scale } from './codecs.js'
import { createControls, readWishes } from './controls.js'
import { createDiagram } from './diagram.js'
import { byId } from './dom.js'
import { createEchoes } from './echoes.js'
import { createFaults } from './faults.js'
import { ReconnectingSocket } from './library.js'
import { createMessages } from './messages.js'
import { createQueue } from './queue.js'
import { createReport } from './report.js'
import { createSender } from './sender.js'
import { createSession } from './session.js'
import { createStatus } from './status.js'
import { createTimeline } from './timeline.js'
import { closeCode, count, describe, milliseconds } from './words.js'

/** @typedef {import('./sender.js').Target} Target */
/** @typedef {import('./controls.js').Wishes} Wishes */
/** @typedef {import('../../src/index').LogRecord} LogRecord */
/** @typedef {Target & { wishes: Wishes, unfollow: () => void }} Connection */

const QUICK_TICK_MS = 100
const SLOW_TICK_MS = 500
const RATE_MS = 1_000

const status = createStatus()
const diagram = createDiagram()
const timeline = createTimeline()
const queue = createQueue()
const write = createMessages()
const report = createReport()
const faults = createFaults()
const session = createSession()
const roundTrip = createChart(byId('round-trip', HTMLElement), {
  names: ['echo', 'heartbeat'],
  format: milliseconds,
  least: 1,
})
const throughput = createChart(byId('throughput', HTMLElement), {
  names: ['out', 'in'],
  format: value => `${count(Math.round(value))}/s`,
  least: 10,
})

/** @type {Connection | undefined} */
let present
/** Latencies since the charts were last drawn: ten thousand echoes are one point. */
let echoMs = { sum: 0, number: 0 }
let counted = { at: performance.now(), out: 0, in: 0 }

async function connect() {
  try {
    const wishes = await readWishes()
    const { url, dialect, options } = wishes
    const weighed = scale(dialect.codec)
    const echoes = createEchoes()
    const draw = ReconnectingSocket.userTiming()
    const log = (/** @type {LogRecord} */ record) => {
      draw(record)
      if (record.type === 'pong') roundTrip.add(1, record.roundTripMs)
    }
    const socket = new ReconnectingSocket(url, { ...options, codec: weighed.codec, log })
    leave()
    const target = { socket, dialect, scale: weighed, echoes }
    present = { ...target, wishes, unfollow: follow(target) }
    faults.follow(url)
    session.follow(url)
    diagram.reset()
    counted = { at: performance.now(), out: 0, in: 0 }
    socket.connect()
    controls.connected()
  } catch (error) {
    controls.refused(describe(error))
  }
  quickTick()
}

/** One connection at a time: the previous one tells what it could not deliver, and is heard no more. */
function leave() {
  present?.socket.close()
  present?.unfollow()
}

async function close() {
  if (!present) return
  const { code, reason, wasClean, undelivered } = await present.socket.close()
  const confirmed = wasClean ? 'confirmed by the server' : 'not confirmed by the server'
  write({
    kind: 'note',
    text: `close(): ${closeCode(code, reason)}, ${confirmed}, ${undelivered.length} undelivered`,
  })
}

/** @param {Target} target */
function follow({ socket, dialect, scale, echoes }) {
  const codec = dialect.name
  const unsubscribers = [
    socket.on('state', state => {
      status.step(state)
      diagram.step(state.name)
      timeline.step(state.name)
    }),
    socket.on('message', message => {
      const latencyMs = echoes.came(scale.key)
      if (latencyMs !== undefined) echoMs = { sum: echoMs.sum + latencyMs, number: echoMs.number + 1 }
      const kind = latencyMs === undefined ? 'received' : 'echo'
      write({ kind, text: dialect.show(message), codec, size: scale.size, latencyMs })
    }),
    socket.on('close', event => {
      status.closed(event)
      echoes.lost(socket.queuedMessages)
    }),
    socket.on('undelivered', ({ message, code, certain }) => {
      const how = certain ? 'certainly' : 'possibly'
      write({ kind: 'undelivered', text: `${dialect.show(message)}: ${code}, ${how} not arrived`, codec })
    }),
    socket.on('drain', () => write({ kind: 'note', text: 'drain: there is room again' })),
    socket.on('error', error => write({ kind: 'error', text: describe(error) })),
  ]
  return () => {
    for (const unsubscribe of unsubscribers) unsubscribe()
  }
}

function quickTick() {
  if (document.hidden) return
  session.tick()
  if (!present) return
  status.tick(present.socket)
  queue(present.socket, present.wishes.limits)
}

function slowTick() {
  if (echoMs.number > 0) roundTrip.add(0, echoMs.sum / echoMs.number)
  echoMs = { sum: 0, number: 0 }
  if (document.hidden) return
  timeline.tick()
  roundTrip.tick()
  throughput.tick()
  faults.tick()
  if (present) report.tick(present.socket)
}

/** Messages per second, out and in. */
function countRate() {
  if (!present) return
  const { messagesOut, messagesIn } = present.socket.stats()
  const now = performance.now()
  const elapsed = (now - counted.at) / 1_000
  throughput.add(0, (messagesOut - counted.out) / elapsed)
  throughput.add(1, (messagesIn - counted.in) / elapsed)
  counted = { at: now, out: messagesOut, in: messagesIn }
}

const controls = createControls({ connect, reconnect: () => present?.socket.reconnect(), close })
createSender(() => present, write)
byId('copy-report', HTMLButtonElement).addEventListener('click', () => {
  if (!present) return
  const { url, options, dialect } = present.wishes
  report.copy(present.socket, url, { ...options, codec: dialect.name })
})
document.addEventListener('visibilitychange', () => {
  quickTick()
  slowTick()
})
setInterval(quickTick, QUICK_TICK_MS)
setInterval(slowTick, SLOW_TICK_MS)
setInterval(countRate, RATE_MS)
connect()
slowTick()
