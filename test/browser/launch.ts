/** The browsers that are wanted, and how Playwright starts them. */

import type { LaunchOptions } from 'playwright'
import { found } from './found'

export interface Wanted {
  readonly browser: 'chromium' | 'firefox'
  readonly launchOptions: LaunchOptions
}

const { chromium, firefox } = found

export const wanted: readonly Wanted[] = [
  chromium && {
    browser: 'chromium' as const,
    launchOptions: {
      executablePath: chromium,
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
  firefox && {
    browser: 'firefox' as const,
    launchOptions: {
      channel: 'moz-firefox',
      executablePath: firefox,
      // Its hidden delay after failures would be measured instead of ours
      firefoxUserPrefs: { 'network.websocket.delay-failed-reconnects': false },
    },
  },
].filter(browser => !!browser)
