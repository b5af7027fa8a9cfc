// @ts-check
/** The global of the script tag, with the types of the package. */

/** @typedef {typeof import('../../src/index')} Library */
/** @typedef {import('../../src/index').ReconnectingSocket<unknown, unknown>} Socket */
/** @typedef {import('../../src/index').Options<unknown, unknown>} Options */
/** @typedef {import('../../src/index').Codec<unknown, unknown>} Codec */

export const { ReconnectingSocket } =
  /** @type {{ ReconnectingSocket: Library['ReconnectingSocket'] & Library }} */ (
    /** @type {unknown} */ (globalThis)
  )
