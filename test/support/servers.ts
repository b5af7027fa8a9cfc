/**
 * WebSocket servers as people write them, and some that misbehave. In this process with `startServer`, where a test
 * sees what arrived; or in one of their own with `startServerProcess`, which can be killed as a crash would.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'

export type ServerKind =
  /** Answers each message with itself. */
  | 'echo'
  /** The same as most tutorials have it, where text comes back as a binary message. */
  | 'echo-binary'
  /** The same with a word of welcome, before anything was said. */
  | 'echo-greeting'
  /** Answers `Server says: …`. */
  | 'prefix'
  /** Answers `echo: …`. */
  | 'echo-colon'
  /** Sends each message to all clients, its sender included. */
  | 'broadcast'
  /** Speaks JSON: `connected` at first, `pong` for `ping`, and `say` goes to all. */
  | 'chat'
  /** Reads and says nothing. */
  | 'sink'
  /** Completes the upgrade and then never reads: no answer, not even to a close frame. */
  | 'mute'

export interface TestServer {
  readonly port: number
  readonly url: string
  /** What came, as text, from all clients in the order of arrival. */
  readonly received: readonly string[]
  /** How clients left, as it arrived here. */
  readonly closes: readonly { readonly code: number; readonly reason: string }[]
  /** How many are connected now. */
  readonly clients: number
  /** To all clients. */
  send(data: string | Uint8Array): void
  /** Starts the closing handshake with all clients. */
  closeAll(code?: number, reason?: string): void
  /** Cuts all clients off and frees the port. */
  stop(): Promise<void>
}

export interface ServerOptions {
  /** The one to listen on, instead of any that is free. */
  readonly port?: number
  /** Which of the subprotocols offered to select; `false` is none. By default the first. */
  readonly selectProtocol?: (offered: Set<string>) => string | false
}

export interface TestServerProcess {
  readonly port: number
  readonly url: string
  /** SIGKILL: no close frame, no goodbye. Fulfilled once it is gone. */
  kill(): Promise<void>
}

interface Visit {
  readonly client: WebSocket
  readonly everyone: Iterable<WebSocket>
}

interface Behaviour {
  joined?(visit: Visit): void
  said?(visit: Visit, text: string, raw: RawData, isBinary: boolean): void
}

function sendAll(clients: Iterable<WebSocket>, data: string | Uint8Array | RawData, binary?: boolean): void {
  for (const client of clients) client.send(data, binary === undefined ? {} : { binary })
}

function chat({ client, everyone }: Visit, text: string): void {
  const { type, text: words } = JSON.parse(text) as { type: string; text?: string }
  if (type === 'ping') client.send(JSON.stringify({ type: 'pong' }))
  if (type === 'say') sendAll(everyone, JSON.stringify({ type, text: words }))
}

const BEHAVIOURS: Record<ServerKind, Behaviour> = {
  echo: { said: ({ client }, _text, raw, binary) => client.send(raw, { binary }) },
  'echo-binary': { said: ({ client }, _text, raw) => client.send(raw) },
  'echo-greeting': {
    joined: ({ client }) => client.send('Welcome! Whatever you say comes back.'),
    said: ({ client }, _text, raw, binary) => client.send(raw, { binary }),
  },
  prefix: { said: ({ client }, text) => client.send(`Server says: ${text}`) },
  'echo-colon': { said: ({ client }, text) => client.send(`echo: ${text}`) },
  broadcast: { said: ({ everyone }, _text, raw, binary) => sendAll(everyone, raw, binary) },
  chat: { joined: ({ client }) => client.send(JSON.stringify({ type: 'connected' })), said: chat },
  sink: {},
  mute: { joined: ({ client }) => client.pause() },
}

export async function startServer(kind: ServerKind, options: ServerOptions = {}): Promise<TestServer> {
  const { port: wanted = 0, selectProtocol } = options
  const behaviour = BEHAVIOURS[kind]
  const received: string[] = []
  const closes: { code: number; reason: string }[] = []
  const sockets = new Set<Socket>()
  const http = createServer()
  // Also those that never got as far as the upgrade: each of them would keep the port busy
  http.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const server = new WebSocketServer({
    server: http,
    ...(selectProtocol && { handleProtocols: selectProtocol }),
  })
  server.on('connection', client => {
    const visit = { client, everyone: server.clients }
    // A client that is cut off is what these tests are about
    client.on('error', () => {})
    client.on('close', (code, reason) => closes.push({ code, reason: `${reason}` }))
    client.on('message', (raw, isBinary) => {
      const text = raw.toString()
      received.push(text)
      behaviour.said?.(visit, text, raw, isBinary)
    })
    behaviour.joined?.(visit)
  })
  http.listen(wanted, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo

  return {
    port,
    url: `ws://127.0.0.1:${port}`,
    received,
    closes,
    get clients() {
      return server.clients.size
    },
    send: data => sendAll(server.clients, data),
    closeAll(code, reason) {
      for (const client of server.clients) client.close(code, reason)
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await new Promise(resolve => http.close(resolve))
    },
  }
}

/** Fulfilled with the port it tells, rejected when it ends before that. */
function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', port => resolve(Number(port)))
    child.once('exit', code => reject(new Error(`The server process ended with ${code}`)))
  })
}

export async function startServerProcess(kind: ServerKind, wanted = 0): Promise<TestServerProcess> {
  const script = fileURLToPath(new URL('./echo-process.mjs', import.meta.url))
  const child = fork(script, [kind, String(wanted)], { execArgv: [] })
  const exited = once(child, 'exit')
  const port = await listening(child)
  return {
    port,
    url: `ws://127.0.0.1:${port}`,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
