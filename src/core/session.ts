/**
 * One half of a session, the same for client and server: what was received, consumed and acknowledged, and what may be
 * sent when. It lives as long as the session, across connections; a lost session gets a new one, so no counter can
 * outlive what it counts.
 *
 * It writes only while it is live: from `start`, when both sides have said how far they have got, until `stop`.
 * Numbers, order and what has to be sent again are the outbox's. There is no loop for sending again: the cursor goes
 * back, and the one pump goes on from there.
 */

import type { Entry, Outbox } from './outbox'

export type Data = string | Uint8Array<ArrayBuffer>

/** What comes from the wire and goes to it, as far as a session cares. A string says why there is no frame. */
export type Inbound =
  | Outbound
  | { readonly kind: 'hello'; readonly hello: Handshake }
  | { readonly kind: 'welcome'; readonly welcome: Answer }
  | { readonly kind: 'unknown' }
  | string

export type Outbound =
  | { readonly kind: 'msg'; readonly seq: number; readonly ack: number; readonly data: Data }
  | { readonly kind: 'ack'; readonly ack: number }
  | { readonly kind: 'ping' | 'pong' }
  | { readonly kind: 'volatile'; readonly data: Data }

/** How far a side has got, and what it takes. */
export interface Position {
  /** All up to this number was consumed. */
  readonly ack?: number | null | undefined
  /** Messages that may be on their way to it, beyond `ack`. */
  readonly win: number
  /** Its largest payload, in bytes. */
  readonly max: number
}

export interface Handshake extends Position {
  readonly nonce: string
  readonly epoch: number
  readonly sid?: string | null | undefined
}

export interface Answer extends Position {
  readonly nonce: string
  readonly sid: string
  readonly ack: number
  /** How long the session is kept without a connection, and silence after which the client should ask, in ms. */
  readonly ttl: number
  readonly hb: number
  readonly lost?: Tombstone | null | undefined
}

/** What is left of a session: why it ended, and the last message of the peer that it consumed, if that is known. */
export interface Tombstone {
  readonly reason: string
  readonly ack?: number | null | undefined
}

/** What a session does to the world. None of it may call back, but for `deliver`. */
export interface SessionOutput<Message> {
  write(frame: Outbound): void
  /** Whether the transport takes more before it has sent what it has. */
  hasRoom(): boolean
  /** The next message, in order: to be told to `consumed`, once, when it has been. Without a session: volatile. */
  deliver(data: Data, session?: Session<Message>): void
  /** The peer consumed these. */
  settled(entries: readonly Entry<Message>[]): void
  /** The peer takes no messages of that size: it was taken out, unsent. */
  refused(entry: Entry<Message>): void
  /** A ping of ours was answered. */
  pong(): void
  /** The peer broke the rules: the connection must end. The session has stopped. */
  close(code: number, reason: string): void
  /** An entry gets its number, and is about to be sent. `false`: it must not be, the session is not ours any more. */
  number?(entry: Entry<Message>): boolean
}

export interface Session<Message> {
  /** The last message received, and the last consumed. */
  readonly received: number
  readonly done: number
  /** When `tick` has something to do, in ms. */
  readonly until: number
  /** What we say in hello and welcome. It counts as an acknowledgement. */
  position(): Required<Position> & { readonly ack: number }
  /** Whether the peer can have got as far as it says: 0, or less or more than possible. */
  compare(ack: number): number
  /** The other side has got as far as `peer` says. Sends nothing before `pump`. */
  start(peer: Position, isLoopback?: boolean): void
  /** The connection is gone. */
  stop(): void
  receive(frame: Inbound, now: number): void
  /** Sends what may be sent. */
  pump(now: number): void
  /** The oldest message that was delivered and not consumed has been. */
  consumed(now: number): void
  /** Acknowledges at once what is consumed: the page may go away, or the session is about to end. */
  flush(): void
  tick(now: number): void
  ping(): void
  /** Sends now or never, and nothing that the peer does not take. @returns whether it was sent */
  sendVolatile(data: Data, bytes: number): boolean
  /** The connection ended because somebody saw a bad frame. @returns whether it is hopeless: the third without progress */
  strike(): boolean
  /** The session has ended. @returns what had a number and was not consumed, in order */
  end(tombstone?: Tombstone | null): Entry<Message>[]
}

/** Messages sent before the first is acknowledged, after each connect: one that dies soon gets something done even so. */
const FIRST_WINDOW = 16
/** So many consumed are acknowledged at once, and half as many more as were since the connect: so the window can grow. */
const FIRST_ACK_MESSAGES = 8
const ACK_MESSAGES = 128
/** UTF-16 units for text. */
const ACK_BYTES = 65_536
const ACK_DELAY_MS = 250
const STRIKES = 3
/** Whatever the peer would take, we keep no more for it. */
const LARGEST_WINDOW = 1_024

export const createSession = <Message>(
  outbox: Outbox<Message>,
  output: SessionOutput<Message>,
  { win, max }: Position,
  from = 0,
): Session<Message> => {
  let live = false
  let loopback = false
  let peer: Position = { win, max }
  let received = from
  let done = from
  /** The last acknowledgement that was written. */
  let told = from
  /** Received since. */
  let untoldBytes = 0
  let until = Infinity
  /** What may be in flight, by slow start: grows with each message acknowledged. */
  let allowance = FIRST_WINDOW
  /** What `told` was when the connection began. */
  let base = from
  let strikes = 0
  let struckAt = -1

  const acknowledging = () => {
    told = done
    untoldBytes = 0
    until = Infinity
    return done
  }

  const flush = () => {
    if (live && told < done) output.write({ kind: 'ack', ack: acknowledging() })
  }

  const bad = (reason: string, code = 4400) => {
    live = false
    until = Infinity
    output.close(code, reason)
  }

  /** @returns whether it can be */
  const acknowledged = (ack: number) => {
    if (ack > outbox.numbered.seq) bad('ack of what was not sent')
    else if (ack > outbox.acked.seq) {
      allowance += ack - outbox.acked.seq
      output.settled(outbox.acknowledge(ack))
    }
    return live
  }

  const pump = (now: number) => {
    const most = () => Math.min(peer.win, allowance, LARGEST_WINDOW)
    while (live && outbox.sent.seq - outbox.acked.seq < most()) {
      const entry = outbox.peek(now)
      // To ask for room costs, and most of the time there is nothing to send
      if (!entry || !output.hasRoom()) return
      if (!entry.seq && entry.bytes > peer.max) {
        outbox.remove(entry)
        output.refused(entry)
        continue
      }
      if (!entry.seq && output.number?.(entry) === false) return
      outbox.advance()
      output.write({ kind: 'msg', seq: entry.seq, ack: acknowledging(), data: entry.data })
    }
  }

  const session: Session<Message> = {
    get received() {
      return received
    },
    get done() {
      return done
    },
    get until() {
      return until
    },
    position: () => ({ ack: acknowledging(), win, max }),
    compare: ack => (ack < outbox.acked.seq ? -1 : ack > outbox.numbered.seq ? 1 : 0),
    start(position, isLoopback = false) {
      peer = position
      loopback = isLoopback
      live = true
      outbox.rewind()
      acknowledged(peer.ack ?? 0)
      allowance = FIRST_WINDOW
      base = told
    },
    stop() {
      live = false
      until = Infinity
    },
    receive(frame, now) {
      if (!live) return
      if (typeof frame === 'string') return bad(frame)
      switch (frame.kind) {
        case 'msg': {
          const { seq, ack, data } = frame
          if (!acknowledged(ack)) return
          if (seq > received) {
            // What an echo answers was ours
            if (loopback && seq > outbox.numbered.seq) return bad('not an echo')
            if (seq > received + 1) return bad('gap')
            if (seq > done + win) return bad('too many')
            // Text has at least as many bytes as UTF-16 units: what is legal is never refused
            if (data.length > max) return bad('too large', 4413)
            received = seq
            untoldBytes += data.length
            output.deliver(data, session)
          }
          break
        }
        case 'ack':
          acknowledged(frame.ack)
          break
        case 'ping':
          if (loopback) output.pong()
          else output.write({ kind: 'pong' })
          break
        case 'pong':
          output.pong()
          break
        case 'volatile':
          output.deliver(frame.data)
          break
        case 'hello':
        case 'welcome':
          return bad('handshake out of turn')
      }
      pump(now)
    },
    pump,
    consumed(now) {
      if (done === received) return
      done++
      if (!live) return
      const threshold = Math.min(FIRST_ACK_MESSAGES + (told - base) / 2, ACK_MESSAGES, win / 2)
      if (done - told >= threshold || untoldBytes >= ACK_BYTES) flush()
      else until = Math.min(until, now + ACK_DELAY_MS)
    },
    flush,
    tick(now) {
      if (now >= until) flush()
    },
    ping() {
      if (live) output.write({ kind: 'ping' })
    },
    sendVolatile(data, bytes) {
      const isSent = live && bytes <= peer.max && output.hasRoom()
      if (isSent) output.write({ kind: 'volatile', data })
      return isSent
    },
    strike() {
      const position = received + outbox.acked.seq
      strikes = position === struckAt ? strikes + 1 : 1
      struckAt = position
      return strikes >= STRIKES
    },
    end(tombstone) {
      session.stop()
      const ack = tombstone?.ack ?? -1
      const isKnown = !session.compare(ack)
      if (isKnown) output.settled(outbox.acknowledge(ack))
      const rest = outbox.recall()
      for (const entry of rest) entry.certain = isKnown
      return rest
    },
  }
  return session
}
