/** The outbox as an array that is searched from its head, and random operations that hold the real one against it. */

import { type createOutbox, Entry, type Loss, type OutboxPolicy } from '../../src/core/outbox'
import { random } from './random'

type Policy = OutboxPolicy
type Item = Entry<number>

interface Told {
  readonly message: number
  readonly why: Loss
}

/** Entries are shared with the real one, so it keeps the numbers that it gives apart. */
const naive = (policy: Policy, told: Told[]) => {
  let sent: { item: Item; seq: number }[] = []
  let queue: Item[] = []
  let numbered = 0
  /** How many of `sent` the present transport was handed. */
  let handed = 0
  const size = (items: readonly Item[]) => items.reduce((sum, { bytes }) => sum + bytes, 0)
  const inFlightBytes = () => size(sent.map(({ item }) => item))
  const fits = (items: readonly Item[]) =>
    items.length <= policy.maxMessages && size(items) <= policy.maxBytes
  const lose = (item: Item, why: Loss) => {
    queue = queue.filter(each => each !== item)
    told.push({ message: item.message, why })
  }
  const late = (item: Item, now: number) => item.expiresAt > 0 && item.expiresAt <= now
  const prune = (now: number) => {
    while (queue[0] && late(queue[0], now)) lose(queue[0], 'expired')
  }
  const settle = (count: number) => {
    const settled = sent.splice(0, count)
    handed = Math.max(0, handed - count)
    return settled.map(({ item }) => item)
  }
  const sweep = (now: number) => {
    for (const item of queue) if (late(item, now)) lose(item, 'expired')
  }
  return {
    push(item: Item, now: number) {
      if (!fits([...queue, item])) prune(now)
      if (!fits([...queue, item])) sweep(now)
      const old = queue.find(({ key }) => key !== undefined && key === item.key)
      const next = old ? queue.map(each => (each === old ? item : each)) : [...queue, item]
      if (!fits(next) && (policy.overflow !== 'drop-oldest' || item.bytes > policy.maxBytes)) {
        if (policy.overflow === 'throw') return undefined
        told.push({ message: item.message, why: 'queue-full' })
        return false
      }
      if (old) told.push({ message: old.message, why: 'replaced' })
      queue = next
      while (!fits(queue)) {
        const oldest = queue.find(each => each !== item)
        if (oldest) lose(oldest, 'queue-full')
      }
      return true
    },
    peek(now: number) {
      if (handed === sent.length) prune(now)
      return handed < sent.length ? sent[handed]?.item : queue[0]
    },
    advance() {
      if (handed === sent.length) {
        const item = queue.shift()
        if (item) sent.push({ item, seq: ++numbered })
      }
      handed++
    },
    remove(item: Item) {
      const isIn = queue.includes(item)
      queue = queue.filter(each => each !== item)
      return isIn
    },
    sweep,
    acknowledge: (seq: number) => settle(sent.filter(each => each.seq <= seq).length),
    left(buffered: number) {
      let count = 0
      for (let rest = inFlightBytes(); count < sent.length; count++) {
        rest -= sent[count]?.item.bytes ?? 0
        if (rest < buffered) break
      }
      return settle(count)
    },
    rewind() {
      handed = 0
    },
    recall() {
      numbered = 0
      return settle(sent.length)
    },
    restore(items: readonly Item[]) {
      for (const item of [...items].reverse()) {
        const isOld = queue.some(({ key }) => key !== undefined && key === item.key)
        if (isOld) told.push({ message: item.message, why: 'replaced' })
        else queue.unshift(item)
      }
    },
    clear() {
      const all = [...sent.map(({ item }) => item), ...queue]
      sent = []
      queue = []
      numbered = handed = 0
      return all
    },
    /** All that can be seen from outside. */
    shown: () => ({
      messages: queue.length,
      bytes: size(queue),
      inFlightBytes: inFlightBytes(),
      numbered,
      acked: numbered - sent.length,
      sent: numbered - sent.length + handed,
      soonEnough: true,
      entries: [
        ...sent.map(({ item, seq }) => [item.message, seq]),
        ...queue.map(({ message }) => [message, 0]),
      ],
    }),
  }
}

/** @returns the first operation after which both do not agree, if any */
export const compare = (make: typeof createOutbox, seed: number, operations: number): unknown => {
  const { below, pick } = random(seed)
  const policy: Policy = {
    maxMessages: 1 + below(8),
    maxBytes: 20 + below(100),
    highWaterMarkBytes: 50,
    overflow: pick(['throw', 'drop-oldest', 'drop-newest']),
  }
  const told: { real: Told[]; naive: Told[] } = { real: [], naive: [] }
  const real = make<number>(policy, ({ message }, why) => {
    if (told.real.push({ message, why }) > 1_000) throw new Error('it never stops')
  })
  const model = naive(policy, told.naive)
  const past: Item[] = []
  let now = 1
  const messages = (items: readonly Item[]) => items.map(({ message }) => message)

  for (let n = 0; n < operations; n++) {
    now += below(3)
    const seq = real.acked.seq + below(4)
    const buffered = below(60)
    const old = past[past.length - 1 - below(12)]
    const item = new Entry(
      n,
      '',
      below(4) ? below(30) : below(150),
      below(2) ? pick(['a', 'b']) : undefined,
      below(2) ? now + below(20) : 0,
    )
    const run: { readonly [name: string]: readonly [() => unknown, () => unknown] } = {
      push: [() => real.push(item, now), () => model.push(item, now)],
      take: [
        () => real.peek(now)?.message,
        () => {
          const expected = model.peek(now)
          if (expected && real.peek(now) === expected) {
            real.advance()
            model.advance()
          }
          return expected?.message
        },
      ],
      remove: [() => !!old && real.remove(old), () => !!old && model.remove(old)],
      sweep: [() => real.sweep(now), () => model.sweep(now)],
      acknowledge: [() => messages(real.acknowledge(seq)), () => messages(model.acknowledge(seq))],
      left: [() => messages(real.left(buffered)), () => messages(model.left(buffered))],
      rewind: [() => real.rewind(), () => model.rewind()],
      recall: [() => messages(real.recall()), () => messages(model.recall())],
      restore: [
        () => {
          const recalled = real.recall()
          real.restore(recalled)
        },
        () => model.restore(model.recall()),
      ],
      clear: [() => messages(real.clear()), () => messages(model.clear())],
    }
    const often = ['push', 'push', 'push', 'push', 'take', 'take', 'take']
    const rare = below(40) ? [] : ['clear', 'recall', 'restore', 'rewind', 'left']
    const name = pick([...often, 'remove', 'sweep', 'acknowledge', ...rare])
    const [act, expected] = run[name] ?? []
    const answers = [act?.(), expected?.()]
    if (name === 'push') past.push(item)
    const lifetimes = real.entries().flatMap(({ seq, expiresAt }) => (seq || !expiresAt ? [] : [expiresAt]))
    const shown = {
      messages: real.messages,
      bytes: real.bytes,
      inFlightBytes: real.inFlightBytes,
      numbered: real.numbered.seq,
      acked: real.acked.seq,
      sent: real.sent.seq,
      soonEnough: real.soonest <= Math.min(...lifetimes),
      entries: real.entries().map(({ message, seq }) => [message, seq]),
    }
    const [a, b] = [
      JSON.stringify([answers[0], told.real, shown]),
      JSON.stringify([answers[1], told.naive, model.shown()]),
    ]
    told.real.length = told.naive.length = 0
    if (a !== b) return { n, name, policy, real: a, naive: b }
  }
  return undefined
}
