/** A server that counts, to a session and to plain WebSockets, and hears a page count: whatever is lost shows. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { WebSocketServer } from 'ws'
import { SessionServer } from '../../../src/server'
import { type FaultProxy, startProxy } from '../../support/proxy'
import { type Bench, type Lab, ownAddress, until } from './lab'
import type { Note } from './page'

const TICK_MS = 50
/** How long after it is awake a page may take until it knows all that there is to know. */
const BACK_MS = 2_000

export interface Ticks {
  readonly proxy: FaultProxy
  /** The plain one's own. */
  readonly rawProxy: FaultProxy
  readonly url: string
  readonly rawUrl: string
  /** What the page said in its session. */
  readonly heard: readonly number[]
  /** How far the session has counted. */
  counted(): number
}

export async function startTicks({ cleanUp }: Lab): Promise<Ticks> {
  const heard: number[] = []
  let counted = 0
  const server = new SessionServer<number, number, unknown>({ authenticate: () => 'somebody' })
  server.on('session', async session => {
    const timer = setInterval(() => session.send(counted++), TICK_MS)
    cleanUp(() => clearInterval(timer))
    for await (const n of session) heard.push(n)
  })
  const http = createServer()
  const webSockets = new WebSocketServer({ server: http })
  webSockets.on('connection', (webSocket, request) => {
    if (request.url !== '/raw') return server.accept(webSocket, request)
    let n = 0
    const timer = setInterval(() => webSocket.send(`${n++}`), TICK_MS)
    webSocket.on('close', () => clearInterval(timer)).on('error', () => {})
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const proxy = await startProxy(port, { host: ownAddress() })
  const rawProxy = await startProxy(port, { host: ownAddress() })
  cleanUp(async () => {
    await server.close({ timeoutMs: 0 })
    for (const client of webSockets.clients) client.terminate()
    await Promise.all([proxy.close(), rawProxy.close()])
    http.closeAllConnections()
    http.close()
  })
  return { proxy, rawProxy, url: proxy.url, rawUrl: `${rawProxy.url}/raw`, heard, counted: () => counted }
}

/** Counts in the page too, in a session called `ours`, beside a WebSocket called `raw`. */
export async function count(page: Bench, { url, rawUrl }: Ticks): Promise<void> {
  await page.run(
    (url, rawUrl, tickMs) => {
      lab.raw('raw', rawUrl)
      const ours = lab.ours('ours', url, {
        session: true,
        heartbeat: { intervalMs: 1_000, timeoutMs: 500 },
        backoff: { baseMs: 100, maxMs: 200 },
      })
      ours.on('message', n => lab.note('ours', 'tick', n))
      ours.on('sessionLost', loss => lab.note('ours', 'session lost', loss))
      let n = 0
      setInterval(() => ours.send(n++), tickMs)
    },
    url,
    rawUrl,
    TICK_MS,
  )
  await counting(page)
}

const ticks = (notes: readonly Note[]) => notes.filter(({ what }) => what === 'tick')
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

/** Until both have heard five more of each other. */
async function counting(page: Bench): Promise<void> {
  const before = ticks(await page.notes()).length
  await until(async () => ticks(await page.notes()).length >= before + 5)
}

export interface Return {
  /** After how many ms it knew all that had been said until it was awake. */
  readonly caughtUpMs: number
  /** Whether it needed another connection. */
  readonly isNew: boolean
  /** Ticks that the WebSocket beside it missed, and how it ended. */
  readonly raw: string
}

/** Holds the page to what we promise of the moment at which it was awake. */
export async function expectBack(page: Bench, { counted, heard }: Ticks, awakeAt: number): Promise<Return> {
  // What was said until then
  const expected = counted() - 1
  const caughtUp = await until(async () =>
    (await page.notes()).find(note => note.what === 'tick' && (note.detail as number) >= expected),
  )
  expect(caughtUp.at - awakeAt).toBeLessThan(BACK_MS)
  await counting(page)
  const heardBefore = heard.length
  const heardByRaw = () => lab.received.raw?.length ?? 0
  const rawBefore = await page.run(heardByRaw)
  await until(() => heard.length >= heardBefore + 5)
  const notes = await page.notes()
  const received = ticks(notes).map(({ detail }) => detail)
  expect(received).toEqual(upTo(received.length))
  expect([...heard]).toEqual(upTo(heard.length))
  expect(notes.filter(({ what }) => what === 'session lost')).toEqual([])
  const close = notes.find(({ who, what }) => who === 'raw' && what === 'close')
  return {
    caughtUpMs: caughtUp.at - awakeAt,
    isNew: notes.some(({ who, what, at }) => who === 'ours' && what === 'open' && at > awakeAt),
    raw: close
      ? `closed, ${(close.detail as CloseEvent).code}, and what was said meanwhile is lost`
      : `still \`OPEN\`, and ${(await page.run(heardByRaw)) > rawBefore ? 'gets what was said meanwhile' : 'hears nothing any more'}`,
  }
}
