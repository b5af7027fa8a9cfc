/** Takes the pictures of the demo that the README shows: `npm run screenshots` writes them to docs/images. */

import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type BrowserContextOptions, chromium, type Page } from 'playwright'
import { startDemo } from '../demo/server'
import { wanted } from '../test/browser/launch'
import { compact } from './png'

const FOLDER = new URL('../docs/images/', import.meta.url)

interface Picture {
  readonly name: string
  readonly context: BrowserContextOptions
  /** Brings the page to where it shows something. */
  act(page: Page): Promise<void>
}

const reached = (page: Page, state: string) => page.locator(`#pill[data-state="${state}"]`).waitFor()
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const elapse = (page: Page, ms: number) => page.waitForTimeout(ms)

async function send(page: Page, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await press(page, 'Send')
    await elapse(page, 150)
  }
}

/** Some history, so that the timeline and the plots have something to show. */
async function live(page: Page): Promise<void> {
  await reached(page, 'open')
  await press(page, 'Send 10,000')
  await elapse(page, 3_000)
  await press(page, 'Cut')
  await page.locator('#pill:not([data-state="open"])').waitFor()
  await send(page, 2)
  await reached(page, 'open')
  await elapse(page, 2_000)
  await press(page, 'Stall')
  await page.locator('#pill[data-state="waiting"]').waitFor()
  await reached(page, 'open')
  await send(page, 4)
  await elapse(page, 7_000)
}

const PICTURES: Picture[] = [
  {
    name: 'demo-open',
    context: { viewport: { width: 1280, height: 1130 }, colorScheme: 'light' },
    async act(page) {
      await live(page)
      await send(page, 3)
      await elapse(page, 2_500)
    },
  },
  {
    name: 'demo-waiting',
    context: { viewport: { width: 1280, height: 1130 }, colorScheme: 'dark' },
    async act(page) {
      await live(page)
      await press(page, 'Refuse')
      // Far enough into the outage for a countdown that can be read
      await page.locator('#attempt', { hasText: /^[3-9]$/ }).waitFor()
      await reached(page, 'waiting')
      await page.locator('#polite').uncheck()
      await send(page, 3)
      await page.locator('#countdown-value', { hasText: /^[1-9]/ }).waitFor()
    },
  },
  {
    name: 'demo-phone',
    context: {
      viewport: { width: 375, height: 812 },
      deviceScaleFactor: 1.5,
      colorScheme: 'light',
      hasTouch: true,
    },
    async act(page) {
      await reached(page, 'open')
      await send(page, 3)
      await press(page, 'Cut')
      await reached(page, 'open')
      await elapse(page, 3_000)
      await page
        .locator('#state-card')
        .evaluate(card => scrollTo(0, card.getBoundingClientRect().top + scrollY - 60))
    },
  },
]

const browser = await chromium.launch(wanted.find(({ browser }) => browser === 'chromium')?.launchOptions)
await mkdir(FOLDER, { recursive: true })
for (const { name, context, act } of PICTURES) {
  // A long stay in a state says more than a long way to it
  const page = await browser.newPage({ reducedMotion: 'reduce', ...context })
  // One each: a server that was broken for a picture stays so for a while
  const demo = await startDemo(0)
  await page.goto(demo.url)
  await act(page)
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  const path = fileURLToPath(new URL(`${name}.png`, FOLDER))
  const picture = compact(await page.screenshot())
  await writeFile(path, picture)
  await page.close()
  await demo.close()
  console.log(`${path}, ${Math.round(picture.length / 1_000)} kB`)
}
await browser.close()
