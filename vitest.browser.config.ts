import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'
import { commands } from './test/browser/commands'
import { wanted } from './test/browser/launch'

/** They measure how long tasks take, and how much memory. */
const MEASURING = ['test/browser/node/flow.test.ts', 'test/browser/node/timing.test.ts']

export default defineConfig(({ mode }) => {
  /** By Playwright, which has a protocol with these. */
  const playwrights: TestProjectConfiguration[] = [
    {
      // `npm run soak:browser`
      define: { __SOAK__: JSON.stringify(mode === 'soak') },
      test: {
        name: 'page',
        include: ['test/browser/*.test.ts'],
        testTimeout: 30_000,
        browser: {
          enabled: true,
          headless: true,
          screenshotFailures: false,
          commands,
          instances: wanted.map(({ browser, launchOptions }) => ({
            browser,
            provider: playwright({ launchOptions }),
          })),
        },
      },
    },
    {
      test: {
        // In Node, from where it drives browsers
        name: 'driver',
        include: ['test/browser/node/**/*.test.ts'],
        exclude: MEASURING,
        testTimeout: 30_000,
        sequence: { groupOrder: 1 },
        // Vitest leaves one core to others, which is half of two; and much of it is waiting
        maxWorkers: 2,
      },
    },
    {
      test: {
        // Likewise, but each has the machine to itself
        name: 'measuring',
        include: MEASURING,
        testTimeout: 30_000,
        sequence: { groupOrder: 3 },
        maxWorkers: 1,
      },
    },
  ]
  return {
    test: {
      projects: [
        ...(wanted.length > 0 ? playwrights : []),
        {
          test: {
            // In browsers as they come, WebKit among them. Most of it is waiting
            name: 'behaviours',
            // `npm run test:browser:slow`
            include: [`test/browser/behaviours/${mode === 'slow' ? 'slow/' : ''}*.test.ts`],
            sequence: { groupOrder: 2 },
            maxWorkers: 3,
          },
        },
      ],
    },
  }
})
