/**
 * Who says too much, and how long they have to be silent then: clients, by what comes from them, and principals, by how
 * often they say hello. Each is remembered until as much may come as from a stranger; so neither another connection nor
 * another session makes good.
 */

import { createBucket } from './bucket'
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

/** @param rates per second, of whatever is counted */
const createRates = (rates: readonly number[], burstMs: number) => {
  const makeBuckets = (now: number) =>
    rates.map(perSecond => createBucket(perSecond, (perSecond * burstMs) / 1_000, now))
  const known = new Map<string, { readonly buckets: ReturnType<typeof makeBuckets>; until: number }>()
  let many = MANY

  const forget = (now: number) => {
    for (const [name, { buckets }] of known)
      if (buckets.every(bucket => bucket.isFull(now))) known.delete(name)
    many = Math.max(MANY, 2 * known.size)
  }

  return {
    silence: (name: string, now: number) => Math.max(0, (known.get(name)?.until ?? 0) - now),
    take(name: string, costs: readonly number[], now: number) {
      if (known.size > many) forget(now)
      const one = known.get(name) ?? { buckets: makeBuckets(now), until: 0 }
      known.set(name, one)
      if (one.until > now) return one.until - now
      if (one.buckets.every((bucket, n) => bucket.take(costs[n] ?? 0, now))) return 0
      const waitMs = Math.max(1, ...one.buckets.map(bucket => bucket.wait(now)))
      one.until = now + waitMs
      return waitMs
    },
  }
}

const ONCE = [1]

export const createThrottle = ({
  rate: { messagesPerSecond, bytesPerSecond, burstMs },
  limits: { hellosPerSecond },
}: Pick<ServerSettings, 'rate' | 'limits'>): Throttle => {
  const clients = createRates(
    bytesPerSecond ? [messagesPerSecond, bytesPerSecond] : [messagesPerSecond],
    burstMs,
  )
  const principals = createRates([hellosPerSecond], HELLO_BURST_MS)

  return {
    heard: (id, bytes, now) => clients.take(id, [1, bytes], now),
    silence: clients.silence,
    hello: (principal, now) => principals.take(principal, ONCE, now),
  }
}
