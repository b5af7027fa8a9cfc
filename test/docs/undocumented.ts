/** For a test: what the API reference must not be generated from. */

/** Leads to {@link nowhere}. */
export const linked = 1

export const undocumented = 2
