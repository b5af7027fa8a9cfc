/** Time and chance. Everything that waits or draws does it through this. */

export interface Clock {
  /** ms since the epoch, except that it never goes back, and goes on while the machine sleeps. */
  now(): number
  /** In [0, 1). */
  random(): number
  /** As the global one. `ms` may be less than 0, which is at once. */
  setTimeout(callback: () => void, ms: number): unknown
  /** As the global one, with what `setTimeout` answered. */
  clearTimeout(timer: unknown): void
  /** Calls back in a task of its own, soon, and in hidden pages too, where timers wait for a second or a minute. */
  hop(callback: () => void): void
}

/** A step of the wall clock beyond the monotonic one by more than this was a sleep (or somebody set the clock). */
const SLEPT_MS = 1_000

/**
 * The runtime's clock. `performance.now()` may stand still while the machine sleeps
 * (https://github.com/mdn/content/issues/4713) and `Date.now()` may go back: this takes the better of both.
 */
export const systemClock = (): Clock => {
  // The first look finds the epoch itself ahead
  let ahead = 0
  return {
    now() {
      const slept = Date.now() - performance.now() - ahead
      if (slept > SLEPT_MS) ahead += slept
      return performance.now() + ahead
    },
    random: Math.random,
    // Node warns of a moment that has passed, where browsers do not
    setTimeout: (callback, ms) => setTimeout(callback, Math.max(0, ms)),
    clearTimeout: timer => clearTimeout(timer as number),
    hop(callback) {
      if (typeof setImmediate === 'function') return void setImmediate(callback)
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        callback()
      }
      port2.postMessage(0)
    },
  }
}
