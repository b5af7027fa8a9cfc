/**
 * The server's part: which connection speaks for which session. A hello takes a session over, resumes it, or begins
 * another; whatever spoke for it before is fenced out, and nothing that still comes from there is heard.
 *
 * The store decides who owns a session, so that it may be shared by several nodes. Whatever a session does that must
 * not be done twice (a message consumed, a number given) is done only if the store still knows us as its owner.
 */

import { createCensus, type Limits } from './census'
import { createOutbox, Entry, type Loss, type Outbox, type OutboxPolicy } from './outbox'
import {
  type Answer,
  createSession,
  type Data,
  type Handshake,
  type Inbound,
  type Outbound,
  type Position,
  type Session,
} from './session'
import type { Lease, SessionStore, Taken } from './store'

/** One WebSocket that was accepted. */
export interface Link {
  write(frame: Outbound): void
  welcome(answer: Answer): void
  hasRoom(): boolean
  /** Whoever closes it so has to report it as `closed`, with this code, at once: not when the client has confirmed. */
  close(code: number, reason: string): void
}

export interface Connection {
  readonly link: Link
  /** What it speaks for, or did before it was fenced out. */
  session: ServerSession | undefined
  isClosed: boolean
}

export interface ServerSession {
  readonly id: string
  readonly principal: string
  readonly half: Session<undefined>
  readonly outbox: Outbox<undefined>
  lease: Lease
  connection: Connection | undefined
  /** When it ends, if no connection comes before, in ms. */
  until: number
  /** Whether the store knows that the client knows. */
  touched: boolean
}

export interface RegistryOutput {
  /** The next message, in order: to be told to `consumed`. */
  deliver(session: ServerSession, data: Data, isVolatile: boolean): void
  settled(session: ServerSession, entries: readonly Entry<undefined>[]): void
  undelivered(session: ServerSession, entry: Entry<undefined>, why: Loss | 'too-large'): void
  begun(session: ServerSession): void
  /**
   * Nothing of it will be delivered any more, not even what was received. Nobody knows here what became of those that
   * are not certain; `moved`: it may go on at another node, and that will send what had a number.
   */
  ended(session: ServerSession, reason: string, undelivered: readonly Entry<undefined>[]): void
  /** There is no room for another session, of that principal or at all: the connection is to be closed. */
  crowded(connection: Connection, by: 'principal' | 'server'): void
}

export interface RegistryPolicy extends Position {
  readonly node: string
  readonly queue: OutboxPolicy
  /** Of what has a number and is not acknowledged, for each session. One message is always let through. */
  readonly maxInFlightBytes: number
  readonly limits: Limits
  /** How long a session is kept without a connection, in ms. */
  readonly ttlMs: number
  /** Silence after which clients should ask, in ms. */
  readonly heartbeatMs: number
  /** The name of the next session. Unique, also among nodes. */
  newSid(): string
}

export interface Registry {
  /** Sessions without a connection. */
  readonly detached: number
  connect(link: Link): Connection
  /**
   * @param hello with the key, or its hash, and an id; whoever calls has authenticated
   * @param principal for whom
   */
  hello(
    connection: Connection,
    hello: Handshake & { readonly id: string; readonly key: string },
    principal: string,
    now: number,
  ): void
  receive(connection: Connection, frame: Inbound, now: number): void
  closed(connection: Connection, code: number, now: number): void
  /** @returns as `Outbox.push`; a session without a connection that is full ends */
  send(session: ServerSession, entry: Entry<undefined>, now: number): boolean | undefined
  /** @returns `false`: it is not ours any more. Nothing must come of the message */
  consumed(session: ServerSession, now: number): boolean
  /** Acknowledges what is due, ends what has expired. */
  tick(now: number): void
  /** @param code for the connection, if there is one: 4410 for good, 4503 to come again */
  end(session: ServerSession, reason: string, code: number, now: number): void
}

export const createRegistry = (
  store: SessionStore,
  output: RegistryOutput,
  { node, win, max, queue, maxInFlightBytes, limits, ttlMs, heartbeatMs, newSid }: RegistryPolicy,
): Registry => {
  const sessions = new Map<string, ServerSession>()
  const census = createCensus<ServerSession>(limits)

  const build = ({ lease, done, acked, tail }: Taken, principal: string): ServerSession => {
    const lose = (entry: Entry<undefined>, why: Loss) => output.undelivered(session, entry, why)
    const outbox = createOutbox<undefined>(queue, lose, acked)
    outbox.restore(tail.map(({ data, bytes }) => new Entry(undefined, data, bytes)))
    while (outbox.peek()) outbox.advance()
    const half = createSession<undefined>(
      outbox,
      {
        write: frame => session.connection?.link.write(frame),
        hasRoom() {
          // What is sent again is kept anyway
          const isAgain = outbox.sent !== outbox.numbered
          return (isAgain || outbox.inFlightBytes < maxInFlightBytes) && !!session.connection?.link.hasRoom()
        },
        deliver: (data, from) => output.deliver(session, data, !from),
        settled(entries) {
          output.settled(session, entries)
          if (!store.ack(session.lease, outbox.acked.seq)) leave(session)
        },
        refused: entry => output.undelivered(session, entry, 'too-large'),
        pong() {},
        close(code, reason) {
          session.connection?.link.close(code, reason)
        },
        number(entry) {
          const isOurs = store.push(session.lease, entry)
          if (!isOurs) leave(session)
          return isOurs
        },
      },
      { win, max },
      done,
    )
    const { id } = lease
    const session: ServerSession = {
      id,
      principal,
      half,
      outbox,
      lease,
      connection: undefined,
      until: Infinity,
      touched: false,
    }
    return session
  }

  /** What comes from its connection is not heard any more. */
  const unbind = (session: ServerSession, code: number, reason: string) => {
    const { connection, half } = session
    session.connection = undefined
    half.stop()
    connection?.link.close(code, reason)
  }

  const discard = (session: ServerSession, reason: string) => {
    sessions.delete(session.id)
    census.ended(session)
    output.ended(session, reason, [...session.half.end(), ...session.outbox.clear()])
  }

  /** The store knows another owner. */
  const leave = (session: ServerSession) => {
    unbind(session, 4409, 'superseded')
    discard(session, 'moved')
  }

  const end: Registry['end'] = (session, reason, code, now) => {
    const isOurs = store.end(session.lease, reason, now)
    unbind(session, isOurs ? code : 4409, isOurs ? reason : 'superseded')
    discard(session, isOurs ? reason : 'moved')
  }

  const kept = ({ outbox }: ServerSession) => outbox.bytes + outbox.inFlightBytes

  /** Too much is kept for those who are away: the first of them have to go. */
  const relieve = (now: number) => {
    for (let heavy = census.excess(); heavy; heavy = census.excess()) {
      // What has expired meanwhile is still counted
      census.weigh(heavy, kept(heavy))
      if (census.excess() === heavy) end(heavy, 'evicted', 1000, now)
    }
  }

  return {
    get detached() {
      return census.detached
    },
    connect: link => ({ link, session: undefined, isClosed: false }),
    hello(connection, { nonce, id, key, epoch, sid, ack, ...takes }, principal, now) {
      const { link } = connection
      // While it was authenticated
      if (connection.isClosed) return
      if (connection.session) return link.close(4400, 'handshake out of turn')
      const inTheWay = sessions.has(id) ? undefined : census.inTheWay(principal)
      if (typeof inTheWay === 'string') return output.crowded(connection, inTheWay)
      const taken = store.take({ id, key, principal, epoch, sid, ack, node, newSid: newSid() }, now)
      if (taken === 'forbidden') return link.close(4403, taken)
      if (taken === 'stale') return link.close(4409, 'superseded')
      // Not before: who is refused takes nobody's place
      if (inTheWay) end(inTheWay, 'evicted', 1000, now)
      let session = sessions.get(id)
      if (session) {
        unbind(session, 4409, 'superseded')
        // What we have of it is old if somebody else had it since
        const isOurs = session.lease.sid === taken.lease.sid && taken.owner === node
        if (!isOurs) {
          discard(session, taken.ended ?? 'moved')
          session = undefined
        }
      }
      const isNew = !session
      session ??= build(taken, principal)
      sessions.set(id, session)
      if (isNew) census.begun(session)
      else census.back(session)
      Object.assign(session, { lease: taken.lease, connection, until: Infinity })
      connection.session = session
      if (isNew) output.begun(session)
      const { half } = session
      link.welcome({
        nonce,
        sid: taken.lease.sid,
        ...half.position(),
        ttl: ttlMs,
        hb: heartbeatMs,
        lost: taken.lost,
      })
      half.start({ ...takes, ack: taken.acked })
      half.pump(now)
    },
    receive(connection, frame, now) {
      const { session } = connection
      if (!session) {
        const isOther = frame === 'version'
        return connection.link.close(isOther ? 4426 : 4400, isOther ? frame : 'hello expected')
      }
      if (session.connection !== connection) return
      if (!session.touched) session.touched = store.touch(session.lease)
      session.half.receive(frame, now)
    },
    closed(connection, code, now) {
      const { session } = connection
      connection.isClosed = true
      if (session?.connection !== connection) return
      session.connection = undefined
      session.half.stop()
      if (code === 1000) end(session, 'closed', code, now)
      else if (code === 4413) end(session, 'too large', code, now)
      else if (code === 4400 && session.half.strike()) end(session, 'poison', code, now)
      else {
        session.until = now + ttlMs
        census.left(session, kept(session))
        relieve(now)
      }
    },
    send(session, entry, now) {
      const isIn = session.outbox.push(entry, now)
      // One that would never fit says nothing about how full it is
      const isFull = isIn === undefined && entry.bytes <= queue.maxBytes
      if (isFull && !session.connection) end(session, 'overflow', 1000, now)
      else session.half.pump(now)
      census.weigh(session, kept(session))
      relieve(now)
      return isIn
    },
    consumed(session, now) {
      const isOurs = sessions.get(session.id) === session && store.recv(session.lease)
      if (isOurs) session.half.consumed(now)
      else if (sessions.get(session.id) === session) leave(session)
      return isOurs
    },
    tick(now) {
      for (const session of [...sessions.values()]) {
        if (now >= session.until) end(session, 'expired', 1000, now)
        else session.half.tick(now)
      }
    },
    end,
  }
}
