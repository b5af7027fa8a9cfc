import { describe, expect, test } from 'vitest'
import { createSequencer, type SequenceNumber, type Sequencer, type Step } from '../../src/core/sequence'
import { compare } from '../support/naive-sequence'

const PATIENT = { messages: 3, timeoutMs: 100 }
const STRICT = { messages: 0, timeoutMs: Infinity }

/** Messages by their name; a gap as `from-to`, with `!` if others were told there before. */
const said = (steps: Iterable<Step<string>>) =>
  [...steps].map(step =>
    step.gap ? `${step.gap.stream}${step.gap.from}-${step.gap.to}${step.again ? '!' : ''}` : step.message,
  )

const make = (patience = STRICT) => {
  const sequencer = createSequencer<string>(patience)
  const take = (seq: SequenceNumber, now = 0, stream = '') =>
    said(sequencer.accept(stream, seq, `#${seq}`, now))
  return { sequencer, take }
}

const counts = ({ duplicates, gaps, last }: Sequencer<string>) => ({ duplicates, gaps, last: last.get('') })

describe('without patience', () => {
  const rows: [what: string, numbers: SequenceNumber[], told: string[], duplicates: number][] = [
    ['the first is accepted, whatever it is', [7, 8], ['#7', '#8'], 0],
    ['as is zero, or less', [-1, 0, 1], ['#-1', '#0', '#1'], 0],
    ['what comes again is dropped', [1, 2, 2, 1, 3], ['#1', '#2', '#3'], 2],
    ['what is missing is told, and passed over', [1, 3, 7], ['#1', '2-2', '#3', '4-6', '#7'], 0],
    ['what is told to be missing is dropped when it comes', [1, 3, 2, 4], ['#1', '2-2', '#3', '#4'], 1],
    [
      'bigints are as good',
      [2n ** 64n, 2n ** 64n + 1n, 2n ** 64n + 4n],
      [
        '#18446744073709551616',
        '#18446744073709551617',
        '18446744073709551618-18446744073709551619',
        '#18446744073709551620',
      ],
      0,
    ],
    [
      'and may be mixed with numbers',
      [1, 2n, 2, 3, 5n, 5, 7],
      ['#1', '#2', '#3', '4-4', '#5', '6-6', '#7'],
      2,
    ],
    [
      'also where numbers end',
      [Number.MAX_SAFE_INTEGER, 9007199254740992n, 9007199254740993n],
      ['#9007199254740991', '#9007199254740992', '#9007199254740993'],
      0,
    ],
  ]

  test.each(rows)('%s', (_, numbers, told, duplicates) => {
    const { sequencer, take } = make()
    expect(numbers.flatMap(seq => take(seq))).toEqual(told)
    expect(counts(sequencer)).toEqual({
      duplicates,
      gaps: told.filter(text => !text.startsWith('#')).length,
      last: numbers.reduce((high, seq) => (seq > high ? seq : high)),
    })
    expect(sequencer.until).toBe(Infinity)
  })

  test('a gap has the type of the number that showed it', () => {
    const { sequencer } = make()
    const gap = (seq: SequenceNumber) => [...sequencer.accept('a', seq, '', 0)][0]?.gap
    gap(1n)
    expect(gap(4)).toEqual({ stream: 'a', from: 2, to: 3 })
    expect(gap(6n)).toEqual({ stream: 'a', from: 5n, to: 5n })
  })

  test('each stream has numbers of its own', () => {
    const { sequencer, take } = make()
    const told = [take(1, 0, 'a'), take(10, 0, 'b'), take(3, 0, 'a'), take(11, 0, 'b'), take(3, 0, 'a')]
    expect(told.flat()).toEqual(['#1', '#10', 'a2-2', '#3', '#11'])
    expect([...sequencer.last]).toEqual([
      ['a', 3],
      ['b', 11],
    ])
  })
})

describe('with patience', () => {
  type Act = readonly [seq: SequenceNumber | 'tick', now: number]
  const rows: [what: string, acts: Act[], told: string[]][] = [
    [
      'a small disorder is put right',
      [
        [1, 0],
        [3, 0],
        [4, 0],
        [2, 0],
      ],
      ['#1', '#2', '#3', '#4'],
    ],
    [
      'whatever the order',
      [
        [1, 0],
        [4, 0],
        [2, 0],
        [3, 0],
      ],
      ['#1', '#2', '#3', '#4'],
    ],
    [
      'what is held already is dropped',
      [
        [1, 0],
        [3, 0],
        [3, 0],
        [2, 0],
      ],
      ['#1', '#2', '#3'],
    ],
    [
      'a full window is waited with',
      [
        [1, 0],
        [3, 0],
        [4, 0],
        [5, 0],
      ],
      ['#1'],
    ],
    [
      'one more than the window gives up the first that is missing',
      [
        [1, 0],
        [3, 0],
        [5, 0],
        [6, 0],
        [7, 0],
      ],
      ['#1', '2-2', '#3'],
    ],
    [
      'time gives it up',
      [
        [1, 0],
        [3, 10],
        ['tick', 109],
        [4, 109],
        ['tick', 110],
      ],
      ['#1', '2-2', '#3', '#4'],
    ],
    [
      'so does a message that comes after its time',
      [
        [1, 0],
        [3, 10],
        [5, 110],
      ],
      ['#1', '2-2', '#3'],
    ],
    [
      'unless it is the one',
      [
        [1, 0],
        [3, 10],
        [2, 110],
      ],
      ['#1', '#2', '#3'],
    ],
    [
      'what came first is held for no longer than the rest',
      [
        [1, 0],
        [6, 10],
        [4, 50],
        ['tick', 110],
      ],
      ['#1', '2-3', '#4', '5-5', '#6'],
    ],
    [
      'and later gaps have time of their own',
      [
        [1, 0],
        [3, 10],
        [5, 50],
        ['tick', 110],
        ['tick', 149],
        ['tick', 150],
      ],
      ['#1', '2-2', '#3', '4-4', '#5'],
    ],
  ]

  test.each(rows)('%s', (_, acts, told) => {
    const { sequencer, take } = make(PATIENT)
    const all = acts.flatMap(([seq, now]) => (seq === 'tick' ? said(sequencer.tick(now)) : take(seq, now)))
    expect(all).toEqual(told)
  })

  test('until is when the first that is missing is given up', () => {
    const { sequencer, take } = make(PATIENT)
    take(1, 0)
    expect(sequencer.until).toBe(Infinity)
    take(3, 10)
    take(4, 20)
    expect(sequencer.until).toBe(110)
    take(1, 5, 'b')
    take(5, 5, 'b')
    expect(sequencer.until).toBe(105)
    take(2, 30, 'b')
    said(sequencer.tick(105))
    expect(sequencer.until).toBe(110)
    take(2, 30)
    expect(sequencer.until).toBe(Infinity)
  })

  test('one stream does not wait for another', () => {
    const { take } = make(PATIENT)
    const told = [take(1, 0, 'a'), take(3, 0, 'a'), take(1, 0, 'b'), take(2, 0, 'b')]
    expect(told.flat()).toEqual(['#1', '#1', '#2'])
  })
})

describe('when the connection has ended', () => {
  test('what was held is not counted, and may come again', () => {
    const { sequencer, take } = make(PATIENT)
    take(1)
    take(3)
    sequencer.forget()
    expect([sequencer.last.get(''), sequencer.until]).toEqual([1, Infinity])
    expect([take(2), take(3)].flat()).toEqual(['#2', '#3'])
    expect(sequencer.duplicates).toBe(0)
  })

  test('what was told to be missing is not told again, and what is missing besides is', () => {
    const { sequencer } = make()
    const first = (seq: number) => {
      for (const step of sequencer.accept('', seq, `#${seq}`, 0)) return said([step])
      return []
    }
    expect(first(1)).toEqual(['#1'])
    // Whoever was told of the gap ended the connection
    expect(first(4)).toEqual(['2-3'])
    sequencer.forget()
    expect([sequencer.last.get(''), sequencer.gaps]).toEqual([1, 1])
    expect(said(sequencer.accept('', 6, '#6', 0))).toEqual(['4-5!', '#6'])
    expect(said(sequencer.accept('', 8, '#8', 0))).toEqual(['7-7', '#8'])
  })

  test('what was held when the counting began anew is gone too', () => {
    const { sequencer, take } = make(PATIENT)
    take(1)
    take(3)
    sequencer.reset()
    sequencer.forget()
    expect([take(1), sequencer.until]).toEqual([['#1'], Infinity])
  })

  test('what was told to be missing is delivered if it comes then', () => {
    const { sequencer, take } = make()
    take(1)
    for (const _ of sequencer.accept('', 3, '#3', 0)) break
    sequencer.forget()
    expect([take(2), take(3), take(5)].flat()).toEqual(['#2', '#3', '4-4', '#5'])
  })

  test('in the middle of what is told, the last is the last that was told', () => {
    const { sequencer, take } = make(PATIENT)
    take(1)
    take(3)
    take(4)
    const told: string[] = []
    for (const step of sequencer.accept('', 2, '#2', 0)) {
      told.push(...said([step]))
      if (!step.gap && step.message === '#3') sequencer.forget()
    }
    expect([told, sequencer.last.get('')]).toEqual([['#2', '#3'], 3])
  })
})

describe('anew', () => {
  test('the next is a first one', () => {
    const { sequencer, take } = make()
    take(5)
    take(9, 0, 'b')
    sequencer.reset('')
    expect([take(1), take(9, 0, 'b')].flat()).toEqual(['#1'])
    sequencer.reset()
    expect([...sequencer.last]).toEqual([])
    expect([take(1), take(1, 0, 'b')].flat()).toEqual(['#1', '#1'])
  })

  test('what was told to be missing before says nothing now', () => {
    const { sequencer, take } = make()
    for (const begin of [() => sequencer.reset(), () => sequencer.start('', 1)]) {
      take(5)
      take(9)
      begin()
      take(1)
      expect(take(3)).toEqual(['2-2', '#3'])
    }
  })

  test('what is held is delivered, and counts for nothing', () => {
    const { sequencer, take } = make(PATIENT)
    take(5)
    take(7)
    take(9)
    sequencer.reset('')
    expect(sequencer.until).toBe(0)
    expect(take(1)).toEqual(['#7', '#9', '#1'])
    expect([sequencer.last.get(''), sequencer.until]).toEqual([1, Infinity])
    take(3)
    sequencer.reset()
    expect(said(sequencer.tick(0))).toEqual(['#3'])
    expect(sequencer.last.size).toBe(0)
  })

  test('whoever is told of a gap may begin there: what showed it is delivered', () => {
    const { sequencer } = make()
    const told: string[] = []
    for (const seq of [1, 5])
      for (const step of sequencer.accept('', seq, `#${seq}`, 0)) {
        told.push(...said([step]))
        if (step.gap) sequencer.reset()
      }
    expect(told).toEqual(['#1', '2-4', '#5'])
    expect(sequencer.last.size).toBe(0)
  })

  test('a start is where the stream is, above or below', () => {
    const { sequencer, take } = make()
    sequencer.start('', 50)
    expect([take(50), take(51)].flat()).toEqual(['#51'])
    sequencer.start('', 10)
    expect(take(12)).toEqual(['11-11', '#12'])
    expect(sequencer.gaps).toBe(1)
  })
})

test.each([1, 2, 3, 4, 5, 6, 7, 8])('does what a naive one does, of %i00 seeds', block => {
  for (let seed = block * 100; seed < (block + 1) * 100; seed++)
    expect([seed, compare(createSequencer, seed)]).toEqual([seed, undefined])
})
