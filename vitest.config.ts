import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'pure',
          include: ['test/core/**/*.test.ts', 'test/wire/**/*.test.ts', 'test/*.test.ts'],
          environment: 'node',
        },
      },
      { test: { name: 'shell', include: ['test/shell/**/*.test.ts'], environment: 'jsdom' } },
      { test: { name: 'node', include: ['test/{node,server}/**/*.test.ts'], environment: 'node' } },
      { test: { name: 'package', include: ['test/{package,docs}/**/*.test.ts'], environment: 'node' } },
    ],
  },
})
