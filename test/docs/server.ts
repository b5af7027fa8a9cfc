/** The server that the README's examples talk to: what it does depends on the path. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

export interface ExampleServer {
  readonly port: number
  /** The URLs that were asked for, without the host. */
  readonly visits: readonly string[]
  stop(): Promise<void>
}

const FEED_MS = 20

const say = (client: WebSocket, message: unknown) => client.send(JSON.stringify(message))

type Path = (
  client: WebSocket,
  query: URLSearchParams,
  visit: number,
) => (text: string, binary: boolean) => void

/** Each is told of a client, and of how many were at the path before. It answers what to do with a message of it. */
const PATHS: Readonly<Record<string, Path>> = {
  '/echo': client => (text, binary) => client.send(binary ? Buffer.from(text, 'latin1') : text, { binary }),

  '/feed'(client) {
    const feed = setInterval(say, FEED_MS, client, { price: 1 })
    client.on('close', () => clearInterval(feed))
    return () => {}
  },

  /** The first time something is missing. */
  '/exchange'(client, _, visit) {
    const seq = visit ? 9 : 5
    const price = visit ? 110 : 100
    return () => {
      say(client, { type: 'snapshot', seq, price })
      say(client, { type: 'delta', seq: seq + 1, price: price + 1 })
      if (!visit) say(client, { type: 'delta', seq: seq + 3, price: price + 3 })
    }
  },

  /** A session that can be resumed. It loses its first connection. */
  '/gateway'(client, _, visit) {
    say(client, { op: 10, d: { heartbeat_interval: 45_000 } })
    return text => {
      const { op, d } = JSON.parse(text) as { op: number; d: { seq: number } }
      if (op === 2) {
        say(client, { op: 0, s: 1, t: 'READY', d: { session_id: 'abc' } })
        say(client, { op: 0, s: 2, t: 'MESSAGE_CREATE', d: { content: 'one' } })
        if (!visit) client.close(4000)
      }
      if (op === 6) {
        say(client, { op: 0, s: d.seq + 1, t: 'MESSAGE_CREATE', d: { content: 'two' } })
        say(client, { op: 0, s: d.seq + 2, t: 'RESUMED', d: {} })
      }
    }
  },

  /** Two streams, not quite in order. It loses its first connection, and goes on from the numbers in the query. */
  '/ticks'(client, query, visit) {
    const tick = (symbol: string, n: number) => say(client, { symbol, n, at: 1_000 * n })
    const since = (symbol: string) => Number(query.get(symbol) ?? 0)
    for (const n of [1, 3, 2]) tick('ABC', since('ABC') + n)
    tick('XYZ', since('XYZ') + 1)
    if (!visit) client.close(1012, 'retry=100')
    return () => {}
  },

  '/chat'(client) {
    say(client, { type: 'connected' })
    return text => {
      const message = JSON.parse(text) as { type: string }
      say(client, message.type === 'ping' ? { type: 'pong' } : message)
    }
  },

  '/login'(client) {
    let welcome = false
    return text => {
      const { type, token, topic } = JSON.parse(text) as { type: string; token?: string; topic?: string }
      if (type === 'login') welcome = token === 'secret'
      if (type === 'login') say(client, { type: welcome ? 'welcome' : 'denied' })
      if (type === 'subscribe' && welcome) say(client, { type: 'news', topic })
    }
  },
}

export async function startExampleServer(): Promise<ExampleServer> {
  const visits: string[] = []
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (client, { url = '' }) => {
    const [path = '', query] = url.split('?')
    const before = visits.filter(each => each.split('?')[0] === path).length
    visits.push(url)
    const said = PATHS[path]?.(client, new URLSearchParams(query), before)
    if (!said) return client.close(1008, `no example at ${url}`)
    client.on('message', (data: Buffer, binary) => said(data.toString(binary ? 'latin1' : 'utf8'), binary))
  })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    visits,
    async stop() {
      for (const client of server.clients) client.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}
