/**
 * WebSockets that break on command: all of them at once, as those of a real server would. Who connects without asking
 * for a fault gets an ordinary connection. What is said over them is not decided here.
 */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ServerWebSocket } from '../src/server'

export interface Lines {
  /** @param accept is given the line when it is open */
  welcome(request: IncomingMessage, socket: Duplex, head: Buffer, accept: (line: Line) => void): void
  /** Destroys the TCP connections: no close frame, no goodbye. */
  cut(): void
  /** Half-open: TCP stays, and nothing flows on the present connections, ever again. New ones are well. */
  stall(): void
  /** Lets nobody in for so long. Those who are in stay. */
  refuse(ms: number): void
  /** All that is sent is late by so much, from now on. */
  slow(ms: number): void
  /** Closes all connections by the closing handshake. */
  goodbye(code: number, reason: string): void
  /** No longer slow, no longer refusing. */
  heal(): void
  readonly condition: Condition
  close(): Promise<void>
}

export interface Condition {
  readonly clients: number
  readonly delayMs: number
  /** How much longer nobody is let in. */
  readonly refusingMs: number
}

/** A WebSocket, as far as one gets through to it. */
export type Line = Required<Omit<ServerWebSocket, 'on'>>

/** How long a client may take to answer the goodbye: a frozen tab never does. */
const GOODBYE_MS = 500
/** Nothing is heard from a stalled connection, not even its end, so this is its end. */
const STALLED_MS = 120_000

interface Client {
  readonly socket: WebSocket
  readonly late: Late[]
  timer?: NodeJS.Timeout | undefined
  isStalled: boolean
}

interface Late {
  readonly data: string | Uint8Array
  readonly due: number
}

export function createLines(): Lines {
  const server = new WebSocketServer({ noServer: true })
  const clients = new Set<Client>()
  let delayMs = 0
  let refusingUntil = 0

  /** In order, though the delay may have become shorter since. */
  const sendDue = (client: Client): void => {
    clearTimeout(client.timer)
    client.timer = undefined
    let next = client.late[0]
    while (next && next.due <= performance.now()) {
      client.late.shift()
      client.socket.send(next.data)
      next = client.late[0]
    }
    if (next) client.timer = setTimeout(sendDue, next.due - performance.now(), client)
  }

  const send = (client: Client, data: string | Uint8Array): void => {
    if (client.isStalled) return
    if (delayMs === 0 && client.late.length === 0) return client.socket.send(data)
    const after = client.late.at(-1)?.due ?? 0
    client.late.push({ data, due: Math.max(after, performance.now() + delayMs) })
    if (client.timer === undefined) sendDue(client)
  }

  const forget = (client: Client): void => {
    clearTimeout(client.timer)
    client.late.length = 0
    clients.delete(client)
  }

  const lineOf = (client: Client): Line => {
    const { socket } = client
    return {
      get readyState() {
        return socket.readyState
      },
      get bufferedAmount() {
        return socket.bufferedAmount
      },
      get binaryType() {
        return socket.binaryType
      },
      set binaryType(type) {
        socket.binaryType = type as typeof socket.binaryType
      },
      send: data => send(client, data),
      close(code, reason) {
        if (!client.isStalled) socket.close(code, reason)
      },
      terminate() {
        if (!client.isStalled) socket.terminate()
      },
      addEventListener: (type, listener) => socket.addEventListener(type as 'message', listener),
    }
  }

  return {
    welcome(request, socket, head, accept) {
      if (performance.now() < refusingUntil) return void socket.destroy()
      server.handleUpgrade(request, socket, head, socket => {
        const client: Client = { socket, late: [], isStalled: false }
        clients.add(client)
        socket.on('close', () => forget(client))
        // After a protocol error ws closes the connection by itself; without a listener it would end the process
        socket.on('error', () => {})
        accept(lineOf(client))
      })
    },
    cut() {
      for (const { socket } of clients) socket.terminate()
    },
    stall() {
      for (const client of clients) {
        forget(client)
        client.isStalled = true
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
