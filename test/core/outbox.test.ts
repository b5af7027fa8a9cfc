import { describe, expect, test } from 'vitest'
import { createOutbox, Entry, type Loss, type OutboxPolicy } from '../../src/core/outbox'
import { compare } from '../support/naive-outbox'

const entry = (message: number, bytes: number, key?: unknown, expiresAt?: number) =>
  new Entry(message, `${message}`, bytes, key, expiresAt)
const messages = (entries: readonly Entry<number>[]) => entries.map(({ message }) => message)
const limits: OutboxPolicy = { maxMessages: 4, maxBytes: 100, highWaterMarkBytes: 40, overflow: 'throw' }

/** With the losses it reported, in order. */
const make = (policy: Partial<OutboxPolicy> = {}) => {
  const losses: (readonly [number, Loss])[] = []
  const outbox = createOutbox<number>({ ...limits, ...policy }, ({ message }, why) =>
    losses.push([message, why]),
  )
  const send = (count = 1) => {
    for (let n = 0; n < count && outbox.peek(); n++) outbox.advance()
  }
  return { outbox, losses, send }
}

describe('at the limit', () => {
  const filled = (overflow: OutboxPolicy['overflow']) => {
    const made = make({ overflow })
    for (const n of [1, 2, 3, 4]) made.outbox.push(entry(n, 20))
    return made
  }

  test("'throw' refuses and changes nothing", () => {
    const { outbox, losses } = filled('throw')
    expect(outbox.push(entry(5, 1))).toBeUndefined()
    expect([outbox.messages, losses]).toEqual([4, []])
  })

  test("'drop-oldest' makes room, as much as is needed", () => {
    const { outbox, losses } = filled('drop-oldest')
    expect(outbox.push(entry(5, 60))).toBe(true)
    expect(losses).toEqual([
      [1, 'queue-full'],
      [2, 'queue-full'],
    ])
    expect(messages(outbox.clear())).toEqual([3, 4, 5])
  })

  test("'drop-newest' drops what comes", () => {
    const { outbox, losses } = filled('drop-newest')
    expect(outbox.push(entry(5, 1))).toBe(false)
    expect(losses).toEqual([[5, 'queue-full']])
    expect(messages(outbox.clear())).toEqual([1, 2, 3, 4])
  })

  test('nobody is dropped for a message that would not fit alone', () => {
    const { outbox, losses } = filled('drop-oldest')
    expect(outbox.push(entry(5, 101))).toBe(false)
    expect(losses).toEqual([[5, 'queue-full']])
    expect(outbox.messages).toBe(4)
  })

  test('what is in flight neither counts nor is dropped', () => {
    const { outbox, losses, send } = filled('drop-oldest')
    send(2)
    for (const n of [5, 6, 7]) outbox.push(entry(n, 20))
    expect(losses).toEqual([[3, 'queue-full']])
    expect(messages(outbox.entries())).toEqual([1, 2, 4, 5, 6, 7])
  })

  test('what has expired goes before what has not', () => {
    const { outbox, losses } = make({ overflow: 'drop-oldest' })
    outbox.push(entry(1, 20))
    outbox.push(entry(2, 20, undefined, 10))
    outbox.push(entry(3, 20))
    outbox.push(entry(4, 20))
    outbox.push(entry(5, 20), 10)
    expect(losses).toEqual([[2, 'expired']])
  })
})

describe('a key', () => {
  test('the later has the place of the earlier', () => {
    const { outbox, losses } = make()
    outbox.push(entry(1, 20, 'a'))
    outbox.push(entry(2, 20))
    outbox.push(entry(3, 30, 'a'))
    expect(losses).toEqual([[1, 'replaced']])
    expect(messages(outbox.entries())).toEqual([3, 2])
    expect(outbox.bytes).toBe(50)
  })

  test('a full queue has room for what replaces', () => {
    const { outbox } = make({ maxMessages: 1, maxBytes: 20 })
    outbox.push(entry(1, 20, 'a'))
    expect(outbox.push(entry(2, 20, 'a'))).toBe(true)
    expect(outbox.push(entry(3, 21, 'a'))).toBeUndefined()
    expect(messages(outbox.entries())).toEqual([2])
    expect(outbox.push(entry(4, 20, 'a'))).toBe(true)
  })

  test('what stood before may have to go for what replaces', () => {
    const { outbox, losses } = make({ overflow: 'drop-oldest' })
    outbox.push(entry(1, 20))
    outbox.push(entry(2, 20, 'a'))
    outbox.push(entry(3, 20))
    outbox.push(entry(4, 80, 'a'))
    expect(losses.map(([message]) => message)).toEqual([2, 1])
    expect(messages(outbox.entries())).toEqual([4, 3])
  })

  test('what is in flight is not replaced', () => {
    const { outbox, losses, send } = make()
    outbox.push(entry(1, 20, 'a'))
    send()
    outbox.push(entry(2, 20, 'a'))
    expect(losses).toEqual([])
    expect(messages(outbox.entries())).toEqual([1, 2])
  })
})

describe('lifetime', () => {
  test('whoever asks for the next is not given what is too late', () => {
    const { outbox, losses } = make()
    outbox.push(entry(1, 1, undefined, 10))
    outbox.push(entry(2, 1))
    expect(outbox.peek(9)?.message).toBe(1)
    expect(outbox.peek(10)?.message).toBe(2)
    expect(losses).toEqual([[1, 'expired']])
  })

  test('a sweep takes them wherever they stand, and tells when to come again', () => {
    const { outbox, losses } = make()
    outbox.push(entry(1, 1))
    outbox.push(entry(2, 1, undefined, 10))
    outbox.push(entry(3, 1, undefined, 30))
    outbox.push(entry(4, 1, undefined, 20))
    expect(outbox.soonest).toBe(10)
    outbox.sweep(20)
    expect(losses).toEqual([
      [2, 'expired'],
      [4, 'expired'],
    ])
    expect(outbox.soonest).toBe(30)
  })

  test('what has a number does not expire', () => {
    const { outbox, losses, send } = make()
    outbox.push(entry(1, 1, undefined, 10))
    send()
    outbox.rewind()
    outbox.sweep(10)
    expect(outbox.peek(10)?.message).toBe(1)
    expect(losses).toEqual([])
  })
})

describe('numbers', () => {
  test('have no gaps, whatever was taken out before', () => {
    const { outbox, send } = make()
    const second = entry(2, 1)
    for (const each of [entry(1, 1), second, entry(3, 1)]) outbox.push(each)
    expect(outbox.remove(second)).toBe(true)
    expect(outbox.remove(second)).toBe(false)
    send(9)
    expect(outbox.entries().map(({ message, seq }) => [message, seq])).toEqual([
      [1, 1],
      [3, 2],
    ])
  })

  test('are kept when another transport takes over', () => {
    const { outbox, send } = make()
    for (const n of [1, 2, 3]) outbox.push(entry(n, 1))
    send(2)
    expect(messages(outbox.acknowledge(1))).toEqual([1])
    outbox.rewind()
    expect([outbox.acked.seq, outbox.sent.seq, outbox.numbered.seq]).toEqual([1, 1, 2])
    expect(outbox.peek()?.seq).toBe(2)
    send(2)
    expect([outbox.acked.seq, outbox.sent.seq, outbox.numbered.seq]).toEqual([1, 3, 3])
  })

  test('an acknowledgement may overtake what is sent again', () => {
    const { outbox, send } = make()
    for (const n of [1, 2, 3]) outbox.push(entry(n, 1))
    send(3)
    outbox.rewind()
    expect(messages(outbox.acknowledge(2))).toEqual([1, 2])
    expect(outbox.peek()?.seq).toBe(3)
  })

  test('begin anew when a session is lost: what it had is taken out, the unsent stay', () => {
    const { outbox, send } = make()
    for (const n of [1, 2, 3]) outbox.push(entry(n, 1))
    send(2)
    outbox.acknowledge(1)
    expect(outbox.recall().map(({ message, seq, certain }) => [message, seq, certain])).toEqual([
      [2, 2, false],
    ])
    send()
    expect(outbox.entries().map(({ message, seq }) => [message, seq])).toEqual([[3, 1]])
  })

  test('begin anew for what is put back, unless there is something newer', () => {
    const { outbox, losses, send } = make()
    outbox.push(entry(1, 1))
    for (const n of [2, 3, 4]) {
      outbox.push(entry(n, 1, 'a'))
      send(9)
    }
    outbox.push(entry(5, 1))
    outbox.restore(outbox.recall())
    expect(losses).toEqual([
      [3, 'replaced'],
      [2, 'replaced'],
    ])
    send(9)
    expect(outbox.entries().map(({ message, seq }) => [message, seq])).toEqual([
      [1, 1],
      [4, 2],
      [5, 3],
    ])
  })
})

test('what left the machine is known by what is still buffered', () => {
  const { outbox, send } = make()
  for (const n of [1, 2, 3]) outbox.push(entry(n, 10))
  send(3)
  expect(messages(outbox.left(30))).toEqual([])
  expect(messages(outbox.left(29))).toEqual([])
  expect(messages(outbox.left(20))).toEqual([1])
  expect(messages(outbox.left(1))).toEqual([2])
  expect([outbox.inFlightBytes, messages(outbox.recall())]).toEqual([10, [3]])
})

test('pressure is 1 at the high-water mark, or at half of the messages', () => {
  const { outbox } = make({ maxMessages: 10 })
  outbox.push(entry(1, 39))
  expect(outbox.pressure).toBeLessThan(1)
  outbox.push(entry(2, 1))
  expect(outbox.pressure).toBe(1)
  outbox.clear()
  expect(outbox.pressure).toBe(0)
  for (let n = 0; n < 5; n++) outbox.push(entry(n, 0))
  expect(outbox.pressure).toBe(1)
})

test.each([1, 2, 3, 4])('does what a naive array does, in 25,000 random operations (seed %i)', seed => {
  expect(compare(createOutbox, seed, 25_000)).toBeUndefined()
})

describe('with a million entries', () => {
  let looks = 0
  /** Like an entry; it counts how often its neighbours are looked at or changed. */
  class Counted {
    readonly data = ''
    readonly bytes = 1
    readonly expiresAt = 0
    readonly message: number
    readonly key: unknown
    seq = 0
    certain = true
    #before: Entry<number> = this
    #after: Entry<number> = this
    constructor(message: number, key?: unknown) {
      this.message = message
      this.key = key
    }
    get before() {
      looks++
      return this.#before
    }
    set before(entry) {
      looks++
      this.#before = entry
    }
    get after() {
      looks++
      return this.#after
    }
    set after(entry) {
      looks++
      this.#after = entry
    }
  }

  const steps = (size: number) => {
    const { outbox } = make({ maxMessages: size, maxBytes: Infinity, overflow: 'drop-oldest' })
    const middle = new Counted(-1)
    for (let n = 1; n < size; n++) outbox.push(n === size >> 1 ? middle : new Counted(n, n))
    const cost = (run: () => unknown) => {
      looks = 0
      run()
      return looks
    }
    return [
      cost(() => outbox.push(new Counted(0))),
      cost(() => outbox.push(new Counted(0))),
      cost(() => outbox.push(new Counted(0, size - 2))),
      cost(() => outbox.remove(middle)),
      cost(() => {
        outbox.peek()
        outbox.advance()
      }),
      cost(() => outbox.acknowledge(1)),
      cost(() => outbox.sweep(1)),
      cost(() => outbox.rewind()),
    ]
  }

  test('nothing at the head, at the tail or in the middle takes more steps than with ten', {
    timeout: 30_000,
  }, () => {
    expect(steps(1_000_000)).toEqual(steps(10))
  })
})
