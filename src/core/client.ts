/**
 * The client's part of a session: says hello on each connection, and finds out from the answer whether the session was
 * resumed, lost, begun, or whether there is nobody who speaks the protocol.
 *
 * An echo server is a peer too: our own hello coming back is its welcome, and it acknowledges what we send with our
 * own acknowledgements. One session with the name `loopback` is never lost.
 */

import type { Entry, Outbox } from './outbox'
import {
  type Answer,
  createSession,
  type Handshake,
  type Inbound,
  type Position,
  type Session,
  type SessionOutput,
  type Tombstone,
} from './session'

export interface SessionLost<Message> extends Tombstone {
  /** What had been sent and not acknowledged, in order. Whether each certainly did not arrive, it says itself. */
  readonly undelivered: readonly Entry<Message>[]
  /** The last message that was received. What the peer sent after it is lost. */
  readonly received: number
}

export interface ClientOutput<Message> extends SessionOutput<Message> {
  /** Before anything is delivered. What comes back to the outbox now is sent first. */
  lost(event: SessionLost<Message>): void
  /** @param hb silence after which to ask, in ms, if the server says; an echo does not */
  welcomed(isResumed: boolean, hb: number | undefined): void
  /** Something that is no frame of ours came before the welcome, and was ignored. */
  preamble(frame: Inbound): void
  /** There is no such server. Trying again is pointless. */
  unsupported(): void
}

export interface Client<Message> {
  /** The present one. After `lost`, another. */
  readonly session: Session<Message>
  readonly sid: string | undefined
  /** A connection is open. @returns the hello that has to be the first frame on it */
  opened(nonce: string): Handshake
  receive(frame: Inbound, now: number): void
  /**
   * The connection is gone.
   * @param code that it was closed with, by whomever
   * @param isTimeout whether we gave it up because it did not answer in time
   * @returns `false`: do not try again; a number: after so many ms; `undefined`: as usual
   */
  dropped(code: number, isTimeout?: boolean): false | number | undefined
  /**
   * Closed for good: whoever connects again begins another session.
   * @returns what is undelivered, in order, sent or not
   */
  end(): Entry<Message>[]
}

/** Who answered: a server, or an echo of ourselves. */
type Peer = Position & Partial<Pick<Answer, 'hb' | 'lost'>>

const LOOPBACK = 'loopback'
/** Frames that are not of the protocol, before the welcome. */
const MAX_STRAYS = 8
/** In a row: a welcome makes good. A connection that is lost before it proves nothing, and counts for nothing. */
const MAX_TIMEOUTS = 3
/** Bad frame, too large, and what a WebSocket server says itself of a message that is (RFC 6455 §7.4.1). */
const POISONED_CODES: readonly number[] = [4400, 4413, 1009]
/** Ended by the server, forbidden, superseded, gone, version. */
const FATAL_CODES: readonly number[] = [1000, 4403, 4409, 4410, 4426]

export const createClient = <Message>(
  outbox: Outbox<Message>,
  output: ClientOutput<Message>,
  limits: Position,
): Client<Message> => {
  let session = createSession(outbox, output, limits)
  let sid: string | undefined
  let epoch = 0
  /** Of the hello that has no answer yet. */
  let nonce: string | undefined
  let strays = 0
  let timeouts = 0
  let denials = 0

  const begin = () => {
    session = createSession(outbox, output, limits)
    sid = undefined
  }

  const lose = (tombstone: Tombstone) => {
    const { received } = session
    const undelivered = session.end(tombstone)
    begin()
    output.lost({ ...tombstone, undelivered, received })
  }

  const welcomed = (newSid: string, peer: Peer, now: number) => {
    const isResumed = newSid === sid
    nonce = undefined
    timeouts = denials = 0
    if (sid && !isResumed) lose(peer.lost ?? { reason: 'unknown' })
    // An echo's first answer to us says what we said to somebody else
    const ack = newSid === LOOPBACK && !isResumed ? 0 : (peer.ack ?? 0)
    const far = session.compare(ack)
    if (far) {
      if (sid) lose({ reason: far < 0 ? 'regressed' : 'invalid' })
      return output.close(4400, 'ack out of range')
    }
    sid = newSid
    session.start({ ...peer, ack }, sid === LOOPBACK)
    output.welcomed(isResumed, peer.hb)
    session.pump(now)
    session.flush()
  }

  return {
    get session() {
      return session
    },
    get sid() {
      return sid
    },
    opened(newNonce) {
      nonce = newNonce
      strays = 0
      const { ack, ...takes } = session.position()
      return { nonce, epoch: ++epoch, ...(sid && { sid, ack }), ...takes }
    },
    receive(frame, now) {
      if (nonce === undefined) {
        // An echo that tells us of others is none: it would mix up their messages with ours
        if (sid === LOOPBACK && typeof frame !== 'string' && frame.kind === 'hello') output.unsupported()
        session.receive(frame, now)
      } else if (frame === 'version') output.close(4426, frame)
      else if (typeof frame !== 'string' && frame.kind === 'welcome') {
        if (frame.welcome.nonce === nonce) welcomed(frame.welcome.sid, frame.welcome, now)
      } else if (typeof frame !== 'string' && frame.kind === 'hello') {
        if (frame.hello.nonce === nonce) welcomed(LOOPBACK, frame.hello, now)
        else output.unsupported()
      } else if (++strays > MAX_STRAYS) output.unsupported()
      else output.preamble(frame)
    },
    dropped(code, isTimeout = false) {
      const isUnanswered = nonce !== undefined
      nonce = undefined
      session.stop()
      // Whoever saw it: a peer that does not count would let us go on for ever
      if (POISONED_CODES.includes(code) && session.strike() && sid) lose({ reason: 'poison' })
      if (code === 4410 && sid) lose({ reason: 'gone' })
      if (isUnanswered && isTimeout && ++timeouts >= MAX_TIMEOUTS) {
        output.unsupported()
        return false
      }
      if (code === 4401) return denials++ ? false : 0
      return FATAL_CODES.includes(code) ? false : undefined
    },
    end() {
      session.stop()
      begin()
      return outbox.clear()
    },
  }
}
