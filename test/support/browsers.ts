/** How the browsers of this machine are started, for all who start one. */

import type { LaunchOptions } from 'playwright'

export type BrowserName = 'chromium' | 'firefox'

export const LAUNCH_OPTIONS: Record<BrowserName, LaunchOptions> = {
  chromium: {
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
  firefox: {
    channel: 'moz-firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    // Its hidden delay after failures would be measured instead of ours
    firefoxUserPrefs: { 'network.websocket.delay-failed-reconnects': false },
  },
}

/** The variable `BROWSERS` names those that are wanted. */
export const BROWSERS = (['chromium', 'firefox'] as const).filter(name =>
  (process.env.BROWSERS ?? 'chromium,firefox').split(',').includes(name),
)
