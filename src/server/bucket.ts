/**
 * A token bucket. It is full at first, and what is taken comes back at an even pace. Who finds anything in it may take
 * what it needs, even more than there is: that has to come back first. So what costs more than a bucket holds is not
 * refused for ever, and the average holds.
 *
 * Pure: whoever asks brings the time, in ms.
 */

export interface Bucket {
  /** @returns whether there was anything. If not, nothing is taken */
  take(cost: number, now: number): boolean
  /** How long until half of it is there, in ms. */
  wait(now: number): number
  /** As good as a new one. */
  isFull(now: number): boolean
}

/** @param burst what it holds */
export const createBucket = (perSecond: number, burst: number, from: number): Bucket => {
  let level = burst
  let at = from

  const look = (now: number) => {
    level = Math.min(burst, level + (Math.max(0, now - at) * perSecond) / 1_000)
    at = Math.max(at, now)
    return level
  }

  return {
    take(cost, now) {
      const isThere = look(now) > 0
      if (isThere) level -= cost
      return isThere
    },
    wait: now => Math.max(0, ((burst / 2 - look(now)) / perSecond) * 1_000),
    isFull: now => look(now) >= burst,
  }
}
