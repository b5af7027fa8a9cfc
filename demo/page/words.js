// @ts-check
/** How states, close codes, times and sizes are put into words. */

/** @typedef {import('../../src/index').StateName} StateName */

/** @type {Record<StateName, string>} */
export const MEANINGS = {
  idle: 'Not started',
  connecting: 'Opening a connection',
  handshaking: 'Introducing ourselves',
  open: 'Messages flow',
  waiting: 'Cut off, will try again',
  suspended: 'Put away with the page',
  closing: 'Saying goodbye',
  closed: 'Nothing opens until you connect',
}

export const STATES = /** @type {StateName[]} */ (Object.keys(MEANINGS))

/**
 * Names of the IANA WebSocket Close Code Number Registry
 * @type {Record<number, string>}
 */
const CLOSE_CODES = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'no status',
  1006: 'abnormal closure',
  1007: 'invalid data',
  1008: 'policy violation',
  1009: 'message too big',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
}

/**
 * @param {number} code
 * @param {string} reason
 */
export function closeCode(code, reason) {
  const meaning = CLOSE_CODES[code]
  return [`${code}`, meaning && `(${meaning})`, reason && `“${reason}”`].filter(Boolean).join(' ')
}

/** @param {number} ms */
export const seconds = ms => `${(ms / 1_000).toFixed(1)} s`

/** @param {number | undefined} ms */
export function milliseconds(ms) {
  if (ms === undefined) return '–'
  if (ms >= 10_000) return seconds(ms)
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 60_000) return seconds(ms)
  const minutes = Math.floor(ms / 60_000)
  const rest = Math.floor((ms % 60_000) / 1_000)
  return `${minutes} min ${rest} s`
}

/** @param {number} amount */
export function bytes(amount) {
  if (amount < 1_024) return `${amount} B`
  if (amount < 1_048_576) return `${(amount / 1_024).toFixed(1)} KiB`
  return `${(amount / 1_048_576).toFixed(1)} MiB`
}

/** @param {number} amount */
export const count = amount => amount.toLocaleString('en')

/** @param {number} at */
export function clock(at) {
  const date = new Date(at)
  return `${date.toTimeString().slice(0, 8)}.${`${date.getMilliseconds()}`.padStart(3, '0')}`
}

/** @param {unknown} error */
export const describe = error => (error instanceof Error ? error.message : `${error}`)
