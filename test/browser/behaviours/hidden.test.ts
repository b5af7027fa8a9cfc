/** Nobody looks at the page: its timers run once a second, and in Chromium, after a while, once a minute. */

import { expect } from 'vitest'
import { behaviour, seconds } from './behaviour'
import { noted, pause, THROTTLE, until } from './lab'

const HIDDEN_MS = 4_000

behaviour('hidden', async ({ name, open, network, engine }) => {
  const { server, url } = await network()
  const hanging = await network()
  hanging.proxy.hang()
  const page = await open(await engine(THROTTLE[name]))
  await page.run(
    (url, hangingUrl) => {
      document.addEventListener('visibilitychange', () => lab.note('page', document.visibilityState))
      const ours = lab.ours('ours', url, {
        heartbeat: { message: 'ping', intervalMs: 1_000, timeoutMs: 1_000 },
      })
      ours.on('message', message => message === 'question' && ours.send('answer'))
      lab.ours('waits', hangingUrl, { connectTimeoutMs: 500, backoff: { baseMs: 1_000, maxMs: 1_000 } })
      setInterval(() => lab.note('timer', 'ran'), 1_000)
    },
    url,
    hanging.url,
  )
  await page.noted('ours', 'open')
  await page.hide()
  const { at: hiddenAt } = await page.noted('page', 'hidden')
  await pause(HIDDEN_MS)
  // In Chromium its moment has passed, and nothing ran
  if (name === 'chromium')
    await until(
      () => page.run(() => (lab.socket('waits').state.retryAt ?? Infinity) < Date.now() - 1_000),
      90_000,
    )
  const askedAt = Date.now()
  server.send('"question"')
  await until(() => server.received.includes('"answer"'))
  const answered = Date.now() - askedAt
  expect(answered).toBeLessThan(1_500)
  const ran = (await page.notes()).filter(({ who, at }) => who === 'timer' && at > hiddenAt).length
  const hiddenMs = Date.now() - hiddenAt

  await hanging.proxy.accept()
  const shownAt = Date.now()
  await page.show()
  const { at: visibleAt } = await page.noted('page', 'visible', hiddenAt)
  const { at: triedAt } = await page.noted('waits', 'connecting', shownAt)
  // A wait that is overdue ends at once, any other within a second
  expect(triedAt - visibleAt).toBeLessThan(name === 'chromium' ? 500 : 1_000 + 500)
  await page.noted('waits', 'open', shownAt)
  // Its heartbeats were late as well
  await page.noted('ours', 'pong', shownAt)
  expect(noted(await page.notes(), 'ours', 'lost')).toBeUndefined()
  return {
    raw: `a timer of 1 s ran ${ran} times in ${seconds(hiddenMs)}`,
    ours: `the connection stayed; answered after ${answered} ms; tried again ${Math.max(0, triedAt - visibleAt)} ms after \`visible\``,
  }
})
