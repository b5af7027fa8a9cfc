/**
 * The built package in a real browser, and a server of sessions: through connections that end at any byte, nothing is
 * lost, doubled or out of order. `npm run soak:browser` has more of it.
 */

import { afterEach, expect, test } from 'vitest'
import { commands } from 'vitest/browser'
import * as built from '../../dist/index.js'

declare const __SOAK__: boolean

const [MESSAGES, CUTS] = __SOAK__ ? [10_000, 60] : [2_000, 18]
const SEEDS = __SOAK__ ? [1, 2, 3] : [1]

interface Message {
  readonly n: number
  readonly pad: string
}

afterEach(() => commands.stopEverything())

test.each(SEEDS)(
  `${MESSAGES} messages each way at once, through ${CUTS} connections that end at any byte, a third of them half-open: seed %i`,
  async seed => {
    const port = await commands.startSessions({ messages: MESSAGES, cuts: CUTS, seed })
    const errors: string[] = []
    const losses: unknown[] = []
    const down: number[] = []
    const codes: string[] = []
    let resumed = 0
    const socket = new built.ReconnectingSocket<Message, Message>(`ws://127.0.0.1:${port}/`, {
      session: built.resumable(),
      backoff: { baseMs: 50, maxMs: 100 },
      connectTimeoutMs: 500,
      heartbeat: { intervalMs: 100, timeoutMs: 200 },
      queue: { maxMessages: MESSAGES },
    })
    socket.on('error', ({ code, message }) => errors.push(`${code}: ${message}`))
    socket.on('sessionLost', loss => losses.push(loss))
    socket.on('close', ({ code, reason }) => codes.push(`${code} ${reason}`))
    socket.on('open', event => {
      if (event.resumed) resumed++
    })
    const all = new Promise<void>(resolve =>
      socket.on('message', ({ n }) => {
        if (down.push(n) >= MESSAGES) resolve()
      }),
    )
    const numbers = Array.from({ length: MESSAGES }, (_, n) => n)
    const startedAt = performance.now()
    const settled = await Promise.all(
      numbers.map(n => socket.deliver({ n, pad: 'x'.repeat(Math.floor(Math.random() * 200)) })),
    )
    await all
    const report = await commands.reportOfSessions(port)
    const took = Math.round(performance.now() - startedAt)
    const { reset, zombies } = report.ended
    console.log(`${MESSAGES} each way in ${took} ms: ${reset} resets, ${zombies} zombies, ${resumed} resumed`)

    expect(report.up).toEqual(numbers)
    expect(down).toEqual(numbers)
    expect(new Set(settled)).toEqual(new Set(['acknowledged']))
    expect(losses).toEqual([])
    expect(report.errors).toEqual([])
    expect(report.stats).toEqual({ begun: 1, resumed: expect.any(Number), ended: 0, undelivered: 0 })
    expect(reset + zombies).toBeGreaterThanOrEqual(Math.floor((CUTS * 5) / 6))
    expect(zombies).toBeGreaterThanOrEqual(Math.floor(CUTS / 4))
    // The living found out about the dead by their silence
    expect(codes.some(code => /timeout/.test(code))).toBe(true)
    expect(resumed).toBeGreaterThan(CUTS / 3)
    expect(errors).toEqual([])
    expect((await socket.close()).undelivered).toEqual([])
  },
  __SOAK__ ? 180_000 : 60_000,
)
