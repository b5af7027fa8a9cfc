import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { commands } from './test/browser/commands'

const wanted = (process.env.BROWSERS ?? 'chromium,firefox').split(',')

const chromium = {
  browser: 'chromium' as const,
  provider: playwright({
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
  }),
}

const firefox = {
  browser: 'firefox' as const,
  provider: playwright({
    launchOptions: {
      channel: 'moz-firefox',
      executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
      // Its hidden delay after failures would be measured instead of ours
      firefoxUserPrefs: { 'network.websocket.delay-failed-reconnects': false },
    },
  }),
}

export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    testTimeout: 30_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      commands,
      instances: [chromium, firefox].filter(({ browser }) => wanted.includes(browser)),
    },
  },
})
