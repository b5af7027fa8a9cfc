/** Listeners, isolated from us and from each other: what one throws is reported, and everyone else goes on. */

import { createNanoEvents } from 'nanoevents'

type Listener = (...args: never[]) => void

export interface Emitter<Events extends { [K in keyof Events]: Listener }> {
  /** @returns unsubscribes; from then on the listener is not called, even if it would have been next */
  on<K extends keyof Events & string>(event: K, listener: Events[K]): () => void
  /** Whether anyone listens. */
  hears<K extends keyof Events & string>(event: K): boolean
  /** @returns whether anyone listens. One who joins while this goes on is called from the next time. */
  emit<K extends keyof Events & string>(event: K, ...args: Parameters<Events[K]>): boolean
}

export const createEmitter = <Events extends { [K in keyof Events]: Listener }>(): Emitter<Events> => {
  const emitter = createNanoEvents<Record<string, Listener>>()
  return {
    on(event, listener) {
      let active = true
      const off = emitter.on(event, (...args) => {
        if (active) guarded(() => listener(...args))
      })
      return () => {
        active = false
        off()
      }
    },
    hears: event => !!emitter.events[event]?.length,
    emit(event, ...args) {
      const heard = !!emitter.events[event]?.length
      emitter.emit(event, ...(args as never[]))
      return heard
    },
  }
}

/** Where errors go that are nobody's to catch: to `window.onerror` and the console, as from any event listener. */
export const report = (error: unknown): void => {
  try {
    reportError(error)
  } catch {
    // There is none, or it is the application's own, and fails
    queueMicrotask(() => {
      throw error
    })
  }
}

/** Runs what belongs to the user. What it throws is reported, and counts as no answer. */
export const guarded = <T>(ask: () => T): T | undefined => {
  try {
    return ask()
  } catch (error) {
    return report(error) as undefined
  }
}
