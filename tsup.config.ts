import { writeFile } from 'node:fs/promises'
import { defineConfig } from 'tsup'

export default defineConfig([
  {
    entry: ['src/index.ts', 'src/msgpack.ts', 'src/server.ts', 'src/spec.ts'],
    format: ['esm', 'cjs'],
    target: 'es2022',
    // `Symbol.dispose` is not in the ES2022 that a user's compiler may be set to
    dts: { banner: '/// <reference lib="esnext.disposable" />' },
    sourcemap: true,
    // With splitting, tsup passes CJS through a second transform that spoils its source map
    splitting: false,
    clean: ['!umd/**', '!conformance/**'],
    // nanoevents is ESM-only: inlined, so that the CJS build can be required
    noExternal: ['nanoevents'],
    // Without it only Node knows what is meant
    removeNodeProtocol: false,
  },
  {
    // The judge of servers and clients, a command
    entry: { cli: 'src/conformance/cli.ts' },
    outDir: 'dist/conformance',
    format: ['esm'],
    target: 'node20',
    banner: { js: '#!/usr/bin/env node' },
    sourcemap: true,
    dts: false,
    splitting: false,
    clean: true,
    removeNodeProtocol: false,
  },
  {
    entry: { 'reconnecting-socket.min': 'src/umd.ts' },
    outDir: 'dist/umd',
    format: ['iife'],
    outExtension: () => ({ js: '.js' }),
    platform: 'browser',
    target: 'es2022',
    noExternal: [/.*/],
    minify: true,
    sourcemap: true,
    dts: false,
    splitting: false,
    clean: true,
    // It writes to module.exports on purpose
    esbuildOptions: options => {
      options.logOverride = { 'commonjs-variable-in-esm': 'silent' }
    },
    // In a package of type "module", require() of a UMD .js answers {} unless its own folder says "commonjs"
    onSuccess: () => writeFile('dist/umd/package.json', '{"type":"commonjs"}\n'),
  },
])
