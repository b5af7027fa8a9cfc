/**
 * What a session costs: messages per second and CPU time per message, beside our own plain mode, in the same process
 * and by turns. `npm run bench:sessions`.
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { MESSAGE, median } from './measure'

const ROUNDS = 25
const WARM_UP_ROUNDS = 2
const MESSAGES = 20_000

// By a computed name: type checks have to do without a build
const { ReconnectingSocket, resumable }: typeof import('../src/index') = await import(
  new URL('../dist/index.js', import.meta.url).href
)

type Mode = 'plain' | 'session'
type Direction = 'send' | 'receive'

interface Cost {
  readonly perSecond: number
  /** CPU time in µs. */
  readonly cpu: number
}

async function round(url: string, mode: Mode, direction: Direction): Promise<Cost> {
  const socket = new ReconnectingSocket(`${url}/${mode}/${direction}`, {
    WebSocket,
    ...(mode === 'session' && { session: resumable() }),
  })
  const expected = direction === 'send' ? 1 : MESSAGES
  let received = 0
  const done = new Promise<void>(resolve => {
    socket.on('message', () => {
      if (++received === expected) resolve()
    })
  })
  await socket.opened()
  globalThis.gc?.()
  const [start, before] = [performance.now(), process.cpuUsage()]
  if (direction === 'receive') socket.send(MESSAGE)
  else for (let n = 0; n < MESSAGES; n++) if (!socket.send(MESSAGE)) await socket.drained()
  await done
  const { user, system } = process.cpuUsage(before)
  const ms = performance.now() - start
  await socket.close()
  return { perSecond: (MESSAGES / ms) * 1_000, cpu: (user + system) / MESSAGES }
}

const server = fork(fileURLToPath(new URL('session-server.ts', import.meta.url)), [
  String(MESSAGES),
  JSON.stringify(MESSAGE),
])
const [port] = (await once(server, 'message')) as [number]
const url = `ws://127.0.0.1:${port}`

console.log(`messages of ${JSON.stringify(MESSAGE).length} bytes as JSON, the server in another process;
medians of ${ROUNDS} pairs of rounds of ${MESSAGES} messages, Node ${process.version}

             plain: 1/s   CPU in µs    session: 1/s   CPU in µs    throughput (min to max)   CPU`)
for (const direction of ['send', 'receive'] as const) {
  const [plain, session]: Cost[][] = [[], []]
  for (let n = -WARM_UP_ROUNDS; n < ROUNDS; n++) {
    const first = await round(url, 'plain', direction)
    const second = await round(url, 'session', direction)
    if (n < 0) continue
    plain?.push(first)
    session?.push(second)
  }
  const of = (costs: readonly Cost[] = [], what: keyof Cost) => median(costs.map(cost => cost[what]))
  const ratios = (what: keyof Cost) =>
    (session ?? []).map((cost, n) => cost[what] / (plain?.[n]?.[what] ?? 1))
  const [lowest = 0] = ratios('perSecond').sort((a, b) => a - b)
  const highest = ratios('perSecond')
    .sort((a, b) => a - b)
    .at(-1)
  console.log(
    [
      direction.padEnd(8),
      of(plain, 'perSecond').toFixed(0).padStart(15),
      of(plain, 'cpu').toFixed(2).padStart(12),
      of(session, 'perSecond').toFixed(0).padStart(16),
      of(session, 'cpu').toFixed(2).padStart(12),
      `${median(ratios('perSecond')).toFixed(2)}x (${lowest.toFixed(2)} to ${highest?.toFixed(2)})`.padStart(
        27,
      ),
      `${median(ratios('cpu')).toFixed(2)}x`.padStart(8),
    ].join(''),
  )
}
server.kill()
