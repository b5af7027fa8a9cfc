import { defineConfig } from 'vitest/config'

/** `npm run test:runtimes`: a runtime may have to be fetched first. */
export default defineConfig({
  test: {
    include: ['test/runtimes/**/*.test.ts'],
    environment: 'node',
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
})
