/**
 * CPU time for each message sent and received, beside a bare `ws` WebSocket in the same process. Rounds of the two
 * alternate and each pair makes one ratio, so that what slows the machine down slows both. Twice: on a connection that
 * lives on, and on a socket that is new in each round, so that the runtime has yet to make its code fast. And what a
 * message costs while it waits for a connection.
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import PartySocket from 'partysocket/ws'
import ReconnectingWebSocket from 'reconnecting-websocket'
import { ArrayQueue, ExponentialBackoff, WebsocketBuilder } from 'websocket-ts'
import { WebSocket } from 'ws'
import { MESSAGE, median } from './measure'

const ROUNDS = 15
const WARM_UP_ROUNDS = 3
const MESSAGES = 20_000
/** One batch is confirmed before the next goes out: nobody's buffers fill up, so everyone does the same work. */
const BATCH = 500

interface Socket {
  send(message: unknown): void
  close(): void
}

const WAITING = 50_000

interface Subject {
  readonly name: string
  /** What `send` and the rest of the interface say when the network cannot keep up. */
  readonly backpressure: string
  open(url: string, received: (message: unknown) => void): Promise<Socket>
  /** One that has no connection yet, and queues. */
  idle(url: string): Socket
}

/** As `WebSocket` has it, `ws` and both peers too; they leave JSON to the application, so that is counted. */
interface WebSocketLike {
  onopen: unknown
  onmessage: unknown
  onerror: unknown
  send(data: string): void
  close(): void
}

const asJson = (socket: Pick<WebSocketLike, 'send' | 'close'>): Socket => ({
  send: message => socket.send(JSON.stringify(message)),
  close: () => socket.close(),
})

function withJson(create: (url: string) => WebSocketLike): Subject['open'] {
  return (url, received) =>
    new Promise((resolve, reject) => {
      const socket = create(url)
      socket.onerror = reject
      socket.onmessage = ({ data }: { data: string }) => received(JSON.parse(data))
      socket.onopen = () => resolve(asJson(socket))
    })
}

/** Where it knows no constructor but the global one. */
const buildTs = (url: string) => {
  globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket
  return new WebsocketBuilder(url).withBuffer(new ArrayQueue()).withBackoff(new ExponentialBackoff(1_000, 3))
}

// By a computed name: type checks have to do without a build
const { ReconnectingSocket }: typeof import('../src/index') = await import(
  new URL('../dist/index.js', import.meta.url).href
)

const raw: Subject = {
  name: 'ws + JSON',
  backpressure: 'bufferedAmount',
  open: withJson(url => new WebSocket(url)),
  // It has no queue: the least that an application would have to have
  idle() {
    const queue: string[] = []
    return asJson({ send: data => queue.push(data), close: () => queue.splice(0) })
  },
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
    idle: url =>
      new ReconnectingSocket(url, {
        WebSocket,
        autoConnect: false,
        queue: { maxMessages: WAITING, maxBytes: 2 ** 30 },
      }),
  },
  {
    name: 'reconnecting-websocket',
    backpressure: 'bufferedAmount',
    open: withJson(url => new ReconnectingWebSocket(url, [], { WebSocket })),
    idle: url => asJson(new ReconnectingWebSocket(url, [], { WebSocket, startClosed: true })),
  },
  {
    name: 'partysocket',
    backpressure: 'bufferedAmount',
    open: withJson(url => new PartySocket(url, [], { WebSocket })),
    idle: url => asJson(new PartySocket(url, [], { WebSocket, startClosed: true })),
  },
  {
    name: 'websocket-ts',
    backpressure: 'none',
    open: (url, received) =>
      new Promise((resolve, reject) => {
        const socket: Pick<WebSocketLike, 'send' | 'close'> = buildTs(url)
          .onError((_, error) => reject(error))
          .onMessage((_, { data }) => received(JSON.parse(data)))
          .onOpen(() => resolve(asJson(socket)))
          .build()
      }),
    idle: url => asJson(buildTs(url).build()),
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

/** One subject on a connection of its own. @returns runs a round, for CPU time in µs for each message; closes it */
async function course({ open }: Subject, direction: Direction) {
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
  const round = async () => {
    globalThis.gc?.()
    const before = process.cpuUsage()
    await directions[direction](socket, next)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / MESSAGES
  }
  return { round, close: () => socket.close() }
}

/** Bytes of heap for each message that waits, its own among them. */
async function waiting({ idle }: Subject): Promise<number> {
  // Refused, or black-holed: it does not get to open
  const socket = idle('ws://127.0.0.1:9')
  const heap = async () => {
    // What the one before has left goes in a task of its own
    await new Promise(resolve => setTimeout(resolve, 50))
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  }
  for (let n = 0; n < WAITING / 50; n++) socket.send({ ...MESSAGE, n })
  const before = await heap()
  for (let n = WAITING / 50; n < WAITING; n++) socket.send({ ...MESSAGE, n })
  const bytes = ((await heap()) - before) / (WAITING - WAITING / 50)
  socket.close()
  return bytes
}

/** µs per message of `raw` and of the subject, and the subject's multiple of `raw`: medians over the pairs. */
async function compare(subject: Subject, direction: Direction, isNew: boolean) {
  const base: number[] = []
  const own: number[] = []
  const both = () => Promise.all([course(raw, direction), course(subject, direction)])
  let [one, other] = await both()
  for (let i = -WARM_UP_ROUNDS; i < ROUNDS; i++) {
    const [a, b] = [await one.round(), await other.round()]
    if (i >= 0) {
      base.push(a)
      own.push(b)
    }
    if (!isNew) continue
    one.close()
    other.close()
    ;[one, other] = await both()
  }
  one.close()
  other.close()
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
  console.log(cells.map((cell, i) => (i < 2 ? cell.padEnd(24) : cell.padStart(i < 4 ? 14 : 22))).join(''))

console.log(`CPU time in µs per message of ${JSON.stringify(MESSAGE).length} bytes, this process only;`)
console.log(
  `medians of ${ROUNDS} pairs of rounds of ${MESSAGES} messages, Node ${process.version}; on a connection`,
)
console.log('that lives on, and on a socket that is new in each round')
for (const isNew of [false, true]) {
  for (const direction of Object.keys(directions) as Direction[]) {
    console.log()
    row(`${direction}, ${isNew ? 'new' : 'living'}`, 'backpressure', 'ws + JSON', 'own', 'ratio (min to max)')
    for (const subject of subjects) {
      const cells = await compare(subject, direction, isNew).catch(error => [
        '',
        '',
        `cannot: ${error.message}`,
      ])
      row(subject.name, subject.backpressure, ...cells)
    }
  }
}
server.kill()

console.log()
row('waiting to be sent', '', 'heap in bytes')
for (const subject of subjects.slice(1)) row(subject.name, '', (await waiting(subject)).toFixed(0))
row(raw.name, 'an array of strings', (await waiting(raw)).toFixed(0))
process.exit()
