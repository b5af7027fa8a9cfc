/** Nobody looks at the page: its timers run once a second, and in Chromium, after a while, once a minute. */

import { expect } from 'vitest'
import { behaviour, seconds } from './behaviour'
import { noted, pause, THROTTLE, until } from './lab'

const HIDDEN_MS = 4_000

behaviour('hidden', async ({ name, open, network, engine }) => {
  const { server, url } = await network()
  const page = await open(await engine(THROTTLE[name]))
  await page.run(url => {
    document.addEventListener('visibilitychange', () => lab.note('page', document.visibilityState))
    const ours = lab.ours('ours', url, {
      heartbeat: { message: 'ping', intervalMs: 1_000, timeoutMs: 1_000 },
    })
    ours.on('message', message => message === 'question' && ours.send('answer'))
    // A failure that no event tells of: its timers are a chain, which is what Chromium throttles
    const provide = () => {
      if (document.visibilityState === 'visible' && lab.notes.some(({ what }) => what === 'hidden'))
        return url
      throw new Error('not while hidden')
    }
    lab.ours('overdue', provide, { backoff: { baseMs: 1_000, maxMs: 1_000 } })
    lab.ours('patient', provide, { backoff: { baseMs: 60_000, maxMs: 60_000 } })
    setInterval(() => lab.note('timer', 'ran'), 1_000)
  }, url)
  await page.noted('ours', 'open')
  await page.hide()
  const { at: hiddenAt } = await page.noted('page', 'hidden')
  await pause(HIDDEN_MS)
  // In Chromium its moment has passed, and nothing ran
  if (name === 'chromium')
    await until(
      () => page.run(() => (lab.socket('overdue').state.retryAt ?? Infinity) < Date.now() - 1_000),
      90_000,
    )
  const askedAt = Date.now()
  server.send('"question"')
  await until(() => server.received.includes('"answer"'))
  const answered = Date.now() - askedAt
  expect(answered).toBeLessThan(1_500)
  const ran = (await page.notes()).filter(({ who, at }) => who === 'timer' && at > hiddenAt).length
  const hiddenMs = Date.now() - hiddenAt

  const shownAt = Date.now()
  await page.show()
  const { at: visibleAt } = await page.noted('page', 'visible', hiddenAt)
  const [overdue = 0, patient = 0] = await Promise.all(
    ['overdue', 'patient'].map(async who => {
      const { at } = await page.noted(who, 'connecting', shownAt)
      await page.noted(who, 'open', shownAt)
      return Math.max(0, at - visibleAt)
    }),
  )
  // A wait that is overdue ends at once, any other within a second
  expect(overdue).toBeLessThan(name === 'chromium' ? 500 : 1_000 + 500)
  expect(patient).toBeLessThan(1_000 + 500)
  // Its heartbeats were late as well
  await page.noted('ours', 'pong', shownAt)
  expect(noted(await page.notes(), 'ours', 'lost')).toBeUndefined()
  return {
    raw: `a timer of 1 s ran ${ran} times in ${seconds(hiddenMs)}`,
    ours: `the connection stayed; answered after ${answered} ms; an overdue attempt began ${overdue} ms after \`visible\`, and one that was not due for half a minute ${patient} ms after`,
  }
})
