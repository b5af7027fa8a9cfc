/** Numbered messages as a network might bring them, and what is to become of them, found out from scratch each time. */

import type { createSequencer, SequenceNumber } from '../../src/core/sequence'
import { random } from './random'

interface Item {
  readonly stream: string
  readonly seq: number
  readonly at: number
}

const MESSAGES = 60

/** Each stream has an order, and there is none between two. */
const byStream = (one: string, other: string) => one.charCodeAt(0) - other.charCodeAt(0)

/** All that was given and not yet told is looked through at each question. */
const naive = (window: number, timeoutMs: number) => {
  const last = new Map<string, number>()
  let pending: Item[] = []
  const of = (stream: string) => pending.filter(item => item.stream === stream).sort((a, b) => a.seq - b.seq)
  const tell = (now: number) => {
    const told: string[] = []
    for (const stream of new Set(pending.map(item => item.stream))) {
      for (let [head, ...rest] = of(stream); head; [head, ...rest] = of(stream)) {
        const next = (last.get(stream) ?? head.seq - 1) + 1
        const isLate = [head, ...rest].some(({ at }) => now - at >= timeoutMs)
        if (head.seq > next && rest.length < window && !isLate) break
        if (head.seq > next) told.push(`${stream} ${next}-${head.seq - 1}`)
        told.push(`${stream} ${head.seq}`)
        last.set(stream, head.seq)
        const done = head
        pending = pending.filter(item => item !== done)
      }
    }
    return told
  }
  return {
    tell,
    accept(item: Item) {
      const isNew =
        item.seq > (last.get(item.stream) ?? -Infinity) &&
        !of(item.stream).some(({ seq }) => seq === item.seq)
      if (isNew) pending.push(item)
      return tell(item.at)
    },
    shown: () => ({
      last: [...last].sort(),
      until: Math.min(Infinity, ...pending.map(({ at }) => at + timeoutMs)),
    }),
    held: (stream: string) => of(stream).length,
  }
}

/** What comes of two streams: lost here, doubled there, and in disorder, now within the window and now beyond. */
const traffic = (seed: number): Item[] => {
  const { below, chance } = random(seed)
  const [loss, doubling, spread, pace] = [below(4) / 20, below(4) / 20, below(10), 1 + below(20)]
  const first = below(3)
  return ['a', 'b'].flatMap(stream =>
    Array.from({ length: MESSAGES }, (_, n) => first + n).flatMap(seq => {
      const come = () => ({ stream, seq, at: (seq + (chance(0.3) ? below(spread + 1) : 0)) * pace })
      if (chance(loss)) return []
      return chance(doubling) ? [come(), come()] : [come()]
    }),
  )
}

/** @returns what is not as it should be, if anything */
export const compare = (make: typeof createSequencer, seed: number): unknown => {
  const { below, chance } = random(-seed)
  const window = below(6)
  const timeoutMs = window ? 1 + below(100) : Infinity
  const real = make<string>({ messages: window, timeoutMs })
  const model = naive(window, timeoutMs)
  const told: string[] = []
  let duplicates = 0
  const come = traffic(seed).sort((a, b) => a.at - b.at)
  let wrong: unknown

  const check = (
    now: number,
    steps: Iterable<{
      message?: string
      gap?: { stream: string; from: SequenceNumber; to: SequenceNumber } | undefined
    }>,
    expected: string[],
  ) => {
    const said = [...steps].map(({ message, gap }) =>
      gap ? `${gap.stream} ${gap.from}-${gap.to}` : `${message}`,
    )
    told.push(...said)
    const is = [
      [...said].sort(byStream),
      [...real.last].map(([stream, seq]) => [stream, Number(seq)]).sort(),
      real.until,
    ]
    const { last, until } = model.shown()
    const should = [[...expected].sort(byStream), last, until]
    if (JSON.stringify(is) !== JSON.stringify(should)) wrong ??= { now, is, should }
    for (const stream of ['a', 'b'])
      if (model.held(stream) > window) wrong ??= { now, held: model.held(stream) }
  }

  for (const item of [...come, undefined]) {
    // The one timer fires when it is due, or is late
    while (real.until <= (item?.at ?? Infinity) && real.until < Infinity && !(item && chance(0.1))) {
      const now = real.until
      check(now, real.tick(now), model.tell(now))
      if (real.until <= now) return { now, until: real.until }
    }
    if (!item) break
    const { stream, seq, at } = item
    const before = real.duplicates
    const number = chance(0.2) ? BigInt(seq) : seq
    check(at, real.accept(stream, number, `${stream} ${seq}`, at), model.accept(item))
    duplicates += real.duplicates - before
    if (wrong) return wrong
  }
  return wrong ?? account(come, told, duplicates)
}

/** Whatever the rules: nothing twice, nothing backwards, and each number was delivered or told to be missing, once. */
const account = (come: readonly Item[], told: readonly string[], duplicates: number) => {
  for (const stream of ['a', 'b']) {
    const own = told.flatMap(text => (text.startsWith(stream) ? [text.slice(2)] : []))
    const ranges = own.map(text => {
      const [from = 0, to = from] = text.split('-').map(Number)
      return { from, to, isGap: text.includes('-') }
    })
    let next = ranges[0]?.from
    for (const { from, to } of ranges) {
      if (from !== next || to < from) return { stream, from, to, next }
      next = to + 1
    }
    const arrived = new Set(come.filter(item => item.stream === stream).map(({ seq }) => seq))
    for (const { from, isGap } of ranges) if (!isGap && !arrived.has(from)) return { stream, invented: from }
  }
  const delivered = told.filter(text => !text.includes('-')).length
  if (delivered + duplicates !== come.length) return { delivered, duplicates, came: come.length }
  return undefined
}
