/**
 * A server, put together: connections become guests, guests speak for sessions, and the application is told. Each part
 * knows its own business only; here is who tells whom.
 */

import { type Connection, createRegistry, type ServerSession } from '../core/registry'
import { createEmitter } from '../emitter'
import { payload } from '../wire/payload'
import { createArrivals } from './arrivals'
import { createGuest, type Guest, type Host, largestFrame } from './connection'
import { createDeadlines } from './deadlines'
import { createDoor } from './door'
import { createDrain } from './drain'
import type { ServerEvents, ServerStats } from './events'
import { createJournal, named, subjectOf, subjectOfGuest } from './journal'
import { type ServerCloseOptions, type ServerOptions, settleServer } from './options'
import { crowded, retrying } from './retry'
import type { Session } from './session'
import { createSessionShell, SessionEnded, type SessionHost, type SessionShell } from './shell'
import { createSteps } from './steps'
import { createThrottle } from './throttle'
import type { ServerWebSocket } from './web-socket'

type Listener = (...args: never[]) => unknown

export const createServer = <Incoming, Outgoing, Request>(
  options: ServerOptions<Incoming, Outgoing, Request>,
) => {
  const settings = settleServer(options)
  const { clock, store } = settings
  const deadlines = createDeadlines(clock)
  const emitter = createEmitter<ServerEvents>()
  const throttle = createThrottle(settings)
  const shells = new Map<ServerSession, SessionShell>()
  const counts = {
    begun: 0,
    resumed: 0,
    ended: 0,
    evicted: 0,
    refused: 0,
    limited: 0,
    received: 0,
    undelivered: 0,
  }
  let accepted = 0

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

  const raise = (error: unknown, session?: Session) => {
    if (!emitter.emit('error', error, session)) console.error(error)
  }

  // A log that fails is not told that it failed
  const log = settings.log && (guard(settings.log, error => raise(error)) as (record: unknown) => void)

  const failed = (error: unknown, session?: Session) => {
    if (error instanceof SessionEnded) return
    noteNow({ type: 'error', ...named(error), ...(session && subjectOf(session)) })
    raise(error, session)
  }

  const steps = createSteps(failed, () => {
    if (drain.isOn && !door.guests.size && !shells.size) drain.finish()
  })
  const { act, run, tell, touch } = steps
  const { note, noteNow } = createJournal(log, clock, tell)

  const drain = createDrain(clock, how =>
    act(() => {
      note({ type: 'closing' })
      for (const guest of door.waiting) guest.close(4503, drain.reason())
      for (const shell of shells.values()) shell.drain(how())
      tell(arrivals.wake)
    }),
  )
  const door = createDoor(settings, drain, failed)
  const arrivals = createArrivals(() => drain.isOn)

  const shellOf = ({ session }: Connection) => session && shells.get(session)

  /** Of the hello that is being taken. */
  let newSid = ''

  const registry = createRegistry(
    store,
    {
      deliver: (session, data, isVolatile) => shells.get(session)?.deliver(data, isVolatile),
      settled: session => touch(shells.get(session)),
      undelivered: (session, entry, why) => shells.get(session)?.undelivered(entry, why),
      begun(core) {
        const shell = createSessionShell(sessionHost, core)
        const { session } = shell
        shells.set(core, shell)
        counts.begun++
        note({ type: 'begun', ...subjectOf(session) })
        tell(() => {
          emitter.emit('session', session)
          arrivals.begun(session)
        })
      },
      ended(core, reason, undelivered) {
        const shell = shells.get(core)
        shells.delete(core)
        counts.ended++
        if (reason === 'evicted') counts.evicted++
        if (!shell) return
        arrivals.ended(shell.session)
        shell.ended(reason, undelivered)
        note({ type: 'ended', ...subjectOf(shell.session), reason, undelivered: undelivered.length })
      },
      crowded: ({ link }, by) =>
        by === 'principal'
          ? link.close(4429, crowded('too many sessions'))
          : link.close(4503, crowded('full')),
    },
    {
      node: settings.node,
      win: settings.win,
      // Whole numbers, because clients take no others
      max: Math.floor(Math.min(settings.maxMessageBytes, Number.MAX_SAFE_INTEGER)),
      ttlMs: Math.ceil(settings.ttlMs),
      heartbeatMs: Math.ceil(settings.heartbeat.intervalMs),
      queue: settings.queue,
      maxInFlightBytes: settings.queue.maxInFlightBytes,
      limits: settings.limits,
      newSid: () => newSid,
    },
  )

  const sessionHost: SessionHost = {
    ...steps,
    registry,
    settings,
    deadlines,
    payload: payload(settings.codec),
    guard,
    failed,
    count(what) {
      counts[what]++
    },
  }

  const leaves = (guest: Guest, code: number) => {
    door.leaving(guest)
    if (code === 4429) counts.limited++
  }

  const host: Host = {
    registry,
    settings,
    deadlines,
    act,
    failed,
    silence: id => throttle.silence(id, clock.now()),
    heard: ({ id = '' }, bytes, now) => throttle.heard(id, bytes, now),
    hasRoom(connection, bytes) {
      const { inboxBytes = 0 } = shellOf(connection) ?? {}
      return !inboxBytes || inboxBytes + bytes <= settings.limits.unconsumedBytes
    },
    hello(guest, hello, who, sid) {
      const waitMs = throttle.hello(who, clock.now())
      if (waitMs) return guest.close(4429, retrying('too many hellos', waitMs))
      newSid = sid
      registry.hello(guest.connection, hello, who, clock.now())
    },
    touched: connection => touch(shellOf(connection)),
    connected(guest) {
      const resumed = !!shellOf(guest.connection)?.connected(guest.request)
      if (resumed) counts.resumed++
      door.welcomed(guest)
      note({ type: 'connected', ...subjectOfGuest(guest), resumed })
    },
    disconnected(guest, code, reason) {
      shellOf(guest.connection)?.disconnected(code, reason)
      leaves(guest, code)
      note({ type: 'disconnected', ...subjectOfGuest(guest), code, reason })
    },
    refused(guest, code, reason) {
      const { request, id, principal } = guest
      counts.refused++
      leaves(guest, code)
      note({ type: 'refused', ...subjectOfGuest(guest), code, reason })
      tell(() => emitter.emit('refused', { code, reason, request, id, principal }))
    },
    gone: door.gone,
  }

  const sum = (of: (shell: SessionShell) => number) =>
    [...shells.values()].reduce((total, shell) => total + of(shell), 0)

  return {
    maxPayload: largestFrame(settings.maxMessageBytes),
    iterate: arrivals.iterate,
    on: (event: keyof ServerEvents, listener: Listener) =>
      emitter.on(event, guard(listener, event === 'error' ? console.error : failed) as () => void),
    sessions: () => new Set([...shells.values()].map(({ session }) => session)),
    accept(webSocket: ServerWebSocket, request: unknown) {
      run(() => door.enter(createGuest(host, webSocket, request, ++accepted)))
    },
    close(options: ServerCloseOptions) {
      const isFirst = !drain.isOn
      const done = drain.close(options)
      if (isFirst) done.then(() => noteNow({ type: 'closed' }))
      return done
    },
    stats: (): ServerStats => ({
      ...counts,
      connections: door.guests.size,
      waiting: door.waiting.size,
      sessions: shells.size,
      connected: sum(({ session }) => Number(session.connected)),
      detached: registry.detached,
      queuedMessages: sum(({ session }) => session.queuedMessages),
      queuedBytes: sum(({ session }) => session.queuedBytes),
      inFlightBytes: sum(({ core }) => core.outbox.inFlightBytes),
      unconsumed: sum(({ session }) => session.unconsumed),
    }),
  }
}
