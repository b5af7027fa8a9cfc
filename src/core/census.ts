/**
 * Who has how many sessions, and which has to go if there is no room for another: of those without a connection the
 * one that has been so for the longest. Whoever is connected stays.
 */

export interface Limits {
  readonly sessionsPerPrincipal: number
  readonly sessions: number
  /** What all sessions without a connection may keep for their clients, in bytes. */
  readonly detachedBytes: number
}

export interface Census<Session> {
  readonly detached: number
  begun(session: Session): void
  /** It has no connection now, and keeps so many bytes. */
  left(session: Session, bytes: number): void
  back(session: Session): void
  ended(session: Session): void
  /** Counts anew what one that has left keeps. */
  weigh(session: Session, bytes: number): void
  /** @returns whom another session of this principal would replace; or whose limit refuses it, as nobody can be */
  inTheWay(principal: string): Session | 'principal' | 'server' | undefined
  /** Who has to go because too much is kept: the first that left and keeps anything. */
  excess(): Session | undefined
}

export const createCensus = <Session extends { readonly principal: string }>({
  sessionsPerPrincipal,
  sessions,
  detachedBytes,
}: Limits): Census<Session> => {
  let all = 0
  let kept = 0
  /** In the order in which they left, with what each keeps. */
  const away = new Map<Session, number>()
  const principals = new Map<string, { all: number; readonly away: Set<Session> }>()

  const back = (session: Session) => {
    kept -= away.get(session) ?? 0
    away.delete(session)
    principals.get(session.principal)?.away.delete(session)
  }

  return {
    get detached() {
      return away.size
    },
    begun({ principal }) {
      const own = principals.get(principal) ?? { all: 0, away: new Set() }
      principals.set(principal, own)
      own.all++
      all++
    },
    left(session, bytes) {
      away.set(session, bytes)
      kept += bytes
      principals.get(session.principal)?.away.add(session)
    },
    back,
    ended(session) {
      back(session)
      all--
      const own = principals.get(session.principal)
      if (own && !--own.all) principals.delete(session.principal)
    },
    weigh(session, bytes) {
      const before = away.get(session)
      if (before === undefined) return
      away.set(session, bytes)
      kept += bytes - before
    },
    inTheWay(principal) {
      const own = principals.get(principal)
      if (own && own.all >= sessionsPerPrincipal) return own.away.values().next().value ?? 'principal'
      return all < sessions ? undefined : (away.keys().next().value ?? 'server')
    },
    excess() {
      if (kept > detachedBytes) for (const [session, bytes] of away) if (bytes) return session
      return undefined
    },
  }
}
