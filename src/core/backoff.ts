/** How long to wait before the next attempt, when nobody said otherwise. */

export interface Backoff {
  /** Ceiling of the first wait, in ms. */
  readonly baseMs: number
  /** Ceiling of every wait, in ms. */
  readonly maxMs: number
}

/** No wait is shorter, so that a socket that fails at once can never spin. */
const SHORTEST_MS = 100

/**
 * Full jitter below the cap, equal jitter (half fixed, half random) at it. Cap first, then multiply: jitter that
 * is added before the cap is lost at the cap, just when the whole fleet has got there.
 *
 * @param attempt failures in a row before this one, from 0
 * @param random in [0, 1)
 * @returns ms, finite and above zero for every attempt
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const backoff = (attempt: number, random: number, { baseMs, maxMs }: Backoff): number => {
  const uncapped = baseMs * 2 ** attempt
  const jittered = uncapped < maxMs ? random * uncapped : (0.5 + 0.5 * random) * maxMs
  return Math.max(jittered, Math.min(SHORTEST_MS, baseMs, maxMs))
}
