/** A server's shell, one node of maybe several, as small as it can be; and it tells the laws everything. */

import type { Entry } from '../../src/core/outbox'
import type { Connection, Registry, ServerSession } from '../../src/core/registry'
import type { SessionStore } from '../../src/core/store'
import type { Pipe, Wire } from './network'
import { decode, encode, MAX_BYTES, type Stage } from './stage'

export interface SimServer {
  accept(pipe: Pipe): void
  readonly sessions: ReadonlySet<ServerSession>
  send(message: string): void
  calm(): void
  /** Everything that it knew is gone. */
  crash(): void
}

export const createSimServer = (stage: Stage, node: string, store: SessionStore): SimServer => {
  const { machine, time, random, laws, scenario } = stage
  const { below, chance, pick } = random
  const sessions = new Set<ServerSession>()
  const pipes = new Set<Pipe>()
  const names = new Map<Entry<undefined>, string>()
  const queue: { readonly session: ServerSession; readonly data: Wire }[] = []
  let isCalm = false
  let isBusy = false
  let isUp = true
  let armed = Infinity

  const report = (session: ServerSession, entry: Entry<undefined>) => {
    const name = names.get(entry)
    if (name) laws.undelivered('down', session.lease.sid, name, entry.certain)
  }

  const registry: Registry = machine.createRegistry(
    store,
    {
      deliver(session, data, isVolatile) {
        if (isVolatile) return
        laws.bounds('up', session.half.received - session.half.done, scenario.win.server)
        queue.push({ session, data })
        consume()
      },
      settled: (session, entries) =>
        laws.settled(
          'down',
          session.lease.sid,
          entries.flatMap(entry => names.get(entry) ?? []),
        ),
      undelivered: report,
      begun: session => sessions.add(session),
      crowded: connection => connection.link.close(4503, 'crowded'),
      ended(session, reason, undelivered) {
        sessions.delete(session)
        laws.ended(session.lease.sid, reason)
        for (const entry of undelivered) report(session, entry)
      },
    },
    {
      node,
      win: scenario.win.server,
      max: MAX_BYTES,
      ttlMs: scenario.ttlMs,
      heartbeatMs: 25_000,
      queue: { maxMessages: 60, maxBytes: 100_000, highWaterMarkBytes: 1_000, overflow: 'throw' },
      maxInFlightBytes: scenario.maxInFlightBytes,
      limits: { sessionsPerPrincipal: 1, sessions: 1, detachedBytes: scenario.detachedBytes },
      newSid: () => `${node}-${laws.nextSid()}`,
    },
  )

  const consume = () => {
    if (isBusy) return
    const delay = isCalm ? 0 : below(scenario.slow.server + 1)
    const next = () => {
      isBusy = false
      const item = queue.shift()
      if (!item || !isUp) return
      const { session, data } = item
      const { sid } = session.lease
      // What consuming does is done in the same transaction
      if (registry.consumed(session, time.now)) {
        laws.delivered('up', sid, decode(data))
        laws.consumed('up', sid)
      }
      arm()
      if (queue.length) consume()
    }
    isBusy = true
    if (delay) time.after(delay, next)
    else next()
  }

  const arm = () => {
    let until = Infinity
    for (const session of sessions) until = Math.min(until, session.until, session.half.until)
    if (until >= armed) return
    armed = until
    time.after(Math.max(0, until - time.now) + (chance(0.1) ? below(5_000) : 0), () => {
      armed = Infinity
      if (!isUp) return
      registry.tick(time.now)
      arm()
    })
  }

  return {
    sessions,
    accept(pipe) {
      pipes.add(pipe)
      let isWelcomed = false
      let told = -1
      let lastSeen = time.now
      let isClosed = false
      const connection: Connection = registry.connect({
        write(frame) {
          if (!isWelcomed) laws.breach('S8 the first that a server says is welcome')
          if (connection.session?.connection !== connection) laws.breach('S5 who is fenced out is silent')
          const { session } = connection
          if (frame.kind === 'msg') laws.written('down', session?.lease.sid, frame.seq, decode(frame.data))
          if (frame.kind === 'msg' || frame.kind === 'ack') {
            if (frame.ack < told) laws.breach('S7 acks do not decrease')
            told = frame.ack
          }
          if (session) {
            const { numbered, acked } = session.outbox
            laws.bounds('down', numbered.seq - acked.seq, scenario.win.client)
          }
          pipe.send('server', machine.writeFrame(frame))
        },
        welcome(answer) {
          isWelcomed = true
          laws.taken(connection.session?.lease.epoch ?? 0)
          pipe.send(
            'server',
            machine.writeFrame({
              kind: 'welcome',
              welcome: { v: 1, ...answer },
            }),
          )
        },
        hasRoom() {
          if (isCalm || chance(0.9)) return true
          time.after(20, () => isUp && connection.session?.half.pump(time.now))
          return false
        },
        close(code) {
          laws.blamed(code)
          close(code)
        },
      })
      const close = (code: number, isTold = false) => {
        if (isClosed) return
        isClosed = true
        pipes.delete(pipe)
        if (!isTold) pipe.drop('server', code)
        if (isUp) registry.closed(connection, code, time.now)
        arm()
      }
      pipe.hear('server', {
        message(data) {
          if (!isUp || isClosed) return
          lastSeen = time.now
          const frame = machine.parseFrame(data)
          if (typeof frame === 'string' || frame.kind !== 'hello')
            registry.receive(connection, frame, time.now)
          else {
            const { hello } = frame
            const take = () => {
              if (isUp) registry.hello(connection, hello, 'principal', time.now)
              arm()
            }
            const delay = below(scenario.authMs + 1)
            if (delay) time.after(delay, take)
            else take()
          }
          arm()
        },
        closed: code => close(code, true),
      })
      const watch = () => {
        if (isClosed || !isUp) return
        if (time.now - lastSeen > 15_000) return close(4408)
        time.after(5_000, watch)
      }
      watch()
    },
    send(message) {
      const session = pick([...sessions])
      if (!session) return
      const data = encode(message, chance(0.7))
      const entry = new machine.Entry(undefined, data, data.length)
      names.set(entry, message)
      laws.accepted(message)
      if (registry.send(session, entry, time.now) === undefined) laws.fates.delete(message)
      arm()
    },
    calm() {
      isCalm = true
      for (const session of sessions) session.half.pump(time.now)
    },
    crash() {
      isUp = false
      for (const pipe of pipes) pipe.drop('server', 1006)
      // Nobody is left to tell
      for (const session of sessions)
        for (const entry of session.outbox.entries()) laws.fates.delete(names.get(entry) ?? '')
      sessions.clear()
    },
  }
}
