// @ts-check
/** Checks a running number, 1, 2, 3 and so on, as it comes in. Both the page and the server count by this. */

/**
 * @typedef {object} Tally
 * @property {number} received
 * @property {number} lost numbers that were passed over and have not come since
 * @property {number} doubled
 * @property {number} disordered numbers that came after a higher one
 */

/** A number out of this world must not cost a note of each that is missing before it. */
const MOST_NOTED = 10_000

export function createTally() {
  let expected = 1
  /** @type {Set<number>} */
  const missing = new Set()
  /** @type {Tally} */
  const tally = { received: 0, lost: 0, doubled: 0, disordered: 0 }

  return {
    /** @param {number} n */
    came(n) {
      tally.received++
      if (n >= expected) {
        tally.lost += n - expected
        for (; expected < n && missing.size < MOST_NOTED; expected++) missing.add(expected)
        expected = n + 1
      } else if (missing.delete(n)) {
        tally.lost--
        tally.disordered++
      } else tally.doubled++
    },

    /** @returns {Tally} as it is now */
    read: () => ({ ...tally }),
  }
}
