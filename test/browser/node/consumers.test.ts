/** What a new user builds by the README, from the packed package, opened in browsers. */

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { type Browser, chromium, firefox } from 'playwright'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { local, promised } from '../../docs/examples'
import { buildPage, type Consumer, createConsumer, writePage } from '../../package/consumer'
import { startServer, type TestServer } from '../../support/servers'
import { wanted } from '../launch'

const engines = { chromium, firefox }

const PATIENCE_MS = 60_000

let consumer: Consumer
let echo: TestServer

beforeAll(async () => {
  consumer = await createConsumer()
  echo = await startServer('echo')
}, PATIENCE_MS)

afterAll(async () => {
  await echo.stop()
  await consumer.remove()
})

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' }

/** Serves a folder as any web server does, and answers where. */
async function serve(folder: string): Promise<string> {
  const server = createServer(async ({ url = '/' }, response) => {
    const file = join(folder, url === '/' ? 'index.html' : url)
    const content = await readFile(file).catch(() => undefined)
    const type = TYPES[extname(file)] ?? 'application/octet-stream'
    response.writeHead(content ? 200 : 404, { 'content-type': `${type}; charset=utf-8` }).end(content)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

describe.each(wanted)('in $browser', ({ browser: name, launchOptions }) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await engines[name].launch(launchOptions)
  }, PATIENCE_MS)
  afterAll(() => browser.close())

  /** Opens a page and answers what it logs, as it comes: a console may show an object in a way of its own. */
  async function open(folder: string): Promise<string[]> {
    const page = await browser.newPage()
    onTestFinished(() => page.close())
    const logged: string[] = []
    page.on('pageerror', error => void logged.push(`uncaught ${error}`))
    await page.exposeFunction('tell', (line: string) => void logged.push(line))
    await page.addInitScript(`console.log = value =>
      tell(typeof value === 'string' ? value : JSON.stringify(value))`)
    await page.goto(await serve(folder))
    return logged
  }

  test('the quick start, built by Vite, logs what the README says, also of a server that comes back', async () => {
    const [code = ''] = await consumer.readme('ts')
    const logged = await open(await buildPage(consumer, local(code, echo)))
    expect(promised(code)).toEqual(['connected', "{ type: 'hello' }"])
    await vi.waitFor(() => expect(logged).toEqual(['connected', '{"type":"hello"}']), PATIENCE_MS)

    const { port } = echo
    await echo.stop()
    echo = await startServer('echo', { port })
    await vi.waitFor(() => expect(logged).toContain('back again'), PATIENCE_MS)
    expect(logged.at(2)).toBe('lost: 1006, trying again')
  })

  test('the script tag of the README logs what it says', async () => {
    const [html = ''] = await consumer.readme('html')
    const logged = await open(await writePage(consumer, local(html, echo), `script-tag-${name}`))
    await vi.waitFor(() => expect(logged).toEqual(promised(html)), PATIENCE_MS)
  })
})
