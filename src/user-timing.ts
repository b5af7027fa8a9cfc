/** A log that is drawn: each state as a span on a track of its own in Chrome's Performance panel. */

import type { LogRecord } from './events'

/** Of the palette of the panel. */
const COLORS: { readonly [state: string]: string } = {
  open: 'primary',
  closed: 'tertiary-dark',
  waiting: 'error',
  suspended: 'secondary-dark',
}

/**
 * For the option `log`, one for each socket: `log: userTiming()`. A span is drawn when its state ends.
 * @see https://developer.chrome.com/docs/devtools/performance/extension
 */
export const userTiming = (): ((record: LogRecord) => void) => {
  let start = performance.now()
  return record => {
    if (record.type !== 'transition') return
    const { connection, from, event, to, reason } = record
    const end = performance.now()
    const devtools = {
      dataType: 'track-entry',
      trackGroup: 'reconnecting-socket',
      track: `WebSocket ${connection.split('.')[0]}`,
      color: COLORS[from] ?? 'secondary',
      tooltipText: `${from} until ${event}`,
      properties: Object.entries({ connection, next: to, reason }),
    }
    performance.measure(from, { start, end, detail: { devtools } })
    // The panel has it by now, and the page's own list of measures would grow for ever
    performance.clearMeasures(from)
    start = end
  }
}
