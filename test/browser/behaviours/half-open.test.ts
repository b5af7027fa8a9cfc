/** The peer is gone and nobody told us: packets go nowhere, and nothing is closed. */

import { expect } from 'vitest'
import { behaviour, type Measured, SURE_MS, seconds, WATCH_MS } from './behaviour'
import { type Bench, type Lab, noted, pause, until } from './lab'
import type { Note } from './page'

const INTERVAL_MS = 600
const TIMEOUT_MS = 1_000
const CLOSE_TIMEOUT_MS = 500
const BACKLOG_BYTES = 16 * 2 ** 20

/** What the page does with each socket once the path is dead. */
type Load = 'nothing' | 'ten messages every 20 ms' | 'a backlog'

const apply = (page: Bench, load: Load, whose: 'ours' | 'theirs') =>
  page.run(
    (load, whose, bytes) => {
      const ours = lab.socket('ours')
      const message = 'x'.repeat(load === 'a backlog' ? 2 ** 20 : 100)
      const say = () => {
        if (whose === 'ours') ours.send(message)
        else
          for (const who of ['raw', 'left'])
            if (lab.webSocket(who).readyState === 1) lab.webSocket(who).send(message)
      }
      if (load === 'a backlog') {
        for (let n = 0; n < bytes / message.length; n++) say()
        const first = lab.webSocket('ours 1')
        let before = 0
        setInterval(() => {
          if (first.bufferedAmount < before) lab.note('ours 1', 'moved')
          before = first.bufferedAmount
        }, 20)
      }
      if (load === 'ten messages every 20 ms') {
        const timer = setInterval(() => {
          if (ours.state.name === 'closed') clearInterval(timer)
          else for (let n = 0; n < 10; n++) say()
        }, 20)
      }
    },
    load,
    whose,
    BACKLOG_BYTES,
  )

/** Its life, without its heartbeats. */
const life = (notes: readonly Note[]) =>
  notes.filter(({ who, what }) => who === 'ours' && !['ping', 'pong', 'undelivered'].includes(what))

async function halfOpen({ open, network }: Lab, load: Load): Promise<Measured> {
  const { proxy, url } = await network()
  const other = await network()
  const page = await open()
  await page.run(
    (url, otherUrl, intervalMs, timeoutMs, closeTimeoutMs, maxBytes) => {
      lab.raw('raw', otherUrl)
      lab.raw('left', otherUrl)
      lab.ours('ours', url, {
        heartbeat: { message: 'ping', intervalMs, timeoutMs },
        closeTimeoutMs,
        backoff: { baseMs: 100, maxMs: 200 },
        queue: { maxBytes },
      })
    },
    url,
    other.url,
    INTERVAL_MS,
    TIMEOUT_MS,
    CLOSE_TIMEOUT_MS,
    2 * BACKLOG_BYTES,
  )
  for (const who of ['raw', 'left', 'ours']) await page.noted(who, 'open')

  proxy.zombie()
  const stalledAt = Date.now()
  await apply(page, load, 'ours')
  const { at: lostAt, detail: lost } = await page.noted('ours', 'lost', stalledAt)
  expect(lost).toMatchObject({ reason: 'heartbeat timeout', local: true, wasOpen: true })
  const { at: againAt } = await page.noted('ours', 'connecting', lostAt)
  // How long the browser takes to open it is not ours to promise
  const { at: openAt } = await page.noted('ours', 'open', againAt)
  // For as long as the buffers of the kernel fill, nothing is stalled
  const movedAt = (await page.notes()).filter(({ what, at }) => what === 'moved' && at < lostAt).at(-1)?.at
  expect(againAt - (movedAt ?? stalledAt)).toBeLessThan(INTERVAL_MS + TIMEOUT_MS + 1_000)

  // And the browser's own
  other.proxy.zombie()
  await apply(page, load, 'theirs')
  await page.run(() => lab.webSocket('raw').close())
  const rawStalledAt = Date.now()
  await pause(SURE_MS)
  expect(await page.run(() => lab.webSocket('left').readyState)).toBe(1)
  await pause(WATCH_MS - SURE_MS)
  const notes = await page.notes()
  const rawClosed = noted(notes, 'raw', 'close')
  const leftClosed = noted(notes, 'left', 'close')
  const bufferedAmount = await page.run(() => lab.webSocket('left').bufferedAmount)

  const isEchoed = async (message: string) => {
    await page.run(message => void lab.socket('ours').send(message), message)
    await until(() => page.run(message => lab.received.ours?.includes(message), message))
  }
  await isEchoed('alive')
  // The old one is told at last, and nobody listens
  const before = life(await page.notes())
  proxy.resume()
  await page.noted('ours 1', 'close')
  await isEchoed('still alive')
  expect(life(await page.notes())).toEqual(before)

  proxy.zombie()
  await apply(page, load, 'ours')
  const { took, ended } = await page.run(async () => {
    const startedAt = performance.now()
    const ended = await lab.socket('ours').close()
    return { took: performance.now() - startedAt, ended: ended.wasClean }
  })
  expect(ended).toBe(false)
  expect(took).toBeLessThan(CLOSE_TIMEOUT_MS + 500)
  const atLast = life(await page.notes())
  expect(atLast.at(-1)).toMatchObject({ what: 'lost' })
  proxy.resume()
  await page.noted('ours 2', 'close')
  expect(life(await page.notes())).toEqual(atLast)

  const closed = rawClosed
    ? `\`close\` comes ${seconds(rawClosed.at - rawStalledAt)} after \`close()\``
    : `no \`close\` within ${seconds(WATCH_MS)} of \`close()\``
  const left = leftClosed
    ? `closed by the browser after ${seconds(leftClosed.at - rawStalledAt)}`
    : `still \`OPEN\` after ${seconds(WATCH_MS)}, with ${bufferedAmount} bytes buffered`
  return {
    raw: `${left}; ${closed}`,
    ours: `found after ${seconds(lostAt - stalledAt)}, open again after ${seconds(openAt - stalledAt)}; \`close()\` took ${seconds(took)}`,
  }
}

behaviour('half-open-idle', lab => halfOpen(lab, 'nothing'))
behaviour('half-open-sending', lab => halfOpen(lab, 'ten messages every 20 ms'))
behaviour('half-open-backlog', lab => halfOpen(lab, 'a backlog'))
