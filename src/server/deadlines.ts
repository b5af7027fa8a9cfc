/**
 * One timer for everything that has a deadline: that of the earliest. A heap, in which each has one place, so that what
 * is put off a thousand times leaves nothing behind.
 */

import type { Clock } from '../platform/clock'

/** What a server needs of a clock. `now()` in ms, and never back. */
export type ServerClock = Pick<Clock, 'now' | 'setTimeout' | 'clearTimeout'>

export interface Timed {
  /** When it has something to do, in ms; `Infinity`: never. */
  due(): number
  run(now: number): void
}

export interface Deadlines {
  /** How many there are. */
  readonly size: number
  /** The deadline of this may have come nearer. One that was only put off need not be told: it is found out in time. */
  update(timed: Timed): void
  remove(timed: Timed): void
}

interface Place {
  readonly timed: Timed
  at: number
  index: number
}

export const createDeadlines = (clock: ServerClock): Deadlines => {
  const places = new Map<Timed, Place>()
  const heap: Place[] = []
  let timer: unknown
  let armed = Infinity

  const put = (place: Place, index: number) => {
    heap[index] = place
    place.index = index
  }

  /** Moves it up or down to where it belongs. */
  const sift = (place: Place) => {
    let { index } = place
    for (;;) {
      const above = heap[(index - 1) >> 1]
      if (!index || !above || above.at <= place.at) break
      put(above, index)
      index = (index - 1) >> 1
    }
    for (;;) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]]
      const least = left && right && right.at < left.at ? right : left
      if (!least || least.at >= place.at) break
      const { index: below } = least
      put(least, index)
      index = below
    }
    put(place, index)
  }

  const take = (place: Place) => {
    places.delete(place.timed)
    const last = heap.pop()
    if (!last || last === place) return
    put(last, place.index)
    sift(last)
  }

  const file = (timed: Timed) => {
    const at = timed.due()
    const place = places.get(timed)
    if (at === Infinity) {
      if (place) take(place)
    } else if (!place) {
      const added = { timed, at, index: heap.length }
      places.set(timed, added)
      heap.push(added)
      sift(added)
    } else if (at !== place.at) {
      place.at = at
      sift(place)
    }
  }

  /** A timer that fires too early is cheaper than one that is set anew whenever something is put off. */
  const arm = () => {
    const next = heap[0]?.at ?? Infinity
    if (next < Infinity && next >= armed) return
    clock.clearTimeout(timer)
    armed = next
    timer = undefined
    if (next === Infinity) return
    timer = clock.setTimeout(fire, Math.max(0, next - clock.now()))
    // It is the sockets that keep a process alive
    ;(timer as { unref?(): void }).unref?.()
  }

  const fire = () => {
    armed = Infinity
    const now = clock.now()
    const late: Timed[] = []
    for (let first = heap[0]; first && first.at <= now; first = heap[0]) {
      take(first)
      late.push(first.timed)
    }
    for (const timed of late) {
      if (timed.due() <= now) timed.run(now)
      file(timed)
    }
    arm()
  }

  return {
    get size() {
      return heap.length
    },
    update(timed) {
      file(timed)
      arm()
    },
    remove(timed) {
      const place = places.get(timed)
      if (place) take(place)
      arm()
    },
  }
}
