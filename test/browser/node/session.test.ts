/** Page and server count in a session, and whatever is broken meanwhile, they agree. */

import type { Page } from 'playwright'
import { describe, expect, test } from 'vitest'
import { startServer } from '../../support/servers'
import { wanted } from '../launch'
import { inspect } from './axe'
import { connectWith, press, reached, stage, type } from './stage'

const QUICK = {
  'heartbeat-interval': '200',
  'heartbeat-timeout': '300',
  'backoff-base': '100',
  'backoff-max': '200',
}
const CUTS = 5

type Side = 'page' | 'server'
type View = Record<
  'sent' | 'received' | 'lost' | 'doubled' | 'disordered' | 'resumed' | 'underway' | (string & {}),
  number
>

/** What the card shows, read at once. */
const read = (page: Page): Promise<Record<Side, View>> =>
  page.evaluate(() => {
    const side = (name: string) =>
      Object.fromEntries(
        [...document.querySelectorAll<HTMLElement>('[data-count]')].map(row => [
          row.dataset.count,
          Number(row.querySelector(`[data-side="${name}"]`)?.textContent.replaceAll(',', '')),
        ]),
      )
    return { page: side('page'), server: side('server') } as never
  })

/** Until both have heard more of each other than now. */
async function counted(page: Page, more = 5): Promise<void> {
  const { page: before, server: answered } = await read(page)
  await expect
    .poll(async () => {
      const now = await read(page)
      return Math.min(
        now.page.received - (before.received || 0),
        now.server.received - (answered.received || 0),
      )
    })
    .toBeGreaterThan(more)
}

const verdict = (page: Page, text: string) => page.locator('#session-verdict', { hasText: text }).waitFor()

const resumed = (page: Page, times: number) =>
  expect.poll(async () => (await read(page)).page.resumed, { timeout: 20_000 }).toBeGreaterThanOrEqual(times)

async function start(page: Page): Promise<void> {
  await connectWith(page, QUICK)
  await reached(page, 'open')
  await press(page, 'Start')
  await verdict(page, 'The two agree: nothing lost')
}

const CLEAN = { lost: 0, doubled: 0, disordered: 0 }

/** They stop, and it turns out that what one has sent the other has. */
async function agreed(page: Page): Promise<Record<Side, View>> {
  await press(page, 'Stop')
  await verdict(page, 'agree to the last')
  const both = await read(page)
  expect(both).toMatchObject({ page: { ...CLEAN, underway: 0 }, server: CLEAN })
  expect(both.page.received).toBe(both.server.sent)
  expect(both.server.received).toBe(both.page.sent)
  return both
}

describe.each(wanted)('$browser', browser => {
  const { visit, cleanUp } = stage(browser)

  test('cut again and again, and stalled: nothing is lost, doubled or out of order, and both sides say so', async () => {
    const { page } = await visit()
    await start(page)
    await counted(page)
    for (let cut = 1; cut <= CUTS; cut++) {
      await press(page, 'Cut')
      await resumed(page, cut)
      await counted(page)
    }
    await press(page, 'Stall')
    await resumed(page, CUTS + 1)
    await counted(page)
    expect(await inspect(page)).toEqual([])
    const both = await agreed(page)
    expect(both.page.resumed).toBeGreaterThanOrEqual(CUTS + 1)
    // It may have welcomed us by a word that never came
    expect(both.server.resumed).toBeGreaterThanOrEqual(both.page.resumed)
    expect(await inspect(page)).toEqual([])
  })

  test('what breaks an echo breaks a session, and it comes back', async () => {
    const { page } = await visit()
    await start(page)
    await press(page, 'Refuse')
    await verdict(page, 'what they send waits')
    await press(page, 'Heal')
    await resumed(page, 1)
    await counted(page)
    await press(page, 'Hang up')
    await resumed(page, 2)
    await type(page, 'slow-ms', '200')
    await press(page, 'Slow')
    await page.locator('#faults-state', { hasText: '0.2 s late' }).waitFor()
    await counted(page)
    await agreed(page)
  })

  test('one that is closed for good says so, and Start begins another', async () => {
    const { page } = await visit()
    await start(page)
    await type(page, 'close-code', '1008')
    await press(page, 'Hang up')
    await verdict(page, 'Ended: ')
    await press(page, 'Start')
    await verdict(page, 'The two agree: nothing lost')
    expect((await agreed(page)).page.resumed).toBe(0)
  })

  test('another server has no sessions that count, and the page says where they are', async () => {
    const other = await startServer('echo')
    cleanUp(() => other.stop())
    const { page } = await visit()
    await start(page)
    await connectWith(page, { url: other.url })
    await page.locator('#session-away').waitFor()
    expect(await page.getByRole('button', { name: 'Start' }).isVisible()).toBe(false)
  })
})
