/** The clients of `fleet`, all in one process. */

import { WebSocket } from 'ws'
import { memory, type Order, type Report, talking } from './fleet-orders'

const [port, count] = process.argv.slice(2).map(Number)

// By a computed name: type checks have to do without a build
const { ReconnectingSocket, resumable }: typeof import('../src/index') = await import(
  new URL('../dist/index.js', import.meta.url).href
)

const CONNECTING_AT_ONCE = 100

interface Client {
  readonly socket: InstanceType<typeof ReconnectingSocket<number, number>>
  said: number
}

const clients: Client[] = []
let [sent, received, wrong, sessionsLost] = [0, 0, 0, 0]
const backMs: number[] = []
let stopTalking = () => {}

const report = (): Report => ({
  open: clients.filter(({ socket }) => socket.state.name === 'open').length,
  sent,
  received,
  wrong,
  sessionsLost,
  backMs,
  heapBytes: memory().heap,
})

const connect = async (): Promise<void> => {
  const socket = new ReconnectingSocket<number, number>(`ws://127.0.0.1:${port}`, {
    WebSocket,
    session: resumable(),
  })
  let expected = 0
  let cutAt = 0
  socket.on('message', number => {
    received++
    if (number !== ++expected) wrong++
  })
  socket.on('close', () => {
    cutAt ||= performance.now()
  })
  socket.on('open', ({ resumed }) => {
    if (cutAt && resumed) backMs.push(performance.now() - cutAt)
    cutAt = 0
  })
  socket.on('sessionLost', () => sessionsLost++)
  clients.push({ socket, said: 0 })
  await socket.opened()
}

process.on('message', (order: Order) => {
  if (order === 'talk')
    stopTalking = talking(
      () => clients,
      client => {
        client.socket.send(++client.said)
        sent++
      },
    )
  if (order === 'stop talking') stopTalking()
  process.send?.(report())
})
process.on('disconnect', () => process.exit())

process.send?.(report())
const lane = async () => {
  while (clients.length < (count ?? 0)) await connect()
}
await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, lane))
