/** What a behaviour is tried with: browsers, pages, servers and networks, gone when the test is over. */

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect } from 'vitest'
import { type FaultProxy, startProxy } from '../../support/proxy'
import { type ServerKind, startServer, type TestServer } from '../../support/servers'
import { startChromium } from '../engines/chromium'
import type { Engine, EngineName, EngineOptions, Tab } from '../engines/engine'
import { startFirefox } from '../engines/firefox'
import { startWebKit } from '../engines/webkit'
import { found } from '../found'
import type { Note } from './page'

const STARTERS = { chromium: startChromium, firefox: startFirefox, webkit: startWebKit }

const PATIENCE_MS = 30_000

/** Chromium throttles timers to one a minute, but only after five minutes, unless it is told otherwise. */
export const THROTTLE: Readonly<Partial<Record<EngineName, EngineOptions>>> = {
  chromium: {
    args: [
      '--intensive-wake-up-throttling-policy=1',
      '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2',
    ],
  },
}

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Fulfilled with what is asked for, once it is neither `false` nor `undefined`. */
export async function until<T>(
  look: () => T | Promise<T>,
  timeoutMs = PATIENCE_MS,
): Promise<Exclude<T, false | undefined>> {
  const endsAt = Date.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (seen !== false && seen !== undefined) return seen as Exclude<T, false | undefined>
    if (Date.now() > endsAt) throw new Error(`after ${timeoutMs} ms still not: ${look}`)
    await pause(20)
  }
}

/** The first note of this that was made at or after a moment. */
export const noted = (notes: readonly Note[], who: string, what: string, since = 0): Note | undefined =>
  notes.find(note => note.who === who && note.what === what && note.at >= since)

/** A page with `lab`. */
export interface Bench extends Tab {
  notes(): Promise<readonly Note[]>
  /** Fulfilled with the first such note. */
  noted(who: string, what: string, since?: number, timeoutMs?: number): Promise<Note>
}

export interface Network {
  readonly server: TestServer
  readonly proxy: FaultProxy
  readonly url: string
}

export type Cleanup = () => unknown

let pages: Promise<Readonly<Record<string, { type: string; body: string | Buffer }>>> | undefined

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  })
  const html = '<!doctype html><link rel="icon" href="data:,"><title>lab</title>'
  return {
    '/': { type: 'text/html', body: `${html}<script src="umd.js"></script><script src="page.js"></script>` },
    '/away': { type: 'text/html', body: html.replace('lab', 'away') },
    '/page.js': { type: 'text/javascript', body: outputFiles[0]?.text ?? '' },
    '/umd.js': {
      type: 'text/javascript',
      body: await readFile(new URL('../../../dist/umd/reconnecting-socket.min.js', import.meta.url)),
    },
  }
}

export async function servePages(host = '127.0.0.1'): Promise<{ url: string; close: Cleanup }> {
  pages ??= bundle()
  const files = await pages
  const server = createServer(({ url = '/' }, response) => {
    const file = files[url.replace(/\?.*/, '')]
    response.writeHead(file ? 200 : 404, { 'content-type': `${file?.type}; charset=utf-8` }).end(file?.body)
  }).listen(0, host)
  await once(server, 'listening')
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Browsers connect to one address one at a time, and remember where they failed. */
let addresses = 0
export const ownAddress = (): string => {
  addresses++
  return `127.${10 + (process.pid % 200)}.${addresses >> 8}.${addresses & 255}`
}

export interface Lab {
  readonly name: EngineName
  /** Of the page. Beside it there is `away`. */
  readonly home: string
  /** This test's own, or the one that others of the file use too. */
  engine(options?: EngineOptions): Promise<Engine>
  /** @param url of a page that was served elsewhere */
  open(engine?: Engine, url?: string): Promise<Bench>
  /** @param host an address of this machine, instead of one of its own */
  network(kind?: ServerKind, host?: string): Promise<Network>
  /** Ends the test: it cannot be done on this machine. */
  skip(why: string): never
  cleanUp(cleanup: Cleanup): void
}

const shared = new Map<EngineName, Promise<Engine>>()

export async function stopEngines(): Promise<void> {
  const engines = [...shared.values()]
  shared.clear()
  for (const engine of await Promise.allSettled(engines))
    if (engine.status === 'fulfilled') await engine.value.close()
}

export async function setUp(
  name: EngineName,
  skip: Lab['skip'],
): Promise<{ lab: Lab; tearDown: () => Promise<void> }> {
  const cleanups: Cleanup[] = []
  const { url: home, close } = await servePages()
  cleanups.push(close)
  const startEngine = (options: EngineOptions) => STARTERS[name](found[name] ?? '', options)

  const lab: Lab = {
    skip,
    name,
    home,
    async engine(options) {
      if (options) {
        const own = await startEngine(options)
        cleanups.push(() => own.close())
        return own
      }
      const engine = shared.get(name) ?? startEngine({})
      shared.set(name, engine)
      return engine
    },
    async open(engine, url = home) {
      const tab = await (engine ?? (await lab.engine())).open(url)
      cleanups.push(() => tab.close().catch(() => {}))
      // What is left out would have been said in each call
      const notes = () => tab.run(() => globalThis.lab.notes)
      return {
        ...tab,
        notes,
        noted: (who, what, since, timeoutMs) =>
          until(async () => noted(await notes(), who, what, since), timeoutMs).catch(async () =>
            expect.fail(`${who} was never ${what}: ${JSON.stringify(await notes(), null, 1)}`),
          ),
      }
    },
    async network(kind = 'echo', host = ownAddress()) {
      const server = await startServer(kind)
      const proxy = await startProxy(server.port, { host })
      cleanups.push(
        () => proxy.close(),
        () => server.stop(),
      )
      return { server, proxy, url: proxy.url }
    },
    cleanUp: cleanup => void cleanups.push(cleanup),
  }
  return {
    lab,
    async tearDown() {
      for (const cleanup of cleanups.reverse()) await cleanup()
    },
  }
}
