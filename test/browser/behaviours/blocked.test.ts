/** The pong has come, but the page was too busy to hear it: Firefox runs an overdue timer first. */

import { expect } from 'vitest'
import { behaviour } from './behaviour'
import { until } from './lab'

const ROUNDS = 20
const TIMEOUT_MS = 300
const BLOCK_MS = 600
/** Each way: so long that the pong is not in before the page is busy. */
const DELAY_MS = 40

behaviour('blocked', async ({ open, network }) => {
  const { proxy, url } = await network()
  proxy.delay(DELAY_MS)
  const page = await open()
  await page.run(
    (url, rounds, timeoutMs, blockMs) => {
      const raw = lab.raw('raw', url)
      let deadline: ReturnType<typeof setTimeout>
      raw.onmessage = () => clearTimeout(deadline)
      const block = () => {
        const until = performance.now() + blockMs
        while (performance.now() < until) {
          // Busy
        }
      }
      let round = 0
      lab.ours('ours', url, {
        heartbeat: { message: 'ping', intervalMs: 50, timeoutMs },
        log({ type }) {
          if (type !== 'ping' || raw.readyState !== 1) return
          lab.note('ours', ++round > rounds ? 'done' : 'ping')
          raw.send('ping')
          deadline = setTimeout(() => lab.note('raw', 'dead'), timeoutMs)
          // Once it has left
          if (round <= rounds) setTimeout(block, 20)
        },
      })
    },
    url,
    ROUNDS,
    TIMEOUT_MS,
    BLOCK_MS,
  )
  const notes = await until(async () => {
    const notes = await page.notes()
    return notes.some(({ what }) => what === 'done') && notes
  })
  const count = (who: string, what: string) =>
    notes.filter(note => note.who === who && note.what === what).length
  expect(count('ours', 'ping')).toBe(ROUNDS)
  expect(count('ours', 'lost')).toBe(0)
  expect(count('ours', 'open')).toBe(1)
  return {
    raw: `a plain \`setTimeout\` for the pong: ${count('raw', 'dead')} of ${ROUNDS} taken for dead`,
    ours: `0 of ${ROUNDS}`,
  }
})
