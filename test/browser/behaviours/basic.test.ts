/** That it works at all: the built file in a page, and a server that is cut off. */

import { expect } from 'vitest'
import { behaviour } from './behaviour'
import { until } from './lab'

behaviour('basic', async ({ open, network }) => {
  const { proxy, url } = await network()
  const page = await open()
  await page.run(url => {
    lab.raw('raw', url)
    lab.ours('ours', url, { backoff: { baseMs: 200, maxMs: 400 } }).send('€')
  }, url)
  const received = () => page.run(() => lab.received.ours)
  await until(async () => (await received())?.length === 1)
  await page.noted('raw', 'open')
  proxy.cut('rst')
  const { at: lostAt, detail: lost } = await page.noted('ours', 'lost')
  expect(lost).toMatchObject({ code: 1006, wasOpen: true, local: false })
  await page.run(() => void lab.socket('ours').send('kept'))
  const { at: backAt } = await page.noted('ours', 'open', lostAt)
  await until(async () => (await received())?.length === 2)
  expect(await received()).toEqual(['€', 'kept'])
  const closed = await page.run(() => lab.socket('ours').close(4001, 'bye'))
  expect(closed).toMatchObject({ code: 4001, reason: 'bye', wasClean: true, undelivered: [] })
  const { detail } = await page.noted('ours 2', 'close')
  expect(detail).toEqual({ code: 4001, reason: 'bye', wasClean: true })
  const { detail: rawLost } = await page.noted('raw', 'close')
  expect(rawLost).toMatchObject({ code: 1006, wasClean: false })
  return { raw: 'closed, 1006; nothing after it', ours: `open again after ${backAt - lostAt} ms` }
})
