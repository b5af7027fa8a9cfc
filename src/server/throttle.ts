/**
 * Who says too much, and how long they have to be silent then: clients, by what comes from them, and principals, by how
 * often they say hello. Each is remembered until as much may come as from a stranger; so neither another connection nor
 * another session makes good.
 */

import { type Bucket, createBucket } from './bucket'
import type { ServerSettings } from './options'

export interface Throttle {
  /** Something came from a client. @returns for how long it must stay away, in ms; 0: that was not too much */
  heard(id: string, bytes: number, now: number): number
  /** How long a client must still stay away, in ms. */
  silence(id: string, now: number): number
  /** A hello for a principal. @returns for how long it must stay away, in ms; 0: that was not too much */
  hello(principal: string, now: number): number
}

/** How many are remembered before we look who need not be. */
const MANY = 1_000
/** Hellos that may come at once, as the time that they take on average. */
const HELLO_BURST_MS = 10_000

interface Speaker {
  readonly times: Bucket
  readonly bytes: Bucket | undefined
  /** When it may speak again. */
  until: number
}

/** @param bytesPerSecond left out, they are not counted */
const createRates = (timesPerSecond: number, bytesPerSecond: number | undefined, burstMs: number) => {
  const known = new Map<string, Speaker>()
  let many = MANY

  const bucketOf = (perSecond: number, now: number) =>
    createBucket(perSecond, (perSecond * burstMs) / 1_000, now)

  const forget = (now: number) => {
    for (const [name, { times, bytes }] of known)
      if (times.isFull(now) && bytes?.isFull(now) !== false) known.delete(name)
    many = Math.max(MANY, 2 * known.size)
  }

  const meet = (name: string, now: number): Speaker => {
    if (known.size > many) forget(now)
    const bytes = bytesPerSecond ? bucketOf(bytesPerSecond, now) : undefined
    const speaker = { times: bucketOf(timesPerSecond, now), bytes, until: 0 }
    known.set(name, speaker)
    return speaker
  }

  return {
    silence: (name: string, now: number) => Math.max(0, (known.get(name)?.until ?? 0) - now),
    take(name: string, size: number, now: number) {
      const one = known.get(name) ?? meet(name, now)
      const { times, bytes, until } = one
      if (until > now) return until - now
      if (times.take(1, now) && bytes?.take(size, now) !== false) return 0
      const waitMs = Math.max(1, times.wait(now), bytes?.wait(now) ?? 0)
      one.until = now + waitMs
      return waitMs
    },
  }
}

export const createThrottle = ({
  rate: { messagesPerSecond, bytesPerSecond, burstMs },
  limits: { hellosPerSecond },
}: Pick<ServerSettings, 'rate' | 'limits'>): Throttle => {
  const clients = createRates(messagesPerSecond, bytesPerSecond, burstMs)
  const principals = createRates(hellosPerSecond, undefined, HELLO_BURST_MS)

  return {
    heard: clients.take,
    silence: clients.silence,
    hello: (principal, now) => principals.take(principal, 0, now),
  }
}
