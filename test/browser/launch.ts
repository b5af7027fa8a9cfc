/** The browsers that are wanted, and how Playwright starts them. */

import type { LaunchOptions } from 'playwright'

export interface Wanted {
  readonly browser: 'chromium' | 'firefox'
  readonly launchOptions: LaunchOptions
}

const all: readonly Wanted[] = [
  {
    browser: 'chromium',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  {
    browser: 'firefox',
    launchOptions: {
      channel: 'moz-firefox',
      executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
      // Its hidden delay after failures would be measured instead of ours
      firefoxUserPrefs: { 'network.websocket.delay-failed-reconnects': false },
    },
  },
]

const names = (process.env.BROWSERS ?? 'chromium,firefox').split(',')

export const wanted = all.filter(({ browser }) => names.includes(browser))
