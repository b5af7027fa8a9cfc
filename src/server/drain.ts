/** How a server ends: nobody is let in any more, those who wait are sent away, and sessions end as they become idle. */

import type { ServerClock } from './deadlines'
import { type ServerCloseOptions, settleServerClose } from './options'
import { retrying } from './retry'
import type { Draining } from './shell'

export interface Drain {
  readonly isOn: boolean
  /** Once more: the same promise. @throws SocketError `invalid-option` */
  close(options: ServerCloseOptions): Promise<void>
  /** What a client is told that comes too late, or waits: when to come again, each at a time of its own. */
  reason(): string
  /** Nothing is left. */
  finish(): void
}

/** @param begin sends away who waits, and drains who does not, each as they are told */
export const createDrain = (clock: ServerClock, begin: (how: () => Draining) => void): Drain => {
  let closing: { readonly done: Promise<void>; reason(): string } | undefined
  let finish = () => {}

  return {
    get isOn() {
      return closing !== undefined
    },
    close(options) {
      const { reason: token, retryMs, spreadMs, timeoutMs } = settleServerClose(options)
      if (closing) return closing.done
      const reason = () => retrying(token, retryMs, spreadMs)
      const done = new Promise<void>(resolve => {
        finish = resolve
      })
      closing = { done, reason }
      const until = clock.now() + timeoutMs
      begin(() => {
        const told = reason()
        return { until, reason: told, code: 4503, lateReason: told, lateCode: 4503, isServer: true }
      })
      return done
    },
    reason: () => closing?.reason() ?? '',
    finish: () => finish(),
  }
}
