/** A handshake is refused, and the server says why to whoever asks by HTTP: to a WebSocket it is all the same. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { behaviour } from './behaviour'
import { type Lab, noted, ownAddress, until } from './lab'

/** Answers each request with the status that its path names, to pages from anywhere. */
async function startRefusing({ cleanUp }: Lab): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    response.writeHead(Number(url.slice(1)), {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Expose-Headers': 'Retry-After',
      ...(url === '/503' && { 'Retry-After': '7' }),
    })
    response.end()
  })
  server.on('upgrade', ({ url = '' }, socket) =>
    socket.end(`HTTP/1.1 ${url.slice(1)} Refused\r\nConnection: close\r\n\r\n`),
  )
  const host = ownAddress()
  server.listen(0, host)
  await once(server, 'listening')
  cleanUp(() => {
    server.closeAllConnections()
    server.close()
  })
  return `ws://${host}:${(server.address() as AddressInfo).port}`
}

behaviour('refused', async own => {
  const page = await own.open()
  const statuses = ['401', '403', '503']
  const urls = await Promise.all(statuses.map(async status => `${await startRefusing(own)}/${status}`))
  const nobody = `ws://${ownAddress()}:9/`
  await page.run(
    (statuses, urls, nobody) => {
      const options = { diagnose: true, backoff: { baseMs: 50, maxMs: 100 } }
      for (const [n, status] of statuses.entries()) {
        lab.raw(`raw ${status}`, urls[n] ?? '')
        lab.ours(status, urls[n] ?? '', options)
      }
      lab.ours('nobody', nobody, options)
    },
    statuses,
    urls,
    nobody,
  )

  for (const status of statuses) {
    const { detail } = await page.noted(`raw ${status}`, 'close')
    expect(detail).toEqual({ code: 1006, reason: '', wasClean: false })
  }

  const losses = async (who: string, count: number) =>
    until(async () => {
      const lost = (await page.notes()).filter(note => note.who === who && note.what === 'lost')
      return lost.length >= count && lost.map(({ detail }) => detail)
    })
  const undiagnosed = { code: 1006, reason: '', final: false, wasOpen: false }
  expect(await losses('403', 2)).toMatchObject([undiagnosed, { code: 1008, reason: 'HTTP 403', final: true }])
  expect(await losses('401', 3)).toMatchObject([
    undiagnosed,
    { code: 1006, reason: 'HTTP 401', final: false },
    { code: 1008, reason: 'HTTP 401', final: true },
  ])
  const [, busy] = (await losses('503', 2)) as { reason: string; retryInMs: number }[]
  expect(busy?.reason).toBe('HTTP 503; retry=7000')
  expect(busy?.retryInMs).toBeGreaterThan(6_900)
  expect(busy?.retryInMs).toBeLessThan(8_500)
  const [, unreachable] = (await losses('nobody', 2)) as { reason: string }[]
  expect(unreachable?.reason).toBe('unreachable')
  expect(noted(await page.notes(), '403', 'closed')).toBeDefined()

  return {
    raw: 'closed, 1006, for 401, 403 and 503 alike',
    ours: `\`HTTP 401\`, final the second time; \`HTTP 403\`, final; \`${busy?.reason}\`, the next attempt after ${((busy?.retryInMs ?? 0) / 1_000).toFixed(1)} s; \`unreachable\``,
  }
})
