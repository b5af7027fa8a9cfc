/**
 * What must be known of a session to take it over: who owns it, how far it has got, and what is in flight. Each
 * operation is atomic. A node holds a lease from `take` on; whoever takes later, from wherever, fences it out.
 *
 * This is the store of a single process, and the definition of what one that is shared by several has to do.
 */

import type { Data, Tombstone } from './session'

/** What one owner was given. All that it does is refused once somebody else has taken the session, or it has ended. */
export interface Lease {
  /** The client's name for itself. */
  readonly id: string
  /** The name of the session. */
  readonly sid: string
  /** The attempt of the client that it was given for: a later one ends it. */
  readonly epoch: number
}

/** What a client says when it comes. */
export interface TakeRequest {
  /** The client's name for itself. */
  readonly id: string
  /** Or rather its hash. */
  readonly key: string
  /** Who it is, as the application said. */
  readonly principal: string
  /** Counts the attempts of the client. */
  readonly epoch: number
  /** The session to resume. */
  readonly sid?: string | null | undefined
  /** The last message that the client has consumed. */
  readonly ack?: number | null | undefined
  /** Who asks. */
  readonly node: string
  /** The name of the session to begin, if one has to. */
  readonly newSid: string
}

/** One message, as the codec spelled it. */
export interface Payload {
  /** Text, which is JSON, or bytes. */
  readonly data: Data
  /** Its size, in bytes. */
  readonly bytes: number
}

/** What whoever takes a session over is given. */
export interface Taken {
  /** To be shown for all that is done with it. */
  readonly lease: Lease
  /** The last message of the client that was consumed. */
  readonly done: number
  /** The last message that the client has consumed, and all that was sent after it. */
  readonly acked: number
  /** What was sent after `acked`. */
  readonly tail: readonly Payload[]
  /** The node that had it before, if it is the same session. */
  readonly owner: string | undefined
  /** What became of the session that was asked for, if it is not this one. */
  readonly lost: Tombstone | undefined
  /** Why the one that was there before has ended, if it has just been ended. */
  readonly ended: string | undefined
}

/** For all but `take`: `false` if the lease is not good any more, and nothing changed. */
export interface SessionStore {
  /** `forbidden`: another key or principal. `stale`: an attempt that was overtaken by a later one. */
  take(request: TakeRequest, now: number): Taken | 'forbidden' | 'stale'
  /** A frame came: the client has seen the welcome. */
  touch(lease: Lease): boolean
  /** The next message is about to be sent for the first time. */
  push(lease: Lease, payload: Payload): boolean
  /** The next message was consumed. Whatever consuming does should be done in the same transaction. */
  recv(lease: Lease): boolean
  /** The client has consumed all up to `ack`. */
  ack(lease: Lease, ack: number): boolean
  /** It is over: only its tombstone stays. */
  end(lease: Lease, reason: string, now: number): boolean
}

interface Tomb extends Tombstone {
  readonly sid: string
  readonly until: number
}

interface Stored {
  readonly key: string
  readonly principal: string
  epoch: number
  node: string | undefined
  /** `undefined`: there is none, only tombs. */
  sid: string | undefined
  done: number
  acked: number
  tail: Payload[]
  /** No frame but hello ever came in it: the client may not know of it. */
  virgin: boolean
  tombs: Tomb[]
}

/** What is kept of sessions that are over, so that who makes many fills nobody's memory. */
export interface StorePolicy {
  /** For one client. It asks for the last that it knew. @default 8 */
  readonly tombs?: number | undefined
  /** Clients without a session, of one principal and of all; the first are forgotten. @default 256, 16_384 */
  readonly deadPerPrincipal?: number | undefined
  readonly dead?: number | undefined
}

const TOMB_MS = 600_000

export const createStore = ({
  tombs = 8,
  deadPerPrincipal = 256,
  dead = 16_384,
}: StorePolicy = {}): SessionStore => {
  const all = new Map<string, Stored>()
  /** Those without a session, in the order in which theirs ended; and the same of each principal. */
  const graves = new Set<string>()
  const gravesOf = new Map<string, Set<string>>()
  let forgotten = 0

  /** What the lease is for, if it still is. */
  const held = ({ id, sid, epoch }: Lease) => {
    const stored = all.get(id)
    return stored && stored.sid === sid && stored.epoch === epoch ? stored : undefined
  }

  const change = (lease: Lease, how: (stored: Stored) => void) => {
    const stored = held(lease)
    if (stored) how(stored)
    return !!stored
  }

  const bury = (stored: Stored, reason: string, now: number) => {
    const { sid, done: ack } = stored
    if (sid !== undefined) stored.tombs.push({ sid, reason, ack, until: now + TOMB_MS })
    if (stored.tombs.length > tombs) stored.tombs.shift()
    Object.assign(stored, { sid: undefined, node: undefined, done: 0, acked: 0, tail: [], virgin: true })
    return reason
  }

  const prune = (stored: Stored, ack: number) => {
    if (ack <= stored.acked) return
    stored.tail.splice(0, ack - stored.acked)
    stored.acked = ack
  }

  const revive = (id: string, principal: string) => {
    const own = gravesOf.get(principal)
    graves.delete(id)
    if (own?.delete(id) && !own.size) gravesOf.delete(principal)
  }

  const drop = (id: string | undefined) => {
    const stored = id !== undefined && all.get(id)
    if (!stored) return
    revive(id, stored.principal)
    all.delete(id)
  }

  const retire = (id: string, principal: string) => {
    const own = gravesOf.get(principal) ?? new Set()
    gravesOf.set(principal, own.add(id))
    graves.add(id)
    if (own.size > deadPerPrincipal) drop(own.values().next().value)
    if (graves.size > dead) drop(graves.values().next().value)
  }

  /** What nobody can ask for any more. */
  const forget = (now: number) => {
    if (now < forgotten + TOMB_MS / 10) return
    forgotten = now
    for (const [id, stored] of all) {
      stored.tombs = stored.tombs.filter(({ until }) => until > now)
      if (stored.sid === undefined && !stored.tombs.length) drop(id)
    }
  }

  return {
    take({ id, key, principal, epoch, sid, ack, node, newSid }, now) {
      forget(now)
      const stored = all.get(id) ?? {
        key,
        principal,
        epoch: 0,
        node: undefined,
        sid: undefined,
        done: 0,
        acked: 0,
        tail: [],
        virgin: true,
        tombs: [],
      }
      if (stored.key !== key || stored.principal !== principal) return 'forbidden'
      if (epoch <= stored.epoch) return 'stale'
      all.set(id, stored)
      revive(id, principal)
      stored.epoch = epoch

      const far = ack ?? 0
      const isAsked = !!sid && sid === stored.sid
      let ended: string | undefined
      if (isAsked && (far < stored.acked || far > stored.acked + stored.tail.length))
        ended = bury(stored, 'invalid', now)
      // A client that has seen a welcome asks for that session, or has given it up
      else if (!isAsked && stored.sid && !stored.virgin) ended = bury(stored, 'unknown', now)
      else if (isAsked) prune(stored, far)

      stored.sid ??= newSid
      const owner = stored.node
      stored.node = node
      const isLost = sid && sid !== stored.sid
      return {
        lease: { id, sid: stored.sid, epoch },
        done: stored.done,
        acked: stored.acked,
        tail: [...stored.tail],
        owner,
        lost: isLost ? (stored.tombs.find(tomb => tomb.sid === sid) ?? { reason: 'unknown' }) : undefined,
        ended,
      }
    },
    touch: lease =>
      change(lease, stored => {
        stored.virgin = false
      }),
    push: (lease, payload) => change(lease, ({ tail }) => tail.push(payload)),
    recv: lease =>
      change(lease, stored => {
        stored.done++
      }),
    ack: (lease, ack) => change(lease, stored => prune(stored, ack)),
    end: (lease, reason, now) =>
      change(lease, stored => {
        bury(stored, reason, now)
        retire(lease.id, stored.principal)
      }),
  }
}
