/** Time and chance. Everything that waits or draws does it through this. */

export interface Clock {
  /** ms on a scale that never goes back, and goes on while the machine sleeps. */
  now(): number
  /** ms since the epoch, for people. */
  wall(): number
  /** In [0, 1). */
  random(): number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

/** A step of the wall clock beyond the monotonic one by more than this was a sleep (or somebody set the clock). */
const SLEPT_MS = 1_000

/**
 * The runtime's clock. `performance.now()` may stand still while the machine sleeps
 * (https://github.com/mdn/content/issues/4713) and `Date.now()` may go back: this takes the better of both.
 */
export function systemClock(): Clock {
  let ahead = Date.now() - performance.now()
  let slept = ahead
  return {
    now() {
      const monotonic = performance.now()
      const gap = Date.now() - monotonic - ahead
      if (gap > SLEPT_MS) slept += gap
      if (Math.abs(gap) > SLEPT_MS) ahead += gap
      return monotonic + slept
    },
    wall: () => Date.now(),
    random: () => Math.random(),
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: timer => clearTimeout(timer as number),
  }
}
