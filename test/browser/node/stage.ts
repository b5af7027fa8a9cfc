/** A demo of its own and a page that looks at it, for each test; and what the page had to complain of. */

import { type Browser, type BrowserContextOptions, chromium, firefox, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest'
import { type Demo, startDemo } from '../../../demo/server'
import type { Wanted } from '../launch'

// A browser takes its time to start, and the demo some to recover
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const ENGINES = { chromium, firefox }

/** A WebSocket that fails is what these tests are about, and browsers say so. */
const EXPECTED = /WebSocket connection|establish a connection|interrupted while the page was loading/

export interface Visit {
  readonly page: Page
  readonly demo: Demo
}

/** @returns opens the demo */
export function stage({ browser: name, launchOptions }: Wanted) {
  let browser: Browser
  const cleanups: (() => Promise<unknown>)[] = []
  const complaints: string[] = []
  const complain = (text: string) => {
    if (!EXPECTED.test(text)) complaints.push(text)
  }

  beforeAll(async () => {
    browser = await ENGINES[name].launch(launchOptions)
  })
  afterAll(() => browser.close())
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    expect(complaints.splice(0)).toEqual([])
  })

  /** @returns a page that complains of what its policy forbids, of errors, and of what it writes to the console as one */
  async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext(options)
    await context.addInitScript(() =>
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
        console.error(`policy: ${violatedDirective} ${blockedURI} ${sample}`),
      ),
    )
    const page = await context.newPage()
    page.on('pageerror', error => complain(`${error}`))
    page.on('console', message => {
      if (message.type() === 'error') complain(message.text())
    })
    cleanups.push(() => context.close())
    return page
  }

  return {
    newPage,

    async visit(options: BrowserContextOptions = {}): Promise<Visit> {
      const demo = await startDemo(0)
      cleanups.push(() => demo.close())
      const page = await newPage(options)
      await page.goto(demo.url)
      return { page, demo }
    },

    cleanUp: (cleanup: () => Promise<unknown>) => void cleanups.push(cleanup),
  }
}

export const reached = (page: Page, state: string) => page.locator(`#pill[data-state="${state}"]`).waitFor()

export const press = (page: Page, button: string) =>
  page.getByRole('button', { name: button, exact: true }).click()

/** As one does it. Playwright's `fill` leaves a number field of Firefox as it was. */
export async function type(page: Page, id: string, text: string): Promise<void> {
  const field = page.locator(`#${id}`)
  await field.press('Control+A')
  await field.pressSequentially(text)
}

/** By the id of the field. */
export async function connectWith(page: Page, options: Record<string, string | boolean>): Promise<void> {
  await page.locator('#options').evaluate(details => details.setAttribute('open', ''))
  for (const [id, value] of Object.entries(options)) {
    const field = page.locator(`#${id}`)
    if (typeof value === 'boolean') await field.setChecked(value)
    else if (await field.evaluate(element => element.tagName === 'SELECT')) await field.selectOption(value)
    else await type(page, id, value)
  }
  await press(page, 'Connect')
}

export async function say(page: Page, text: string): Promise<void> {
  await page.locator('#message').fill(text)
  await press(page, 'Send')
}

export const heard = (page: Page, text: string) =>
  page.locator('#messages li[data-kind="echo"]', { hasText: text }).first().waitFor()

export const lastClose = (page: Page, text: string) =>
  page.locator('#last-close', { hasText: text }).waitFor()
