/**
 * Many sessions on one server, half of which are cut off at once: how long until all are back, whether anything was
 * lost, and what a session costs in memory. `npm run bench:fleet -- 5000`. The server is here, its clients are in a
 * process of their own. Anything lost, doubled or out of order ends it with 1.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { memory, type Order, type Report, talking } from './fleet-orders'

const SESSIONS = Number(process.argv[2] ?? 5_000)
const SETTLE_MS = 4_000
const PATIENCE_MS = 60_000

// By a computed name: type checks have to do without a build
const { SessionServer }: typeof import('../src/server') = await import(
  new URL('../dist/server.js', import.meta.url).href
)

const http = createServer()
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false })
http.listen(0, '127.0.0.1', 4_096)
await once(http, 'listening')

const server = new SessionServer<number, number, IncomingMessage>({
  authenticate: ({ id }) => id,
})
let wrong = 0
let received = 0
const connections = new Map<string, Socket>()
/** The number that each session said last. */
const said = new Map<string, number>()

server.on('session', session => {
  let expected = 0
  said.set(session.sid, 0)
  session.on('connected', ({ request }) => void connections.set(session.sid, request.socket))
  session.on('message', number => {
    received++
    if (number !== ++expected) wrong++
  })
})
sockets.on('connection', (webSocket, request) => server.accept(webSocket, request))

const ask = async (clients: ChildProcess, order: Order): Promise<Report> => {
  clients.send(order)
  return ((await once(clients, 'message')) as [Report])[0]
}

/** Asks until the answer is right, or patience is over. */
const until = async (clients: ChildProcess, isRight: (report: Report) => boolean): Promise<Report> => {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const report = await ask(clients, 'report')
    if (isRight(report) || performance.now() > end) return report
    await pause(100)
  }
}

const before = memory()
const started = performance.now()
const clients = fork(
  fileURLToPath(new URL('fleet-clients.ts', import.meta.url)),
  [String((http.address() as AddressInfo).port), String(SESSIONS)],
  { execArgv: ['--expose-gc', '--import', 'tsx'] },
)
const [{ heapBytes: clientBase }] = (await once(clients, 'message')) as [Report]
await until(clients, ({ open }) => open === SESSIONS)
const connectedMs = performance.now() - started
await pause(500)
const idle = memory()
const idleClients = await ask(clients, 'report')

let sent = 0
const stopTalking = talking(
  () => server.sessions,
  session => {
    const number = (said.get(session.sid) ?? 0) + 1
    said.set(session.sid, number)
    session.send(number)
    sent++
  },
)
await ask(clients, 'talk')
await pause(SETTLE_MS)

const half = [...connections.values()].filter((_, n) => n % 2)
const cutAt = performance.now()
for (const socket of half) socket.resetAndDestroy()
const back = await until(clients, report => report.backMs.length >= half.length && report.open === SESSIONS)
const backMs = performance.now() - cutAt
await pause(SETTLE_MS)
stopTalking()
await ask(clients, 'stop talking')
const end = await until(clients, report => report.received === sent && received === report.sent)

const { resumed, ended, sessions } = server.stats()
const sorted = [...back.backMs].sort((a, b) => a - b)
const at = (share: number) =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN)
const perSession = (bytes: number) => `${(bytes / SESSIONS / 1024).toFixed(1)} KiB`
console.log(`${SESSIONS} sessions, Node ${process.version}, the clients in another process
connected          ${(connectedMs / 1_000).toFixed(1)} s, with starting the process
memory per session ${perSession(idle.heap - before.heap)} of heap and buffers at the server, ${perSession(idle.resident - before.resident)} resident
                   ${perSession(idleClients.heapBytes - clientBase)} of heap and buffers at the client
cut at once        ${half.length}
resumed            ${resumed}, after ${at(0.5)} ms (median), ${at(0.99)} ms (99 %), ${at(1)} ms (the last); seen from here ${Math.round(backMs)} ms
messages           ${received} of ${end.sent} up, ${end.received} of ${sent} down
wrong              ${wrong} up, ${end.wrong} down; sessions lost ${end.sessionsLost}, ended ${ended}`)

const isRight =
  wrong + end.wrong + end.sessionsLost + ended === 0 &&
  received === end.sent &&
  end.received === sent &&
  resumed >= half.length &&
  sessions === SESSIONS
clients.kill()
console.log(isRight ? 'all resumed, nothing lost' : 'NOT RIGHT')
process.exit(isRight ? 0 : 1)
