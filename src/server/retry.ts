/** When clients that are sent away should come again: not all at once. */

/** How long whoever finds no room should stay away, at least, in ms. */
const CROWDED_MS = 5_000

/**
 * The reason of a close frame that says when to come again, at random between `ms` and `ms + spreadMs`. Clients add up
 * to 20 % of their own.
 */
export const retrying = (token: string, ms: number, spreadMs = 0): string =>
  `${token}; retry=${Math.ceil(ms + Math.random() * spreadMs)}`

/** What there was no room for, and when to try again. */
export const crowded = (token: string): string => retrying(token, CROWDED_MS, CROWDED_MS)
