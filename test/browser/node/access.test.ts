/** The demo for everyone: by keyboard, by ear, on a phone, in the dark. */

import type { BrowserContextOptions, Page } from 'playwright'
import { describe, expect, test } from 'vitest'
import { wanted } from '../launch'
import { inspect } from './axe'
import { connectWith, heard, lastClose, press, reached, say, stage, type } from './stage'

const PHONE = { viewport: { width: 320, height: 640 }, hasTouch: true }
/** More stops than there are: who has not arrived by then never will. */
const MOST_TABS = 60

const focused = (page: Page) => page.evaluate(() => document.activeElement?.id ?? '')

/** @returns the outline of what has the focus */
async function tabTo(page: Page, selector: string): Promise<string> {
  for (let n = 0; n < MOST_TABS; n++) {
    await page.keyboard.press('Tab')
    const outline = await page.evaluate(
      wanted =>
        document.activeElement?.matches(wanted) && getComputedStyle(document.activeElement).outlineStyle,
      selector,
    )
    if (outline) return outline
  }
  throw new Error(`${selector} cannot be reached by Tab`)
}

/** Everything unfolded, and something in every list. */
async function fill(page: Page): Promise<void> {
  await reached(page, 'open')
  await press(page, 'Start')
  await say(page, `long-${'x'.repeat(400)}`)
  await page.locator('#messages li[data-kind="echo"]').first().waitFor()
  await press(page, 'Cut')
  await lastClose(page, '1006')
  await reached(page, 'open')
  await page.locator('#session-verdict[data-verdict="good"]').waitFor()
  await press(page, 'Copy bug report')
  for (const id of ['options', 'report-details'])
    await page.locator(`#${id}`).evaluate(details => details.setAttribute('open', ''))
}

describe.each(wanted)('$browser', browser => {
  const { visit } = stage(browser)

  test('by keyboard: connect, send, break', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    expect(await tabTo(page, '#url')).not.toBe('none')
    await page.keyboard.press('Enter')
    await page.locator('#transitions li').nth(1).waitFor()
    await reached(page, 'open')
    expect(await tabTo(page, '#reconnect')).not.toBe('none')
    await page.keyboard.press('Space')
    await reached(page, 'open')
    await tabTo(page, '#message')
    await page.keyboard.type('typed')
    await page.keyboard.press('Enter')
    await heard(page, 'typed')
    expect(await focused(page)).toBe('message')
    expect(await tabTo(page, '[data-fault="cut"]')).not.toBe('none')
    await page.keyboard.press('Enter')
    await lastClose(page, '1006')
    await tabTo(page, '#close-code')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('1008')
    await reached(page, 'open')
    await page.keyboard.press('Enter')
    await reached(page, 'closed')
    expect(await tabTo(page, '#messages-scroller')).not.toBe('none')
  })

  test('by ear: where it settles is said, and nothing on the way', async () => {
    const { page } = await visit()
    const said = await page.evaluateHandle(() => {
      const texts: string[] = []
      const announcer = document.getElementById('announcer')
      if (announcer)
        new MutationObserver(() => texts.push(announcer.textContent)).observe(announcer, { childList: true })
      return texts
    })
    await connectWith(page, { 'backoff-base': '20', 'backoff-max': '20' })
    await expect.poll(async () => (await said.jsonValue()).at(-1)).toMatch(/^open: /)
    await press(page, 'Cut')
    await lastClose(page, '1006')
    await reached(page, 'open')
    await press(page, 'Close')
    await expect.poll(async () => (await said.jsonValue()).at(-1)).toMatch(/^closed: /)
    expect((await said.jsonValue()).filter(text => !/^(open|closed): /.test(text))).toEqual([])
  })

  test('on a phone nothing is wider than the screen', async () => {
    const { page } = await visit(PHONE)
    await fill(page)
    expect(
      await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement
        return scrollWidth - clientWidth
      }),
    ).toBe(0)
    const lost = await page.evaluate(() =>
      [...document.querySelectorAll('.card :not(.unseen, svg *)')]
        .filter(element => {
          const card = element.closest('.card')?.getBoundingClientRect().right ?? 0
          return element.getBoundingClientRect().right > card
        })
        .map(element => element.outerHTML.slice(0, 80)),
    )
    expect(lost).toEqual([])
  })
})

const LOOKS: [string, BrowserContextOptions][] = [
  ['in the light', { colorScheme: 'light' }],
  ['in the dark', { colorScheme: 'dark' }],
  ['on a phone', PHONE],
  ['on a phone in the dark', { ...PHONE, colorScheme: 'dark' }],
]

// Firefox takes no colour scheme through its protocol
describe.each(wanted)('what axe says: $browser', browser => {
  const { visit } = stage(browser)
  const looks = LOOKS.filter(
    ([, { colorScheme }]) => browser.browser === 'chromium' || colorScheme !== 'dark',
  )

  test.each(looks)('%s', async (_, options) => {
    const { page } = await visit(options)
    await fill(page)
    expect(await inspect(page)).toEqual([])
    await type(page, 'close-code', '1008')
    await press(page, 'Hang up')
    await reached(page, 'closed')
    expect(await inspect(page)).toEqual([])
    await connectWith(page, { url: 'ws://localhost:9/' })
    await page.locator('#faults-away').waitFor()
    await reached(page, 'waiting')
    expect(await inspect(page)).toEqual([])
  })
})
