/**
 * A server, put together: connections become guests, guests speak for sessions, and the application is told. Each part
 * knows its own business only; here is who tells whom.
 */

import { type Connection, createRegistry, type ServerSession } from '../core/registry'
import { createEmitter } from '../emitter'
import { createArrivals } from './arrivals'
import { createGuest, type Guest, type Host, type ServerWebSocket } from './connection'
import { createDeadlines } from './deadlines'
import { createDrain } from './drain'
import type { ServerEvents, ServerStats } from './events'
import { type ServerOptions, settleServer } from './options'
import { createPayload } from './payload'
import type { Session } from './session'
import { createSessionShell, SessionEnded, type SessionHost, type SessionShell } from './shell'
import { createSteps } from './steps'

type Listener = (...args: never[]) => unknown

export const createServer = <Incoming, Outgoing, Request>(
  options: ServerOptions<Incoming, Outgoing, Request>,
) => {
  const settings = settleServer(options)
  const { clock, store } = settings
  const deadlines = createDeadlines(clock)
  const emitter = createEmitter<ServerEvents>()
  const guests = new Set<Guest>()
  const shells = new Map<ServerSession, SessionShell>()
  const counts = { begun: 0, resumed: 0, ended: 0, refused: 0, received: 0, undelivered: 0 }

  const failed = (error: unknown, session?: Session) => {
    if (error instanceof SessionEnded) return
    if (!emitter.emit('error', error, session)) console.error(error)
  }

  const guard: SessionHost['guard'] =
    (listener, failed) =>
    (...args) => {
      try {
        const answer = listener(...args)
        if (answer instanceof Promise) answer.catch(failed)
      } catch (error) {
        failed(error)
      }
    }

  const steps = createSteps(failed, () => {
    if (drain.isOn && !guests.size && !shells.size) drain.finish()
  })
  const { act, run, tell, touch } = steps

  const drain = createDrain(clock, how =>
    act(() => {
      for (const guest of guests) if (guest.isWaiting) guest.close(4503, how.reason)
      for (const shell of shells.values()) shell.drain(how)
      tell(arrivals.wake)
    }),
  )
  const arrivals = createArrivals(() => drain.isOn)

  const shellOf = ({ session }: Connection) => session && shells.get(session)

  /** Of the hello that is being taken. */
  let principal = ''
  let newSid = ''

  const registry = createRegistry(
    store,
    {
      deliver: (session, data, isVolatile) => shells.get(session)?.deliver(data, isVolatile),
      settled: session => touch(shells.get(session)),
      undelivered: (session, entry, why) => shells.get(session)?.undelivered(entry, why),
      begun(core) {
        const shell = createSessionShell(sessionHost, core, principal)
        const { session } = shell
        shells.set(core, shell)
        counts.begun++
        tell(() => {
          emitter.emit('session', session)
          arrivals.begun(session)
        })
      },
      ended(core, reason, undelivered) {
        const shell = shells.get(core)
        shells.delete(core)
        counts.ended++
        if (!shell) return
        arrivals.ended(shell.session)
        shell.ended(reason.replace(/;.*/, ''), undelivered)
      },
    },
    {
      node: settings.node,
      win: settings.win,
      max: settings.maxMessageBytes,
      ttlMs: settings.ttlMs,
      heartbeatMs: Math.ceil(settings.heartbeat.intervalMs),
      queue: settings.queue,
      newSid: () => newSid,
    },
  )

  const sessionHost: SessionHost = {
    ...steps,
    registry,
    settings,
    deadlines,
    payload: createPayload(settings.codec),
    guard,
    failed,
    count(what) {
      counts[what]++
    },
  }

  const host: Host = {
    registry,
    settings,
    deadlines,
    act,
    failed,
    hello(connection, hello, who, sid) {
      principal = who
      newSid = sid
      registry.hello(connection, hello, who, clock.now())
    },
    touched: connection => touch(shellOf(connection)),
    connected({ connection, request }) {
      const shell = shellOf(connection)
      if (shell?.connected(request)) counts.resumed++
    },
    disconnected({ connection }, code, reason) {
      shellOf(connection)?.disconnected(code, reason)
    },
    refused(event) {
      counts.refused++
      tell(() => emitter.emit('refused', event))
    },
    gone(guest) {
      guests.delete(guest)
    },
  }

  return {
    close: drain.close,
    iterate: arrivals.iterate,
    on: (event: keyof ServerEvents, listener: Listener) =>
      emitter.on(event, guard(listener, event === 'error' ? console.error : failed) as () => void),
    sessions: () => new Set([...shells.values()].map(({ session }) => session)),
    accept(webSocket: ServerWebSocket, request: unknown) {
      run(() => {
        const guest = createGuest(host, webSocket, request)
        guests.add(guest)
        if (drain.isOn) guest.close(4503, drain.reason())
      })
    },
    stats(): ServerStats {
      const connected = [...shells.values()].filter(({ session }) => session.connected)
      return {
        ...counts,
        connections: guests.size,
        waiting: [...guests].filter(({ isWaiting }) => isWaiting).length,
        sessions: shells.size,
        connected: connected.length,
      }
    },
  }
}
