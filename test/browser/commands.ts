/** What a page cannot do itself: servers that are started and killed, networks that break. Run in Node for the tests. */

import type { BrowserCommand, BrowserCommandContext } from 'vitest/node'
import { type FaultProxy, startProxy } from '../support/proxy'
import { type ServerKind, startServerProcess, type TestServerProcess } from '../support/servers'
import { type Sessions, type SessionsReport, type SessionsWish, startSessionServer } from './sessions'

interface Rig {
  readonly servers: Map<number, TestServerProcess>
  readonly proxies: Map<number, FaultProxy>
  readonly sessions: Map<number, Sessions>
}

/** The browsers run at the same time, and each stops only its own. */
const rigs = new Map<string, Rig>()

function rigOf({ project }: BrowserCommandContext): Rig {
  const rig = rigs.get(project.name) ?? { servers: new Map(), proxies: new Map(), sessions: new Map() }
  rigs.set(project.name, rig)
  return rig
}

const found = <T>(map: Map<number, T>, port: number): T => {
  const it = map.get(port)
  if (!it) throw new Error(`nothing was started on port ${port}`)
  return it
}

/** Starts a server process, on the port of one that was killed if it is given. */
const startServer: BrowserCommand<[kind: ServerKind, port?: number]> = async (context, kind, port = 0) => {
  const server = await startServerProcess(kind, port)
  rigOf(context).servers.set(server.port, server)
  return server.port
}

const killServer: BrowserCommand<[port: number]> = async (context, port) => {
  await found(rigOf(context).servers, port).kill()
  rigOf(context).servers.delete(port)
}

/** Starts a proxy before the server on this port, on a loopback address of its own: Firefox connects one at a time. */
const startNetwork: BrowserCommand<[port: number, host: string]> = async (context, port, host) => {
  const proxy = await startProxy(port, { host })
  rigOf(context).proxies.set(proxy.port, proxy)
  return proxy.port
}

const breakNetwork: BrowserCommand<
  [port: number, how: 'zombie' | 'hang' | 'accept' | 'refuse' | 'rst' | 'fin' | 'stall' | 'resume']
> = async (context, port, how) => {
  const proxy = found(rigOf(context).proxies, port)
  if (how === 'rst' || how === 'fin') proxy.cut(how)
  else if (how === 'stall') proxy.stall('both')
  else await proxy[how]()
}

/** How many connections there are, and were ever. */
const countConnections: BrowserCommand<[port: number]> = async (context, port) => {
  const { connections, accepted } = found(rigOf(context).proxies, port)
  return { connections, accepted }
}

/** Starts a server of sessions, behind a network whose connections end at any byte. */
const startSessions: BrowserCommand<[wish: SessionsWish]> = async (context, wish) => {
  const sessions = await startSessionServer(wish)
  rigOf(context).sessions.set(sessions.port, sessions)
  return sessions.port
}

/** Fulfilled when all that the server awaits has come, and what the dead had to say. */
const reportOfSessions: BrowserCommand<[port: number]> = (context, port) =>
  found(rigOf(context).sessions, port).report()

const stopEverything: BrowserCommand<[]> = async context => {
  const { servers, proxies, sessions } = rigOf(context)
  await Promise.all([...sessions.values()].map(server => server.close()))
  await Promise.all([...proxies.values()].map(proxy => proxy.close()))
  await Promise.all([...servers.values()].map(server => server.kill()))
  sessions.clear()
  proxies.clear()
  servers.clear()
}

export const commands = {
  startServer,
  killServer,
  startNetwork,
  breakNetwork,
  countConnections,
  startSessions,
  reportOfSessions,
  stopEverything,
}

declare module 'vitest/browser' {
  interface BrowserCommands {
    startServer: (kind: ServerKind, port?: number) => Promise<number>
    killServer: (port: number) => Promise<void>
    startNetwork: (port: number, host: string) => Promise<number>
    breakNetwork: (
      port: number,
      how: 'zombie' | 'hang' | 'accept' | 'refuse' | 'rst' | 'fin' | 'stall' | 'resume',
    ) => Promise<void>
    countConnections: (port: number) => Promise<{ connections: number; accepted: number }>
    startSessions: (wish: SessionsWish) => Promise<number>
    reportOfSessions: (port: number) => Promise<SessionsReport>
    stopEverything: () => Promise<void>
  }
}
