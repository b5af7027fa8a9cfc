/** What takes minutes: `npm run test:browser:slow`. */

import { expect } from 'vitest'
import { behaviour, seconds } from '../behaviour'
import { noted, pause, THROTTLE, until } from '../lab'

const HIDDEN_MS = 130_000
const TIMEOUT_MS = 600_000

behaviour(
  'hidden-long',
  async ({ name, open, network, engine }) => {
    const { url } = await network()
    const page = await open(await engine(THROTTLE[name]))
    await page.run(url => {
      lab.ours('ours', url, { heartbeat: { message: 'ping', intervalMs: 10_000, timeoutMs: 5_000 } })
      setInterval(() => lab.note('timer', 'ran'), 1_000)
    }, url)
    await page.noted('ours', 'open')
    await page.hide()
    const hiddenAt = Date.now()
    await pause(HIDDEN_MS)
    const notes = await page.notes()
    expect(noted(notes, 'ours', 'lost')).toBeUndefined()
    const count = (who: string, what: string) =>
      notes.filter(note => note.who === who && note.what === what && note.at > hiddenAt).length
    expect(count('ours', 'pong')).toBeGreaterThan(0)
    expect(count('ours', 'ping')).toBe(count('ours', 'pong'))
    return {
      raw: `a timer of 1 s ran ${count('timer', 'ran')} times in ${seconds(HIDDEN_MS)}`,
      ours: `the connection stayed, with ${count('ours', 'ping')} heartbeats of 10 s`,
    }
  },
  TIMEOUT_MS,
)

behaviour(
  'offline-lie',
  async ({ open, network }) => {
    const { proxy, url } = await network()
    const page = await open()
    await page.run(url => {
      addEventListener('offline', () => lab.note('page', 'offline'))
      lab.ours('ours', url)
    }, url)
    await page.noted('ours', 'open')
    await page.setOffline(true)
    await page.noted('page', 'offline')
    proxy.cut('rst')
    const { at: lostAt } = await page.noted('ours', 'lost')
    const { at: openAt } = await page.noted('ours', 'open', lostAt, 60_000)
    expect(await page.run(() => navigator.onLine)).toBe(false)
    expect(openAt - lostAt).toBeLessThan(30_000 + 2_000)
    return { raw: 'does not reconnect', ours: `open again after ${seconds(openAt - lostAt)}` }
  },
  TIMEOUT_MS,
)

const FAILURES = 15
const LONGEST_BACKOFF_MS = 2_000
const CONNECT_TIMEOUT_MS = 10_000
/** Firefox's own, after failures: https://searchfox.org/mozilla-central/source/netwerk/protocol/websocket */
const LONGEST_DELAY_MS = 60_000

behaviour(
  'outage',
  async ({ name, open, network, engine }) => {
    // An address each, so that neither is delayed for the other
    const one = await network()
    const other = await network()
    for (const { refuse } of [one.proxy, other.proxy]) refuse()
    const prefs = { 'network.websocket.delay-failed-reconnects': true }
    const page = await open(await engine(name === 'firefox' ? { prefs } : {}))
    await page.run(
      (url, rawUrl, maxMs, connectTimeoutMs) => {
        lab.ours('ours', url, { backoff: { baseMs: 1_000, maxMs }, connectTimeoutMs })
        const connect = () => {
          const raw = lab.raw('raw', rawUrl)
          raw.onclose = () => setTimeout(connect, maxMs)
        }
        connect()
      },
      one.url,
      other.url,
      LONGEST_BACKOFF_MS,
      CONNECT_TIMEOUT_MS,
    )
    const failed = async (who: string, what: string) =>
      (await page.notes()).filter(note => note.who === who && note.what === what).length >= FAILURES
    await until(async () => (await failed('ours', 'lost')) && (await failed('raw', 'close')), TIMEOUT_MS)
    const healedAt = Date.now()
    for (const { accept } of [one.proxy, other.proxy]) await accept()
    const { at: openAt } = await page.noted('ours', 'open', 0, TIMEOUT_MS)
    const { at: rawOpenAt } = await page.noted('raw', 'open', 0, TIMEOUT_MS)
    expect(openAt - healedAt).toBeLessThan(LONGEST_DELAY_MS + LONGEST_BACKOFF_MS + CONNECT_TIMEOUT_MS)
    return {
      raw: `open ${seconds(rawOpenAt - healedAt)} after the server was back, if each failure is followed by another attempt after 2 s`,
      ours: `open ${seconds(openAt - healedAt)} after the server was back`,
    }
  },
  TIMEOUT_MS,
)
