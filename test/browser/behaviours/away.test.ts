/** The page is put away, frozen, or asleep with its machine: nothing of it runs, and the server goes on. */

import { expect } from 'vitest'
import { behaviour, type Measured } from './behaviour'
import { type Lab, noted, pause, until } from './lab'
import type { Note } from './page'
import { count, expectBack, type Return, startTicks } from './ticks'

const AWAY_MS = 4_000

const tell = ({ caughtUpMs, isNew, raw }: Return, rawBefore = ''): Measured => ({
  raw: `${rawBefore}${raw}`,
  ours: `all of it after ${caughtUpMs} ms, by ${isNew ? 'another connection' : 'the same connection'}`,
})

async function freeze(lab: Lab, features: string): Promise<Measured> {
  const ticks = await startTicks(lab)
  const page = await lab.open(await lab.engine({ args: [features] }))
  await count(page, ticks)
  await page.hide()
  await page.tools('Page.setWebLifecycleState', { state: 'frozen' })
  await until(() => ticks.proxy.connections === 0)
  await pause(AWAY_MS)
  const awakeAt = Date.now()
  await page.tools('Page.setWebLifecycleState', { state: 'active' })
  await page.show()
  return tell(await expectBack(page, ticks, awakeAt))
}

behaviour('freeze', lab => freeze(lab, '--enable-features=DisconnectWebSocketOnBFCache'))
behaviour('freeze-open', lab => freeze(lab, '--disable-features=DisconnectWebSocketOnBFCache'))

behaviour('cache', async lab => {
  const ticks = await startTicks(lab)
  const { proxy, rawProxy } = ticks
  const page = await lab.open()
  await count(page, ticks)
  const id = await page.run(() => globalThis.lab.id)
  await page.run(() => void setTimeout(() => location.assign('away')))
  await until(() => page.run(() => document.title === 'away').catch(() => false))
  await until(() => proxy.connections === 0)
  const { accepted } = proxy
  await pause(AWAY_MS)
  expect(proxy).toMatchObject({ accepted, connections: 0 })
  const rawBefore = `${rawProxy.connections ? 'kept open' : 'closed'} while away; `
  const awakeAt = Date.now()
  await page.run(() => void setTimeout(() => history.back()))
  await until(() => page.run(() => document.title === 'lab' && !!globalThis.lab).catch(() => false))
  if ((await page.run(() => globalThis.lab.id)) === id)
    return tell(await expectBack(page, ticks, awakeAt), rawBefore)
  // It was not cached: there is nobody to come back
  await count(page, ticks)
  return { raw: `${rawBefore}the page is loaded anew`, ours: 'closed while away; the page is loaded anew' }
})

behaviour('leaving', async ({ open, network }) => {
  const { server, url } = await network()
  const other = await network()
  const hanging = await network()
  hanging.proxy.hang()
  const page = await open()
  const home = await page.run(() => location.href)
  const leads: number[] = []
  for (let visit = 1; visit <= 10; visit++) {
    await page.run(
      (url, otherUrl, hangingUrl) => {
        const options = { backoff: { baseMs: 1, maxMs: 1 } }
        lab.ours('ours', url, options)
        lab.ours('early', hangingUrl, options)
        addEventListener('pagehide', () => {
          lab.note('page', 'pagehide')
          sessionStorage.setItem('notes', JSON.stringify(lab.notes))
        })
        const connect = () => {
          lab.raw('raw', otherUrl).onclose = connect
        }
        connect()
      },
      url,
      other.url,
      hanging.url,
    )
    for (const who of ['ours', 'raw']) await page.noted(who, 'open')
    await page.run(() => void setTimeout(() => location.assign('away')))
    await until(() => page.run(() => document.title === 'away').catch(() => false))
    await until(() => server.clients === 0)
    const notes = await page.run(() => JSON.parse(sessionStorage.getItem('notes') ?? '[]') as Note[])
    const { at: hiddenAt = 0 } = noted(notes, 'page', 'pagehide') ?? {}
    for (const who of ['ours', 'early']) {
      const { at: lostAt = hiddenAt, detail } = noted(notes, who, 'lost') ?? {}
      leads.push(hiddenAt - lostAt)
      // Unless leaving takes so long that it may be staying
      const again = notes.find(note => note.who === who && note.what === 'connecting' && note.at > lostAt)
      expect((again?.at ?? Infinity) - lostAt, JSON.stringify(detail)).toBeGreaterThan(490)
    }
    // One that connects at once may still be about to
    other.proxy.cut('rst')
    await until(() => other.server.clients === 0)
    await page.goto(`${home}?${visit}`)
  }
  const lead = Math.max(...leads)
  return {
    raw: `${other.proxy.accepted - 10} connections from dying pages, if \`close\` is answered with another`,
    ours: `none; closed by ${lead > 1 ? `the browser, up to ${lead} ms before \`pagehide\`` : 'us, in `pagehide`'}`,
  }
})

async function sleep(lab: Lab, dies: boolean): Promise<Measured> {
  const ticks = await startTicks(lab)
  const { proxy, rawProxy } = ticks
  const engine = await lab.engine()
  const page = await lab.open()
  await count(page, ticks)
  engine.signal('SIGSTOP')
  try {
    if (dies) for (const { zombie } of [proxy, rawProxy]) zombie()
    await pause(AWAY_MS)
  } finally {
    engine.signal('SIGCONT')
  }
  const awakeAt = Date.now()
  return tell(await expectBack(page, ticks, awakeAt))
}

behaviour('sleep', lab => sleep(lab, false))
behaviour('sleep-dead', lab => sleep(lab, true))
