/** A page of our own in a browser, driven from Node: for what a page cannot measure of itself. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, type CDPSession, chromium, firefox, type Page } from 'playwright'
import { wanted } from './launch'

export interface Driven {
  readonly page: Page
  /**
   * Bytes of the page's JavaScript heap, once the garbage is out, with the strings and buffers outside of it.
   * `undefined` where the browser does not tell.
   */
  heapBytes(): Promise<number | undefined>
  close(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

const bundle = async (module: string): Promise<string> => {
  const { outputFiles } = await build({
    stdin: { contents: module, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

export const launch = (name: (typeof wanted)[number]['browser']): Promise<Browser> => {
  const found = wanted.find(({ browser }) => browser === name)
  if (!found) throw new Error(`${name} is not among BROWSERS`)
  return { chromium, firefox }[name].launch(found.launchOptions)
}

/** A page that has run this module once it is loaded. */
export async function serveModule(module: string): Promise<{ url: string; close(): void }> {
  const script = await bundle(module)
  const server = createServer(({ url }, response) => {
    const isScript = url === '/script.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8')
    response.end(
      isScript
        ? script
        : '<!doctype html><title>Driven</title><script type="module" src="/script.js"></script>',
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Has the browser collect its garbage. @returns bytes of the heap, with the strings and buffers outside of it */
export async function heapOf(
  tools: <Result>(method: 'HeapProfiler.collectGarbage' | 'Runtime.getHeapUsage') => Promise<Result>,
): Promise<number> {
  await tools('HeapProfiler.collectGarbage')
  // Chromium tells more than its protocol's types say
  const usage = await tools<{ usedSize: number; embedderHeapUsedSize?: number; backingStorageSize?: number }>(
    'Runtime.getHeapUsage',
  )
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = usage
  return usedSize + embedderHeapUsedSize + backingStorageSize
}

/** Opens a page in which this module has run. */
export async function drive(browser: Browser, module: string): Promise<Driven> {
  const served = await serveModule(module)
  const page = await browser.newPage()
  await page.goto(served.url)
  const tools: CDPSession | undefined =
    browser.browserType().name() === 'chromium' ? await page.context().newCDPSession(page) : undefined
  return {
    page,
    heapBytes: async () => tools && heapOf(method => tools.send(method) as Promise<never>),
    async close() {
      await page.close()
      served.close()
    },
  }
}
