/**
 * A WebSocket that echoes, and that breaks on command: for all of its clients at once, as a real server would.
 * Who connects without asking for a fault gets an ordinary echo.
 */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'

export interface Echo {
  welcome(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Destroys the TCP connections: no close frame, no goodbye. */
  cut(): void
  /** Half-open: TCP stays, and nothing flows on the present connections, ever again. New ones are well. */
  stall(): void
  /** Lets nobody in for so long. Those who are in stay. */
  refuse(ms: number): void
  /** Each echo is late by so much, from now on. */
  slow(ms: number): void
  /** Closes all connections by the closing handshake. */
  goodbye(code: number, reason: string): void
  /** No longer slow, no longer refusing. */
  heal(): void
  readonly condition: EchoCondition
  close(): Promise<void>
}

export interface EchoCondition {
  readonly clients: number
  readonly delayMs: number
  /** How much longer nobody is let in. */
  readonly refusingMs: number
}

/** How long a client may take to answer the goodbye: a frozen tab never does. */
const GOODBYE_MS = 500
/** Nothing is heard from a stalled connection, not even its end, so this is its end. */
const STALLED_MS = 120_000

interface Client {
  readonly socket: WebSocket
  readonly late: Late[]
  timer?: NodeJS.Timeout | undefined
}

interface Late {
  readonly data: RawData
  readonly binary: boolean
  readonly due: number
}

export function createEcho(): Echo {
  const server = new WebSocketServer({ noServer: true })
  const clients = new Set<Client>()
  let delayMs = 0
  let refusingUntil = 0

  const answer = ({ socket }: Client, { data, binary }: Late) => socket.send(data, { binary })

  /** In order, though the delay may have become shorter since. */
  const answerDue = (client: Client): void => {
    clearTimeout(client.timer)
    client.timer = undefined
    let next = client.late[0]
    while (next && next.due <= performance.now()) {
      client.late.shift()
      answer(client, next)
      next = client.late[0]
    }
    if (next) client.timer = setTimeout(answerDue, next.due - performance.now(), client)
  }

  const forget = (client: Client): void => {
    clearTimeout(client.timer)
    client.late.length = 0
  }

  server.on('connection', socket => {
    const client: Client = { socket, late: [] }
    clients.add(client)
    socket.on('message', (data, binary) => {
      if (delayMs === 0 && client.late.length === 0) return answer(client, { data, binary, due: 0 })
      const after = client.late.at(-1)?.due ?? 0
      client.late.push({ data, binary, due: Math.max(after, performance.now() + delayMs) })
      if (client.timer === undefined) answerDue(client)
    })
    socket.on('close', () => {
      forget(client)
      clients.delete(client)
    })
    // After a protocol error ws closes the connection by itself; without a listener it would end the process
    socket.on('error', () => {})
  })

  return {
    welcome(request, socket, head) {
      if (performance.now() < refusingUntil) return void socket.destroy()
      server.handleUpgrade(request, socket, head, client => server.emit('connection', client, request))
    },
    cut() {
      for (const { socket } of clients) socket.terminate()
    },
    stall() {
      for (const client of clients) {
        forget(client)
        clients.delete(client)
        // What has been read already must not be answered either
        client.socket.removeAllListeners('message')
        client.socket.pause()
        setTimeout(() => client.socket.terminate(), STALLED_MS).unref()
      }
    },
    refuse(ms) {
      refusingUntil = performance.now() + ms
    },
    slow(ms) {
      delayMs = ms
    },
    goodbye(code, reason) {
      for (const { socket } of clients) socket.close(code, reason)
    },
    heal() {
      delayMs = 0
      refusingUntil = 0
    },
    get condition() {
      const refusingMs = Math.max(0, Math.ceil(refusingUntil - performance.now()))
      return { clients: clients.size, delayMs, refusingMs }
    },
    async close() {
      const gone = [...server.clients].map(socket => new Promise(resolve => socket.once('close', resolve)))
      for (const socket of server.clients) socket.close(1001, 'server stopped')
      const impatience = setTimeout(() => {
        for (const socket of server.clients) socket.terminate()
      }, GOODBYE_MS)
      await Promise.all(gone)
      clearTimeout(impatience)
    },
  }
}
