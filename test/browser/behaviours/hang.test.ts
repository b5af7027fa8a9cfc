/** TCP is accepted, and then nothing: browsers let others to the same address wait behind it, in other tabs too. */

import { expect } from 'vitest'
import { behaviour, seconds, WATCH_MS } from './behaviour'
import { noted, pause, until } from './lab'

const CONNECT_TIMEOUT_MS = 1_000

behaviour('hang', async ({ name, open, network }) => {
  const first = await open()
  const second = await open()
  const { proxy, url } = await network()
  const other = await network()
  for (const { hang } of [proxy, other.proxy]) hang()

  await first.run(
    (url, otherUrl, connectTimeoutMs) => {
      lab.raw('raw', otherUrl)
      lab.ours('ours', url, { connectTimeoutMs, backoff: { baseMs: 100, maxMs: 200 } })
    },
    url,
    other.url,
    CONNECT_TIMEOUT_MS,
  )
  await until(() => proxy.accepted === 1 && other.proxy.accepted === 1)
  // Only the ones that hang already go on to
  for (const { accept } of [proxy, other.proxy]) await accept()
  await second.run(
    (url, otherUrl) => {
      lab.raw('behind raw', otherUrl)
      lab.raw('behind ours', url)
    },
    url,
    other.url,
  )
  const startedAt = Date.now()

  const { at: connectingAt } = await first.noted('ours', 'connecting')
  const { at: lostAt, detail } = await first.noted('ours', 'lost')
  expect(detail).toMatchObject({ reason: 'connect timeout', wasOpen: false, local: true })
  expect(lostAt - connectingAt).toBeLessThan(CONNECT_TIMEOUT_MS + 1_000)
  const { at: throughAt } = await second.noted('behind ours', 'open')
  expect(throughAt - lostAt).toBeLessThan(1_000)
  await first.noted('ours', 'open', lostAt)
  await first.noted('ours 1', 'close', 0, 1_000)
  // Firefox lets go of the handshake, but not of the connection beneath: until the server ends it, or the browser
  if (name !== 'firefox') await until(() => proxy.connections === 2)

  await pause(startedAt + WATCH_MS - Date.now())
  const raw = noted(await first.notes(), 'raw', 'close')
  const behind = noted(await second.notes(), 'behind raw', 'open')
  const said = (what: string, moment?: number) =>
    moment ? `${what} after ${seconds(moment - startedAt)}` : `not ${what} within ${seconds(WATCH_MS)}`
  return {
    raw: `${said('given up', raw?.at)}; the second tab ${said('let through', behind?.at)}`,
    ours: `given up after ${seconds(lostAt - connectingAt)}; the second tab let through ${throughAt > lostAt ? `${throughAt - lostAt} ms later` : 'at once'}`,
  }
})
