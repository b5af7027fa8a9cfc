import { defineConfig } from 'vitest/config'

/** Properties, planted bugs and compilers take their time on a busy machine. */
const testTimeout = 30_000

export default defineConfig({
  test: {
    // Vitest leaves one core to others, which is half of two
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'pure',
          include: ['test/core/**/*.test.ts', 'test/wire/**/*.test.ts', 'test/*.test.ts'],
          environment: 'node',
          testTimeout,
        },
      },
      { test: { name: 'shell', include: ['test/shell/**/*.test.ts'], environment: 'jsdom', testTimeout } },
      {
        test: {
          name: 'node',
          include: ['test/{node,server,conformance}/**/*.test.ts'],
          environment: 'node',
          testTimeout,
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/{package,docs}/**/*.test.ts'],
          environment: 'node',
          testTimeout,
        },
      },
    ],
  },
})
