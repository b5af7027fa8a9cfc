/**
 * What holds for each frame of whoever is judged, in every exchange, whatever the exchange is about. A law that is
 * broken fails the exchange, with its name.
 */

import { ACK, type Data, type Frame, HELLO, MSG, PING, PONG, payloadBytes, read, WELCOME } from './frame'

type Fields = Readonly<Record<string, unknown>>

/** What is known of one session, on whatever connection. */
interface SessionRecord {
  /** The last number that we gave. */
  sent: number
  /** The last that we acknowledged. */
  acked: number
}

export interface LineLaws {
  /** The highest acknowledgement of theirs. */
  readonly acked: number
  /** We send this, whether it makes sense or not. */
  sent(data: Data): void
  /** @returns the law that it breaks, and how */
  received(data: Data, frame: Frame | undefined): string | undefined
}

/** To an echo a client is welcomed by its own hello: what it has consumed is what the echo has. */
const echoed = (hello: Fields): Fields => ({
  ...hello,
  sid: 'loopback',
  ack: hello.sid === 'loopback' ? hello.ack : 0,
})

/** Of one exchange. @param judged who is */
export const createLaws = (judged: 'server' | 'client') => {
  const sessions = new Map<unknown, SessionRecord>()
  let client: Fields | undefined
  let epoch = 0
  const nonces = new Set<unknown>()

  const sessionOf = (sid: unknown): SessionRecord => {
    const known = sessions.get(sid) ?? { sent: 0, acked: 0 }
    sessions.set(sid, known)
    return known
  }

  /** What a client says first. */
  const introduced = (hello: Fields): string | undefined => {
    const { id, key } = client ?? hello
    client ??= hello
    if (hello.id !== id || hello.key !== key) return 'identity: another id or key than before'
    if (Number(hello.epoch) <= epoch) return `epoch: ${hello.epoch} after ${epoch}`
    epoch = Number(hello.epoch)
    if (nonces.has(hello.nonce)) return 'nonce: one that was used before'
    nonces.add(hello.nonce)
    return undefined
  }

  const line = (): LineLaws => {
    let hello: Fields | undefined
    let session: SessionRecord | undefined
    let acked = 0
    let next = 1
    /** What we said that we take. */
    let win = 0
    let max = 0

    const welcomed = (welcome: Fields) => {
      const isResumed = hello?.sid === welcome.sid
      session = sessionOf(welcome.sid)
      const [ours, theirs] = judged === 'server' ? [hello, welcome] : [welcome, hello]
      const told = isResumed || judged === 'client' ? Number(ours?.ack ?? 0) : 0
      session.acked = Math.max(session.acked, told)
      next = told + 1
      acked = isResumed || judged === 'server' ? Number(theirs?.ack ?? 0) : 0
      win = Number(ours?.win)
      max = Number(ours?.max)
    }

    const acknowledged = (ack: number): string | undefined => {
      if (ack < acked) return `ack: ${ack} after ${acked}`
      if (session && ack > session.sent) return `ack: ${ack}, and ${session.sent} were sent`
      acked = ack
      return undefined
    }

    const numbered = (seq: number, data: Data): string | undefined => {
      if (seq !== next) return `numbers: ${seq} where ${next} is due`
      next++
      if (session && seq > session.acked + win)
        return `window: ${seq}, ${session.acked} acknowledged, win ${win}`
      return payloadBytes(data) > max ? `max: ${payloadBytes(data)} bytes, ${max} are taken` : undefined
    }

    return {
      get acked() {
        return acked
      },
      sent(data) {
        const [kind, first, second] = read(data) ?? []
        if (kind === HELLO && judged === 'server' && !session) hello = first as Fields
        if ((kind === WELCOME || kind === HELLO) && judged === 'client' && !session) {
          const said = first as Fields
          if (said.nonce === hello?.nonce) welcomed(kind === HELLO ? echoed(said) : said)
        }
        if (!session) return
        if (kind === MSG) session.sent = Math.max(session.sent, Number(first))
        const ack = kind === MSG ? second : kind === ACK ? first : 0
        session.acked = Math.max(session.acked, Number(ack))
      },
      received(data, frame) {
        if (!frame) return 'frames: not one of the protocol'
        const [kind, first, second] = frame
        if (kind === HELLO) {
          if (judged === 'server') return 'hello: a server says none'
          if (hello) return 'hello: a second one'
          hello = first as Fields
          return introduced(hello)
        }
        if (kind === WELCOME) {
          if (judged === 'client') return 'welcome: a client says none'
          if (session) return 'welcome: a second one'
          if ((first as Fields).nonce !== hello?.nonce) return 'welcome: of another nonce'
          welcomed(first as Fields)
          return acknowledged(acked)
        }
        if (!hello) return 'hello: something came before it'
        // Once welcomed, a client may have sent before we closed: but never before
        if (!session) return kind === PING || kind === PONG ? undefined : 'welcome: something came before it'
        if (kind === MSG) return acknowledged(Number(second)) ?? numbered(Number(first), data)
        return kind === ACK ? acknowledged(Number(first)) : undefined
      },
    }
  }

  return { line }
}
