/** Events as promises and as lists, so that a test awaits what happens instead of sleeping. */

import type { EventMap, ReconnectingSocket, StateName } from '../../src/index'

type Told<I, O, K extends keyof EventMap<I, O>> = Parameters<EventMap<I, O>[K]>[0]

/** What the next event of this type tells. */
export function next<I, O, K extends keyof EventMap<I, O>>(
  socket: ReconnectingSocket<I, O>,
  event: K,
): Promise<Told<I, O, K>> {
  return new Promise(resolve => {
    const listener = (told: Told<I, O, K>) => resolve(told)
    socket.once(event, listener as EventMap<I, O>[K])
  })
}

/** A list that grows by what each event of this type tells. */
export function collect<I, O, K extends keyof EventMap<I, O>>(
  socket: ReconnectingSocket<I, O>,
  event: K,
): Told<I, O, K>[] {
  const list: Told<I, O, K>[] = []
  const listener = (told: Told<I, O, K>) => list.push(told)
  socket.on(event, listener as unknown as EventMap<I, O>[K])
  return list
}

/** Fulfilled once the state has this name, at once if it has. */
export function until<I, O>(socket: ReconnectingSocket<I, O>, name: StateName): Promise<void> {
  return new Promise(resolve => {
    if (socket.state.name === name) return resolve()
    const off = socket.on('state', state => {
      if (state.name !== name) return
      off()
      resolve()
    })
  })
}

/** Only to show that something does *not* happen: for that there is no event. */
export const quiet = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
