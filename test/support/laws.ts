/** What must hold whatever happens, S1 to S9 of the protocol: it is told everything, and says what was broken first. */

export type Way = 'up' | 'down'

/** One way of one session. */
interface Stream {
  /** By number, from 1: what was sent under it, first. */
  readonly sent: string[]
  readonly delivered: string[]
  consumed: number
}

type Fate = 'accepted' | 'settled' | 'certainly undelivered' | 'maybe undelivered'

export const createLaws = () => {
  const streams = new Map<string, Stream>()
  const fates = new Map<string, Fate>()
  /** Sessions that the client was welcomed to. */
  const known = new Set<string>()
  let sids = 0
  let epoch = 0
  let violation: string | undefined

  const breach = (law: string) => {
    violation ??= law
  }

  const stream = (way: Way, sid: string | undefined): Stream => {
    if (sid === undefined) breach('S8 nothing is sent or delivered outside of a session')
    const name = `${way} ${sid}`
    const found = streams.get(name) ?? { sent: [], delivered: [], consumed: 0 }
    streams.set(name, found)
    return found
  }

  return {
    breach,
    get violation() {
      return violation
    },
    /** For outcomes that are no breach. */
    fates,
    stream,
    accepted(message: string) {
      fates.set(message, 'accepted')
    },
    written(way: Way, sid: string | undefined, seq: number, message: string) {
      const { sent } = stream(way, sid)
      if (seq === sent.length + 1) sent.push(message)
      else if (sent[seq - 1] !== message)
        breach(`numbers have no gaps and keep their messages: ${way} ${seq}`)
      if (fates.get(message) === 'certainly undelivered')
        breach(`what is certainly undelivered is not sent: ${message}`)
    },
    delivered(way: Way, sid: string | undefined, message: string) {
      const { sent, delivered } = stream(way, sid)
      const expected = sent[delivered.length]
      if (message !== expected) breach(`S1 ${way} of ${sid}: ${message} was delivered, not ${expected}`)
      delivered.push(message)
      if (fates.get(message) === 'certainly undelivered')
        breach(`S3 what is certainly undelivered is not delivered: ${message}`)
    },
    consumed(way: Way, sid: string | undefined) {
      const found = stream(way, sid)
      if (++found.consumed > found.delivered.length) breach('nothing is consumed before it is delivered')
    },
    settled(way: Way, sid: string | undefined, messages: readonly string[]) {
      const { sent, consumed } = stream(way, sid)
      for (const message of messages) {
        if (fates.get(message) !== 'accepted') breach(`each settles once: ${message} ${fates.get(message)}`)
        fates.set(message, 'settled')
        const at = sent.indexOf(message)
        if (at < 0 || at >= consumed) breach(`S2 what is settled was consumed: ${message}`)
      }
    },
    undelivered(way: Way, sid: string | undefined, message: string, certain: boolean) {
      if (fates.get(message) !== 'accepted') breach(`each settles once: ${message} ${fates.get(message)}`)
      fates.set(message, certain ? 'certainly undelivered' : 'maybe undelivered')
      if (certain && sid !== undefined && stream(way, sid).delivered.includes(message))
        breach(`S3 what is certainly undelivered was not delivered: ${message}`)
    },
    nextSid: () => ++sids,
    welcomed(sid: string | undefined) {
      if (sid) known.add(sid)
    },
    taken(next: number) {
      if (next <= epoch) breach('S6 epochs increase')
      epoch = next
    },
    /** The client lost its session. Nobody is to blame: peers and network are rude, but honest. */
    lost(reason: string, isEcho: boolean) {
      if (isEcho || !['expired', 'unknown', 'overflow', 'evicted'].includes(reason))
        breach(`lost for no reason: ${reason}`)
    },
    ended(sid: string, reason: string) {
      if (reason === 'unknown' && !known.has(sid))
        breach('a session that the client never heard of is adopted, not replaced')
    },
    /** A connection was closed because of what came. */
    blamed(code: number) {
      if (code === 4400 || code === 4413 || code === 4426) breach(`the honest are not blamed: ${code}`)
    },
    bounds(way: Way, inFlight: number, win: number) {
      if (inFlight > win) breach(`S4 ${inFlight} in flight ${way}, the window is ${win}`)
    },
    /** Nothing is going on any more, and nothing went wrong of late. */
    final(sid: string | undefined) {
      for (const [message, fate] of fates) if (fate === 'accepted') breach(`L2 ${message} never settled`)
      for (const way of ['up', 'down'] as const) {
        const { sent, delivered, consumed } = stream(way, sid)
        if (sent.length !== delivered.length || consumed !== sent.length)
          breach(`L1 ${way}: ${delivered.length} of ${sent.length} delivered, ${consumed} consumed`)
      }
    },
  }
}

export type Laws = ReturnType<typeof createLaws>
