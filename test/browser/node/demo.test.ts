/** The demo, as a newcomer plays with it: connect, send, break, and see it come back. */

import { describe, expect, test } from 'vitest'
import { startServer } from '../../support/servers'
import { wanted } from '../launch'
import { connectWith, heard, lastClose, press, reached, say, stage, type } from './stage'

const QUICK = { 'backoff-base': '100', 'backoff-max': '300' }

describe.each(wanted)('$browser', browser => {
  const { visit, cleanUp } = stage(browser)

  test('connects by itself, and shows an echo with its size and how long it took', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    await say(page, 'hello 1')
    await heard(page, 'hello 1')
    const echo = page.locator('#messages li[data-kind="echo"]').first()
    expect(await echo.locator('.size').textContent()).toBe('9 B')
    expect(await echo.locator('.latency').textContent()).toMatch(/^[\d.]+ m?s$/)
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('hello 2')
    expect(await page.locator('.node.lit').getAttribute('data-state')).toBe('open')
    expect(await page.locator('.edge.lit').getAttribute('data-edge')).toBe('connecting open')
    await page.getByRole('img', { name: /State machine .* Now open, came from connecting/ }).waitFor()
    await page.getByRole('img', { name: /The last two minutes: .*open \d/ }).waitFor()
    await page.getByRole('img', { name: /Now: echo [\d.]+ ms/ }).waitFor()
  })

  test.each(['json', 'text', 'bytes', 'msgpack'])('speaks %s', async codec => {
    const { page } = await visit()
    await connectWith(page, { codec })
    await reached(page, 'open')
    await say(page, 'A')
    await heard(page, codec === 'bytes' ? '41' : 'A')
  })

  test('stall: the heartbeat finds it, and a new connection is made', async () => {
    const { page } = await visit()
    await connectWith(page, { ...QUICK, 'heartbeat-interval': '300', 'heartbeat-timeout': '300' })
    await reached(page, 'open')
    await press(page, 'Stall')
    await lastClose(page, 'heartbeat timeout')
    await reached(page, 'open')
    await say(page, 'alive')
    await heard(page, 'alive')
  })

  test('cut: noticed, and back', async () => {
    const { page } = await visit()
    await connectWith(page, QUICK)
    await reached(page, 'open')
    await press(page, 'Cut')
    await lastClose(page, '1006')
    await reached(page, 'open')
    await say(page, 'alive')
    await heard(page, 'alive')
  })

  test('refuse: it waits with a countdown, and what is sent meanwhile goes out on the return', async () => {
    const { page } = await visit()
    await connectWith(page, { 'backoff-base': '1000', 'backoff-max': '1500' })
    await reached(page, 'open')
    await press(page, 'Refuse')
    await page.locator('#faults-state', { hasText: 'nobody is let in' }).waitFor()
    await page.locator('#countdown-value', { hasText: /^\d+\.\d s$/ }).waitFor()
    await say(page, 'meanwhile')
    await page.locator('#messages li[data-kind="queued"]', { hasText: 'meanwhile' }).waitFor()
    await page.locator('#queue .meter', { hasText: 'Messages 1' }).waitFor()
    await press(page, 'Heal')
    await page.locator('#faults-state', { hasText: 'well' }).waitFor()
    await reached(page, 'open')
    await heard(page, 'meanwhile')
  })

  test('slow: the echo is late', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    await type(page, 'slow-ms', '400')
    await press(page, 'Slow')
    await page.locator('#faults-state', { hasText: '0.4 s late' }).waitFor()
    await say(page, 'late')
    await heard(page, 'late')
    const latency = await page.locator('#messages li[data-kind="echo"] .latency').first().textContent()
    expect(Number.parseFloat(latency ?? '')).toBeGreaterThanOrEqual(399)
  })

  test('close with 4000: told with its reason, and back', async () => {
    const { page } = await visit()
    await connectWith(page, QUICK)
    await reached(page, 'open')
    await type(page, 'close-reason', 'on purpose')
    await press(page, 'Hang up')
    await lastClose(page, '4000 “on purpose”')
    await reached(page, 'open')
  })

  test('close with 1008: closed for good, until Connect', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    await type(page, 'close-code', '1008')
    await press(page, 'Hang up')
    await reached(page, 'closed')
    await lastClose(page, '1008 (policy violation)')
    await press(page, 'Connect')
    await reached(page, 'open')
  })

  test('restart: 1012 is answered with patience, and then it is back', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    await press(page, 'Restart')
    await lastClose(page, '1012 (service restart)')
    await page.locator('#countdown-value', { hasText: /^([5-9]|\d\d)\.|^4\.[5-9]/ }).waitFor()
    await reached(page, 'open')
  })

  test('ten thousand at once are all echoed, and the page stays with us', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    const watch = await page.evaluateHandle(() => {
      const seen = { longestMs: 0, frame: performance.now() }
      const look = (now: number) => {
        seen.longestMs = Math.max(seen.longestMs, now - seen.frame)
        seen.frame = now
        requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
      return seen
    })
    await press(page, 'Send 10,000')
    await page.locator('#messages-count', { hasText: /of 20,\d{3}$/ }).waitFor()
    await heard(page, 'hello 10000')
    expect(await page.locator('#messages li').count()).toBeLessThanOrEqual(200)
    // A page that is frozen shows none for as long as it takes
    expect((await watch.jsonValue()).longestMs).toBeLessThan(1_500)
    await say(page, 'and one more')
    await heard(page, 'and one more')
  })

  test('a queue that overflows says so: send throws, or the oldest have to go', async () => {
    const { page } = await visit()
    await connectWith(page, { 'max-messages': '10' })
    await reached(page, 'open')
    await press(page, 'Refuse')
    await page.locator('#pill:not([data-state="open"])').waitFor()
    await page.locator('#polite').uncheck()
    await press(page, 'Send 10,000')
    await page.locator('#send-hint', { hasText: 'Stopped after 10: ' }).waitFor()
    await page.locator('#queue-advice', { hasText: 'full' }).waitFor()
    await connectWith(page, { overflow: 'drop-oldest' })
    await page.locator('#pill:not([data-state="open"])').waitFor()
    await press(page, 'Send 10,000')
    await page.locator('#stats', { hasText: '9,990 queue-full' }).waitFor()
  })

  test('the bug report is JSON, with what the socket knows', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    await press(page, 'Cut')
    await lastClose(page, '1006')
    await reached(page, 'open')
    await press(page, 'Copy bug report')
    await page.locator('#report-status', { hasText: 'below' }).waitFor()
    const report = JSON.parse(await page.locator('#report').inputValue())
    expect(report).toMatchObject({ state: { name: 'open' }, stats: { attempts: 2, opens: 2 } })
    expect(report.transitions.map(({ to }: { to: string }) => to)).toEqual([
      'connecting',
      'open',
      'waiting',
      'connecting',
      'open',
    ])
  })

  test('the handshake has its state', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    await type(page, 'slow-ms', '300')
    await press(page, 'Slow')
    await page.locator('#faults-state', { hasText: 'late' }).waitFor()
    await connectWith(page, { handshake: true })
    await reached(page, 'handshaking')
    await reached(page, 'open')
  })

  test('another server is echoed as well, and is not ours to break', async () => {
    const other = await startServer('echo')
    cleanUp(() => other.stop())
    const { page } = await visit()
    await reached(page, 'open')
    expect(await page.getByRole('button', { name: 'Cut' }).isVisible()).toBe(true)
    await connectWith(page, { url: other.url })
    await page.locator('#faults-away').waitFor()
    expect(await page.getByRole('button', { name: 'Cut' }).isVisible()).toBe(false)
    await reached(page, 'open')
    await say(page, 'elsewhere')
    await heard(page, 'elsewhere')
    expect(other.received).toContain('"elsewhere"')
  })

  test('what cannot be is refused where it was typed', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    await connectWith(page, { url: 'ftp://nowhere' })
    const message = () =>
      page.locator('#url').evaluate(input => (input as HTMLInputElement).validationMessage)
    await expect.poll(message).toContain('expected a ws:')
    await reached(page, 'open')
  })
})
