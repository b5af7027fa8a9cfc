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

/** Each is told of a client, and answers what to do with a message of it. */
const PATHS: Readonly<Record<string, (client: WebSocket) => (text: string, binary: boolean) => void>> = {
  '/echo': client => (text, binary) => client.send(binary ? Buffer.from(text, 'latin1') : text, { binary }),

  '/feed'(client) {
    const feed = setInterval(say, FEED_MS, client, { price: 1 })
    client.on('close', () => clearInterval(feed))
    return () => {}
  },

  '/exchange'(client) {
    return () => {
      say(client, { type: 'snapshot', seq: 5, price: 100 })
      say(client, { type: 'delta', seq: 6, price: 101 })
    }
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
    visits.push(url)
    const said = PATHS[url.split('?')[0] ?? '']?.(client)
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
