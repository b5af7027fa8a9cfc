/** The script tag's file, on a page that allows nothing but itself and WebSockets. */

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { startServer } from '../../support/servers'
import { wanted } from '../launch'
import { stage } from './stage'

const POLICY = "default-src 'self'; connect-src ws:; require-trusted-types-for 'script'; trusted-types 'none'"

const PAGE = `<!doctype html>
<html lang="en">
  <title>connecting</title>
  <script src="reconnecting-socket.min.js"></script>
  <script src="page.js"></script>
</html>`

const script = (url: string) => `
  const socket = new ReconnectingSocket(${JSON.stringify(url)}, { heartbeat: { message: 'ping', intervalMs: 50 } })
  socket.on('message', message => { document.title = message.said })
  socket.send({ said: 'echoed' })`

async function serve(files: Record<string, { type: string; body: string | Buffer }>) {
  const server = createServer((request, response) => {
    const file = files[request.url ?? '']
    // The icon that browsers ask for unasked is nothing
    response.writeHead(file ? 200 : 204, {
      'Content-Type': file?.type ?? 'text/plain',
      'Content-Security-Policy': POLICY,
    })
    response.end(file?.body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise(resolve => server.close(resolve).closeAllConnections()),
  }
}

describe.each(wanted)('$browser', browser => {
  const { newPage, cleanUp } = stage(browser)

  test('a strict policy: it connects, echoes and beats without a violation', async () => {
    const echo = await startServer('echo')
    cleanUp(() => echo.stop())
    const umd = await readFile(new URL('../../../dist/umd/reconnecting-socket.min.js', import.meta.url))
    const site = await serve({
      '/': { type: 'text/html', body: PAGE },
      '/reconnecting-socket.min.js': { type: 'text/javascript', body: umd },
      '/page.js': { type: 'text/javascript', body: script(echo.url) },
    })
    cleanUp(site.close)
    const page = await newPage()
    await page.goto(site.url)
    await expect.poll(() => page.title()).toBe('echoed')
    await expect.poll(() => echo.received).toContain('"ping"')
  })
})
