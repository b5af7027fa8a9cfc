/** What is told to the application, and when: in order, and never in the middle of a step. */

import { createEmitter, report } from './emitter'

/** Names of events, and their listeners. */
type Listeners<Events> = { [K in keyof Events]: (...args: never[]) => void }

/** @param isBusy whether a step is under way: what it leads to is told after it */
export const createNotices = <Events extends Listeners<Events>>(isBusy: () => boolean) => {
  const { on, emit, hears } = createEmitter<Events>()
  /** What is yet to be told. */
  const notices: (() => unknown)[] = []
  let announcing = false
  /** Promises not yet settled: each answers whether it has to go on waiting. */
  let waiters: (() => unknown)[] = []

  /** Settles promises, then tells listeners. What they cause is told after it. */
  const publish = (): void => {
    if (isBusy()) return
    // After each message, and mostly for nobody
    if (waiters.length) waiters = waiters.filter(waits => waits())
    if (announcing || !notices.length) return
    announcing = true
    for (const notice of notices) notice()
    notices.length = 0
    announcing = false
  }

  return {
    on,
    hears,
    publish,
    /** Tells at once: for within a notice. */
    emit,

    /** @param notice must not throw */
    note(notice: () => unknown): void {
      notices.push(notice)
    },

    tell<K extends keyof Events & string>(event: K, ...args: Parameters<Events[K]>): void {
      notices.push(() => emit(event, ...args))
    },

    /** As `tell`, of an error: if nobody listens, it goes to the console. */
    complain<K extends keyof Events & string>(event: K, ...args: Parameters<Events[K]>): void {
      // What a server sends must not end a Node process, which knows no reportError
      const log = typeof reportError === 'function' ? report : console.error
      notices.push(() => emit(event, ...args) || log(args[0]))
    },

    /** Fulfilled with the first answer but `false`, asked for after each step; rejected when `answer` throws. */
    wait<T>(answer: () => T | false): Promise<T> {
      return new Promise((resolve, reject) => {
        waiters.push(() => {
          try {
            const value = answer()
            return value === false || resolve(value)
          } catch (error) {
            return reject(error)
          }
        })
        publish()
      })
    },
  }
}
