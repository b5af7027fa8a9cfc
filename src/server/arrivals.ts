/** The sessions that begin, for whoever iterates the server. One that has ended before it was asked for is left out. */

import { createPull, type Pull } from './pull'
import type { Session } from './session'

export interface Arrivals {
  begun(session: Session): void
  ended(session: Session): void
  /** Nothing more will begin: answers those who wait. */
  wake(): void
  iterate(): AsyncIterableIterator<Session, undefined, undefined>
}

/** @param isOver whether nothing more will begin */
export const createArrivals = (isOver: () => boolean): Arrivals => {
  const iterators = new Set<{ readonly waiting: Set<Session>; readonly pull: Pull<Session> }>()

  return {
    begun(session) {
      for (const { waiting, pull } of iterators) {
        waiting.add(session)
        pull.wake()
      }
    },
    ended(session) {
      for (const { waiting } of iterators) waiting.delete(session)
    },
    wake() {
      for (const { pull } of iterators) pull.wake()
    },
    iterate() {
      const waiting = new Set<Session>()
      const take = () => {
        const [value] = waiting
        if (!value) return undefined
        waiting.delete(value)
        return { value }
      }
      const pull: Pull<Session> = createPull(
        take,
        isOver,
        () => pull.wake(),
        () => iterators.delete(iterator),
      )
      const iterator = { waiting, pull }
      iterators.add(iterator)
      return pull.iterator
    },
  }
}
