// @ts-check
/** Tells how long an echo took. A server answers in order, so what stands before an echo that came is lost. */

/** So many may be on their way and still be measured. */
const LONGEST = 20_000
/** A server that does not echo must not cost a look at all of them for each of its messages. */
const LOOK = 1_000

export function createEchoes() {
  /** @type {{ key: string, at: number }[]} */
  let pending = []
  let head = 0

  return {
    /** @param {string} key */
    sent(key) {
      pending.push({ key, at: performance.now() })
      if (pending.length - head > LONGEST) head++
      if (head < LONGEST) return
      pending = pending.slice(head)
      head = 0
    },

    /**
     * @param {string} key
     * @returns {number | undefined} ms since it was sent, if it is an echo
     */
    came(key) {
      const end = Math.min(pending.length, head + LOOK)
      for (let at = head; at < end; at++) {
        const entry = pending[at]
        if (entry?.key !== key) continue
        head = at + 1
        return performance.now() - entry.at
      }
      return undefined
    },

    /**
     * The connection is gone, and what it was handed will not be echoed.
     * @param {number} queued how many were not handed over
     */
    lost(queued) {
      pending = pending.slice(Math.max(head, pending.length - queued))
      head = 0
    },

    /** @param {string} key of one that was in the queue and had to go */
    dropped(key) {
      const at = pending.findIndex((entry, index) => index >= head && entry.key === key)
      if (at >= 0) pending.splice(at, 1)
    },
  }
}
