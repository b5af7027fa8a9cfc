/**
 * Virtual time, and connections that are as rude as real ones: frames still in flight arrive after the end, the end is
 * told to one side seconds later or never, and some connections live for a few frames only.
 */

import type { Random } from './random'

export type Wire = string | Uint8Array<ArrayBuffer>

interface Task {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export const createTime = () => {
  const heap: Task[] = []
  let order = 0
  const earlier = (a: Task | undefined, b: Task | undefined) =>
    !!a && (!b || a.at < b.at || (a.at === b.at && a.order < b.order))
  const time = {
    now: 1_000,
    after(ms: number, run: () => void) {
      const task = { at: time.now + ms, order: order++, run }
      let place = heap.push(task) - 1
      while (place > 0) {
        const parent = (place - 1) >> 1
        if (earlier(heap[parent], task)) break
        heap[place] = heap[parent] as Task
        place = parent
      }
      heap[place] = task
    },
    /** @returns false once there is nothing left to happen before `until` */
    step(until: number): boolean {
      const [first] = heap
      if (!first || first.at > until) return false
      const last = heap.pop() as Task
      if (heap.length) {
        let place = 0
        for (;;) {
          const left = 2 * place + 1
          const child = earlier(heap[left + 1], heap[left]) ? left + 1 : left
          if (!earlier(heap[child], last)) break
          heap[place] = heap[child] as Task
          place = child
        }
        heap[place] = last
      }
      time.now = first.at
      first.run()
      return true
    },
  }
  return time
}

export type Time = ReturnType<typeof createTime>

/** What one side of a connection hears. Replaced by nothing when that side lets go of it. */
export interface Ear {
  message(data: Wire): void
  closed(code: number): void
}

export interface Manners {
  /** Latency of each frame, in ms. */
  readonly latencyMs: number
  /** Chance of each frame to be the last that gets through. */
  readonly cut: number
  /** Frames after which every connection dies; Infinity: none. */
  readonly lifetime: number
  /** Chance of an end that nobody is told of. */
  readonly silence: number
}

export type Side = 'client' | 'server'

export interface Pipe {
  readonly id: number
  send(from: Side, data: Wire): void
  /** Lets go: this side hears nothing any more. The other may, later, hear of the end, or of nothing. */
  drop(from: Side, code: number): void
  hear(side: Side, ear: Ear): void
  readonly isOpen: boolean
}

const other = (side: Side): Side => (side === 'client' ? 'server' : 'client')

export const createPipe = (
  id: number,
  time: Time,
  { below, chance }: Random,
  manners: () => Manners,
): Pipe => {
  const ears: { [side in Side]?: Ear | undefined } = {}
  /** When the last frame towards that side arrives: no frame overtakes another. */
  const arrival = { client: 0, server: 0 }
  /** Whether frames towards that side still get on their way. */
  const flows = { client: true, server: true }
  let frames = 0
  let sends = 0
  let isOpen = true

  const tell = (side: Side, code: number, withinMs: number) => {
    if (chance(manners().silence)) return
    const at = Math.max(arrival[side], time.now + below(withinMs))
    time.after(at - time.now, () => {
      const ear = ears[side]
      ears[side] = undefined
      ear?.closed(code)
    })
  }

  const cut = () => {
    if (!isOpen) return
    isOpen = false
    // Towards one side what is on its way may be followed by more, into the void or not
    flows.client = flows.server = false
    tell('client', 1006, chance(0.5) ? 50 : 30_000)
    tell('server', 1006, chance(0.5) ? 50 : 30_000)
  }

  return {
    id,
    get isOpen() {
      return isOpen
    },
    hear(side, ear) {
      ears[side] = ear
    },
    send(from, data) {
      const to = other(from)
      if (++sends > 100_000) throw new Error('it never stops')
      if (!flows[to]) return
      const { latencyMs, cut: chanceOfCut, lifetime } = manners()
      if (++frames > lifetime || chance(chanceOfCut)) {
        // The last one may arrive or not
        if (chance(0.5)) return cut()
        cut()
      }
      const at = Math.max(arrival[to], time.now + below(latencyMs + 1))
      arrival[to] = at
      time.after(at - time.now, () => ears[to]?.message(data))
    },
    drop(from, code) {
      ears[from] = undefined
      flows[from] = false
      if (!isOpen) return
      isOpen = false
      // What was sent before arrives nevertheless; and half of the time the other side goes on writing for long
      tell(other(from), code, chance(0.5) ? 50 : 30_000)
    },
  }
}
