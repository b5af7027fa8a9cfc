/**
 * Servers, and networks that break, for programs that run elsewhere and ask for them by HTTP: `POST /scope/method` with
 * the arguments as JSON. Each scope has its own, so that programs can run at the same time.
 */

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Sessions, type SessionsWish, startSessionServer } from '../browser/sessions'
import { type FaultProxy, startProxy } from '../support/proxy'
import { type ServerKind, startServer, type TestServer } from '../support/servers'

export interface Rig {
  /** To be followed by the name of a scope. */
  readonly url: string
  close(): Promise<void>
}

type Fault = 'zombie' | 'hang' | 'accept' | 'refuse' | 'rst' | 'fin' | 'stall' | 'resume'

const root = fileURLToPath(new URL('../..', import.meta.url))
const POLL_MS = 5
/** RFC 6455 §1.3. */
const ACCEPT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const portOf = (url: string) => Number(new URL(url).port)
const addressOf = (server: Server) => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`

/** Where networks may be, if not all at the same address. */
let hosts = 1

/** @param ownHosts whether each network is on a loopback address of its own: browsers connect to one at a time */
function createScope(ownHosts: boolean) {
  const servers = new Map<number, TestServer>()
  const networks = new Map<number, FaultProxy>()
  const sessions = new Map<number, Sessions>()
  const plain = new Set<Server>()

  const found = <T>(map: Map<number, T>, url: string): T => {
    const it = map.get(portOf(url))
    if (!it) throw new Error(`nothing was started at ${url}`)
    return it
  }
  /** For a program on the other side there is no event. A scope that is reset has nobody waiting any more. */
  let age = 0
  const until = async (isSo: () => boolean) => {
    const born = age
    while (!isSo() && born === age) await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }

  const listen = async (server: Server) => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    plain.add(server)
    return addressOf(server)
  }

  return {
    async serve(kind: ServerKind, { port = 0, selectsNone = false } = {}) {
      const server = await startServer(kind, { port, ...(selectsNone && { selectProtocol: () => false }) })
      servers.set(server.port, server)
      return `${server.url}/`
    },
    /** Cuts all off and frees the port: what a process that is killed looks like from outside. */
    stop: (url: string) => found(servers, url).stop(),
    /** Answers all requests with this status. */
    async serveHttp(status: number) {
      const refuse = (_: IncomingMessage, response: ServerResponse) =>
        response.writeHead(status, { 'access-control-allow-origin': '*' }).end()
      const server = createServer(refuse)
      server.on('upgrade', (_, socket) => {
        socket.on('error', () => {})
        socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
      })
      return listen(server)
    },
    /** Opens, and once something came ends in this way, or sends these bytes, which are no frame. */
    serveBroken(end: 'reset' | 'end' | number[]) {
      const server = createServer()
      server.on('upgrade', ({ headers }, socket: Socket) => {
        socket.on('error', () => {})
        const accept = createHash('sha1')
          .update(headers['sec-websocket-key'] + ACCEPT)
          .digest('base64')
        const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
        socket.once('data', () => {
          if (end === 'reset') socket.resetAndDestroy()
          else if (end === 'end') socket.end()
          else socket.write(Uint8Array.from(end))
        })
      })
      return listen(server)
    },
    closeAll: (url: string, code?: number | null, reason?: string | null) =>
      found(servers, url).closeAll(code ?? undefined, reason ?? undefined),
    /** What came, once it is so many; of each no more than the beginning. */
    async received(url: string, count: number, length = Infinity) {
      const { received } = found(servers, url)
      await until(() => received.length >= count)
      return received.map(text => text.slice(0, length))
    },
    /** How clients left, once it is so many. */
    async closes(url: string, count: number) {
      const { closes } = found(servers, url)
      await until(() => closes.length >= count)
      return closes
    },
    /** Puts a network before a server. */
    async network(url: string) {
      const host = ownHosts ? `127.0.0.${++hosts}` : '127.0.0.1'
      const network = await startProxy(portOf(url), { host })
      networks.set(network.port, network)
      return `${network.url}/`
    },
    async fault(url: string, how: Fault) {
      const network = found(networks, url)
      if (how === 'rst' || how === 'fin') network.cut(how)
      else if (how === 'stall') network.stall('both')
      else await network[how]()
    },
    /** Fulfilled once there are so many connections. */
    connected: (url: string, count: number) => until(() => found(networks, url).connections >= count),
    async sessions(wish: SessionsWish) {
      const server = await startSessionServer(wish)
      sessions.set(server.port, server)
      return `ws://127.0.0.1:${server.port}/`
    },
    report: (url: string) => found(sessions, url).report(),
    async reset() {
      age++
      const all = [...sessions.values(), ...networks.values()].map(each => each.close())
      await Promise.all([...all, ...[...servers.values()].map(server => server.stop())])
      for (const server of plain) {
        server.closeAllConnections()
        server.close()
      }
      for (const each of [servers, networks, sessions, plain]) each.clear()
    },
  }
}

const TYPES: Readonly<Record<string, string>> = { '.mjs': 'text/javascript', '.js': 'text/javascript' }

/** Also serves the program, and the package as it was built, to browsers. */
export async function startRig(): Promise<Rig> {
  const scopes = new Map<string, ReturnType<typeof createScope>>()

  const call = async (request: IncomingMessage): Promise<unknown> => {
    const [, name = '', method = ''] = (request.url ?? '').split('/')
    const scope = scopes.get(name) ?? createScope(name.startsWith('browser'))
    scopes.set(name, scope)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const perform = scope[method as keyof typeof scope] as ((...args: unknown[]) => unknown) | undefined
    if (!perform) throw new Error(`there is no ${method}`)
    return perform(...(JSON.parse(`${Buffer.concat(chunks)}`) as unknown[]))
  }

  const server = createServer(async (request, response) => {
    // A connection that is kept would keep its process from ending
    response.setHeader('connection', 'close')
    if (request.method === 'POST') {
      const told = await call(request).then(
        (result = null) => ({ result }),
        (error: Error) => ({ error: error.message }),
      )
      response.end(JSON.stringify(told))
      return
    }
    const path = new URL(request.url ?? '/', 'http://rig').pathname
    const isOurs = /^\/(dist|test\/runtimes)\/[\w./-]+$/.test(path) && !path.includes('..')
    const content = isOurs ? await readFile(join(root, path)).catch(() => undefined) : undefined
    response.setHeader('content-type', TYPES[extname(path)] ?? 'text/html')
    response.end(content ?? '<!doctype html><title>Rig</title>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      await Promise.all([...scopes.values()].map(scope => scope.reset()))
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
