/**
 * CPU time for each message sent and received, beside a bare `ws` WebSocket in the same process. Rounds of the two
 * alternate and each pair makes one ratio, so that what slows the machine down slows both.
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import PartySocket from 'partysocket/ws'
import ReconnectingWebSocket from 'reconnecting-websocket'
import { WebSocket } from 'ws'

const ROUNDS = 9
const WARM_UP_ROUNDS = 2
const MESSAGES = 20_000
/** One batch is confirmed before the next goes out: nobody's buffers fill up, so everyone does the same work. */
const BATCH = 500
const MESSAGE = {
  type: 'say',
  room: 'lobby',
  from: 'ada',
  id: 123_456,
  text: 'The quick brown fox jumps over',
}

interface Socket {
  send(message: unknown): void
  close(): void
}

interface Subject {
  readonly name: string
  /** What `send` and the rest of the interface say when the network cannot keep up. */
  readonly backpressure: string
  open(url: string, received: (message: unknown) => void): Promise<Socket>
}

/** As `WebSocket` has it, `ws` and both peers too; they leave JSON to the application, so that is counted. */
interface WebSocketLike {
  onopen: unknown
  onmessage: unknown
  onerror: unknown
  send(data: string): void
  close(): void
}

function withJson(create: (url: string) => WebSocketLike): Subject['open'] {
  return (url, received) =>
    new Promise((resolve, reject) => {
      const socket = create(url)
      socket.onerror = reject
      socket.onmessage = ({ data }: { data: string }) => received(JSON.parse(data))
      socket.onopen = () =>
        resolve({ send: message => socket.send(JSON.stringify(message)), close: () => socket.close() })
    })
}

// By a computed name: type checks have to do without a build
const { ReconnectingSocket }: typeof import('../src/index') = await import(
  new URL('../dist/index.js', import.meta.url).href
)

const raw: Subject = {
  name: 'ws + JSON',
  backpressure: 'bufferedAmount',
  open: withJson(url => new WebSocket(url)),
}

const subjects: readonly Subject[] = [
  // Beside itself: how far from 1 a ratio gets by chance
  raw,
  {
    name: 'reconnecting-socket',
    backpressure: 'send() answers, drained()',
    async open(url, received) {
      const socket = new ReconnectingSocket(url, { WebSocket })
      socket.on('message', received)
      await socket.opened()
      return socket
    },
  },
  {
    name: 'reconnecting-websocket',
    backpressure: 'bufferedAmount',
    open: withJson(url => new ReconnectingWebSocket(url, [], { WebSocket })),
  },
  {
    name: 'partysocket',
    backpressure: 'bufferedAmount',
    open: withJson(url => new PartySocket(url, [], { WebSocket })),
  },
]

const directions = {
  /** A batch out, one message back. */
  async send(socket: Socket, next: () => Promise<void>) {
    for (let sent = 0; sent < MESSAGES; sent += BATCH) {
      for (let i = 0; i < BATCH; i++) socket.send(MESSAGE)
      await next()
    }
  },
  /** One message out, a batch back. */
  async receive(socket: Socket, next: (count: number) => Promise<void>) {
    for (let received = 0; received < MESSAGES; received += BATCH) {
      socket.send(MESSAGE)
      await next(BATCH)
    }
  },
}

type Direction = keyof typeof directions

/** CPU time in µs for each message of one round on a new connection. */
async function round({ open }: Subject, direction: Direction): Promise<number> {
  let due = 0
  let done = () => {}
  const socket = await open(url[direction], () => {
    if (--due === 0) done()
  })
  const next = (count = 1) => {
    due = count
    return new Promise<void>(resolve => {
      done = resolve
    })
  }
  globalThis.gc?.()
  const before = process.cpuUsage()
  try {
    await directions[direction](socket, next)
  } finally {
    socket.close()
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / MESSAGES
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

/** µs per message of `raw` and of the subject, and the subject's multiple of `raw`: medians over the pairs. */
async function compare(subject: Subject, direction: Direction) {
  const base: number[] = []
  const own: number[] = []
  for (let i = -WARM_UP_ROUNDS; i < ROUNDS; i++) {
    const [a, b] = [await round(raw, direction), await round(subject, direction)]
    if (i < 0) continue
    base.push(a)
    own.push(b)
  }
  const ratios = own.map((cost, i) => cost / (base[i] ?? Number.NaN))
  const ratio = median(ratios)
  const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
  return [median(base).toFixed(2), median(own).toFixed(2), `${ratio.toFixed(2)} (${spread})`]
}

const server = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [
  `${BATCH}`,
  JSON.stringify(MESSAGE),
])
const [port] = await once(server, 'message')
const url = { send: `ws://127.0.0.1:${port}/sink`, receive: `ws://127.0.0.1:${port}/source` }

const row = (...cells: string[]) =>
  console.log(cells.map((cell, i) => (i < 2 ? cell.padEnd(24) : cell.padStart(i < 4 ? 11 : 22))).join(''))

console.log(`CPU time in µs per message of ${JSON.stringify(MESSAGE).length} bytes, this process only;`)
console.log(`medians of ${ROUNDS} pairs of rounds of ${MESSAGES} messages, Node ${process.version}`)
for (const direction of Object.keys(directions) as Direction[]) {
  console.log()
  row(direction, 'backpressure', 'ws + JSON', 'own', 'ratio (min to max)')
  for (const subject of subjects) {
    const cells = await compare(subject, direction).catch(error => ['', '', `cannot: ${error.message}`])
    row(subject.name, subject.backpressure, ...cells)
  }
}
server.kill()
