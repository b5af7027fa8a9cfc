import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createOutbox, type Entry, type OutboxPolicy } from '../../src/core/outbox'

const entry = (message: number, bytes: number): Entry<number> => ({ message, data: `${message}`, bytes })
const messages = (entries: readonly Entry<number>[] | undefined) => entries?.map(({ message }) => message)
const limits = { maxMessages: 4, maxBytes: 100, highWaterMarkBytes: 40, overflow: 'throw' } as const

describe('at the limit', () => {
  const filled = (overflow: OutboxPolicy['overflow']) => {
    const outbox = createOutbox<number>({ ...limits, overflow })
    for (const n of [1, 2, 3, 4]) outbox.push(entry(n, 20))
    return outbox
  }

  test("'throw' refuses and changes nothing", () => {
    const outbox = filled('throw')
    expect(outbox.push(entry(5, 1))).toBeUndefined()
    expect(outbox.messages).toBe(4)
  })

  test("'drop-oldest' makes room, as much as is needed", () => {
    const outbox = filled('drop-oldest')
    expect(messages(outbox.push(entry(5, 60)))).toEqual([1, 2])
    expect(messages(outbox.clear())).toEqual([3, 4, 5])
  })

  test("'drop-newest' drops what comes", () => {
    const outbox = filled('drop-newest')
    expect(messages(outbox.push(entry(5, 1)))).toEqual([5])
    expect(messages(outbox.clear())).toEqual([1, 2, 3, 4])
  })

  test('nobody is dropped for a message that would not fit alone', () => {
    const outbox = filled('drop-oldest')
    expect(messages(outbox.push(entry(5, 101)))).toEqual([5])
    expect(outbox.messages).toBe(4)
  })
})

test('pressure is 1 at the high-water mark, or at half of the messages', () => {
  const outbox = createOutbox<number>({ ...limits, maxMessages: 10 })
  outbox.push(entry(1, 39))
  expect(outbox.pressure).toBeLessThan(1)
  outbox.push(entry(2, 1))
  expect(outbox.pressure).toBe(1)
  outbox.clear()
  expect(outbox.pressure).toBe(0)
  for (let n = 0; n < 5; n++) outbox.push(entry(n, 0))
  expect(outbox.pressure).toBe(1)
})

test('does what a naive array does, for any sequence of operations', () => {
  const operation = fc.oneof(
    fc.record({ push: fc.nat(60) }),
    fc.constant('shift' as const),
    fc.constant('clear' as const),
  )
  const policy = fc.record({
    maxMessages: fc.integer({ min: 1, max: 8 }),
    maxBytes: fc.integer({ min: 1, max: 120 }),
    highWaterMarkBytes: fc.constant(50),
    overflow: fc.constantFrom('throw' as const, 'drop-oldest' as const, 'drop-newest' as const),
  })
  fc.assert(
    fc.property(policy, fc.array(operation, { maxLength: 100 }), (policy, operations) => {
      const outbox = createOutbox<number>(policy)
      let naive: Entry<number>[] = []
      const bytes = () => naive.reduce((sum, { bytes }) => sum + bytes, 0)
      const fits = (more: number) => naive.length < policy.maxMessages && bytes() + more <= policy.maxBytes
      let next = 0
      for (const operation of operations) {
        if (operation === 'shift') expect(outbox.shift()).toEqual(naive.shift())
        else if (operation === 'clear') {
          expect(outbox.clear()).toEqual(naive)
          naive = []
        } else {
          const item = entry(next++, operation.push)
          const dropped = outbox.push(item)
          if (fits(item.bytes)) {
            expect(dropped).toEqual([])
            naive.push(item)
          } else if (policy.overflow === 'throw') expect(dropped).toBeUndefined()
          else if (policy.overflow === 'drop-newest' || item.bytes > policy.maxBytes)
            expect(dropped).toEqual([item])
          else {
            const gone: Entry<number>[] = []
            while (!fits(item.bytes)) gone.push(...naive.splice(0, 1))
            naive.push(item)
            expect(dropped).toEqual(gone)
          }
        }
        expect(outbox.messages).toBe(naive.length)
        expect(outbox.bytes).toBe(bytes())
      }
    }),
    { seed: 42, numRuns: 1_000 },
  )
})
