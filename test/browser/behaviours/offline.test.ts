/** What the browser believes of the network, and what nobody tells it. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { behaviour, seconds, WATCH_MS } from './behaviour'
import { noted, pause, servePages, until } from './lab'

const exec = promisify(execFile)

/** Shorter than 30 s, after which it is tried all the same. */
const OFFLINE_MS = 2_000
const WAITING = ['a', 'b', 'c', 'd', 'e']

behaviour('offline-waiting', async ({ open, network }) => {
  const { proxy, url } = await network()
  proxy.refuse()
  const page = await open()
  await page.run(
    (url, names) => {
      for (const type of ['offline', 'online']) addEventListener(type, () => lab.note('page', type))
      for (const name of names) lab.ours(name, url, { backoff: { baseMs: 100, maxMs: 200 } })
      const connect = () => {
        lab.note('raw', 'connecting')
        lab.raw('raw', url).onclose = () => setTimeout(connect, 200)
      }
      connect()
    },
    url,
    WAITING,
  )
  for (const name of WAITING) await page.noted(name, 'lost')
  await page.setOffline(true)
  const { at: offlineAt } = await page.noted('page', 'offline')
  await pause(OFFLINE_MS)
  const attempts = (await page.notes()).filter(
    // One may have been under way
    ({ what, at }) => what === 'connecting' && at > offlineAt + 500,
  )
  expect(attempts.filter(({ who }) => who !== 'raw')).toEqual([])

  await proxy.accept()
  await page.setOffline(false)
  const { at: onlineAt } = await page.noted('page', 'online')
  const waits: number[] = []
  for (const name of WAITING) {
    waits.push((await page.noted(name, 'connecting', onlineAt)).at - onlineAt)
    await page.noted(name, 'open', onlineAt)
  }
  expect(Math.max(...waits)).toBeLessThan(1_000 + 500)
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(20)
  return {
    raw: `${attempts.length} attempts in ${seconds(OFFLINE_MS)} offline, if each is followed by another after 0.2 s`,
    ours: `none while offline; five sockets came back ${waits.sort((a, b) => a - b).join(', ')} ms after \`online\``,
  }
})

behaviour('offline-open', async ({ open, network }) => {
  const TIMEOUT_MS = 1_000
  const lives = await network()
  const dies = await network()
  const page = await open()
  await page.run(
    (lives, dies, timeoutMs) => {
      addEventListener('online', () => lab.note('page', 'online'))
      addEventListener('offline', () => lab.note('page', 'offline'))
      const options = {
        heartbeat: { message: 'ping', intervalMs: 60_000, timeoutMs },
        backoff: { baseMs: 100, maxMs: 200 },
      }
      lab.ours('lives', lives, options)
      lab.ours('dies', dies, options)
      lab.raw('raw', dies)
    },
    lives.url,
    dies.url,
    TIMEOUT_MS,
  )
  for (const name of ['lives', 'dies', 'raw']) await page.noted(name, 'open')
  await page.setOffline(true)
  const { at: offlineAt } = await page.noted('page', 'offline')
  dies.proxy.zombie()
  await pause(500)
  await page.setOffline(false)
  const { at: onlineAt } = await page.noted('page', 'online')
  const asked = await page.noted('lives', 'ping', offlineAt)
  expect(asked.at - onlineAt).toBeLessThan(300)
  await page.noted('lives', 'pong')
  const lost = await page.noted('dies', 'lost')
  expect(lost.detail).toMatchObject({ reason: 'heartbeat timeout' })
  expect(lost.at - onlineAt).toBeGreaterThanOrEqual(TIMEOUT_MS)
  expect(lost.at - onlineAt).toBeLessThan(TIMEOUT_MS + 1_000)
  await page.noted('dies', 'open', lost.at)
  await pause(onlineAt + WATCH_MS - Date.now())
  const notes = await page.notes()
  expect(noted(notes, 'lives', 'lost')).toBeUndefined()
  const closed = noted(notes, 'raw', 'close')
  return {
    raw: closed
      ? `the dead one closed after ${seconds(closed.at - onlineAt)}`
      : `the dead one still \`OPEN\` after ${seconds(WATCH_MS)}`,
    ours: `asked ${asked.at - onlineAt} ms after \`online\`; the dead one found after ${seconds(lost.at - onlineAt)}`,
  }
})

/** A network of its own, which needs root. */
async function createNetns(cleanUp: (cleanup: () => unknown) => void) {
  const name = `rs${process.pid}`
  const base = `10.213.${process.pid % 250}`
  const ip = (...args: string[]) => exec('ip', args)
  const inside = (...args: string[]) => ip('-n', name, ...args)
  await ip('netns', 'add', name)
  cleanUp(() => ip('netns', 'del', name))
  await ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name)
  await ip('addr', 'add', `${base}.1/24`, 'dev', `${name}a`)
  await ip('link', 'set', `${name}a`, 'up')
  await inside('link', 'set', 'lo', 'up')
  await inside('link', 'set', `${name}b`, 'up')
  await inside('addr', 'add', `${base}.2/24`, 'dev', `${name}b`)
  return {
    host: `${base}.1`,
    within: ['ip', 'netns', 'exec', name],
    async changeAddress() {
      await inside('addr', 'del', `${base}.2/24`, 'dev', `${name}b`)
      await inside('addr', 'add', `${base}.3/24`, 'dev', `${name}b`)
    },
  }
}

behaviour('address', async ({ cleanUp, engine, network, open, skip }) => {
  const [INTERVAL_MS, TIMEOUT_MS] = [600, 1_000]
  const netns = await createNetns(cleanUp).catch(error => skip(`no network namespace here: ${error}`))
  const { url: home, close } = await servePages(netns.host)
  cleanUp(close)
  const { url } = await network('echo', netns.host)
  const page = await open(await engine({ within: netns.within }), home)
  await page.run(
    (url, intervalMs, timeoutMs) => {
      for (const type of ['online', 'offline']) addEventListener(type, () => lab.note('page', type))
      lab.raw('raw', url)
      lab.ours('ours', url, {
        heartbeat: { message: 'ping', intervalMs, timeoutMs },
        backoff: { baseMs: 100, maxMs: 200 },
      })
    },
    url,
    INTERVAL_MS,
    TIMEOUT_MS,
  )
  for (const name of ['raw', 'ours']) await page.noted(name, 'open')
  const changedAt = Date.now()
  await netns.changeAddress()
  const lost = await page.noted('ours', 'lost', changedAt)
  expect(lost.detail).toMatchObject({ reason: 'heartbeat timeout' })
  const { at: againAt } = await page.noted('ours', 'connecting', lost.at)
  expect(againAt - changedAt).toBeLessThan(INTERVAL_MS + TIMEOUT_MS + 1_000)
  const { at: openAt } = await page.noted('ours', 'open', againAt)
  await until(() => page.run(() => lab.socket('ours').roundTripMs !== undefined))
  await pause(changedAt + WATCH_MS - Date.now())
  const notes = await page.notes()
  const events = notes.filter(({ who }) => who === 'page').map(({ what }) => `\`${what}\``)
  return {
    raw: `${events.join(', ') || 'no event'}; ${noted(notes, 'raw', 'close') ? 'closed' : `still \`OPEN\` after ${seconds(WATCH_MS)}`}`,
    ours: `found after ${seconds(lost.at - changedAt)}, open again after ${seconds(openAt - changedAt)}`,
  }
})
