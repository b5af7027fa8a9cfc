import { describe, expect, test } from 'vitest'
import {
  type Close,
  type Event,
  effects,
  ended,
  IDLE,
  type Inputs,
  type Policy,
  type State,
  type StateName,
  transition as step,
} from '../../src/core/lifecycle'
import { policy as quick } from '../support/worlds'

const NOW = 100_000

/** The next state and what is to be done, as one row. */
const transition = (state: State, event: Event, at: Inputs, policy: Policy) => {
  const next = step(state, event, at, policy)
  return [next, ...effects(state, next)] as const
}

const policy = {
  ...quick,
  connectTimeoutMs: 10_000,
  closeTimeoutMs: 2_000,
  minUptimeMs: 10_000,
  backoff: { baseMs: 1_000, maxMs: 12_000 },
}
const beating = { ...policy, heartbeat: { intervalMs: 25_000, timeoutMs: 10_000, message: 'ping' } }
const listening = { ...policy, heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 } }

const inputs = (more: Partial<Inputs> = {}): Inputs => ({
  now: NOW,
  random: 0.5,
  lastSeen: NOW,
  online: true,
  ...more,
})
const state = (name: StateName, more: Partial<State> = {}): State => ({
  ...IDLE,
  name,
  downSince: NOW - 50_000,
  until: name === 'idle' || name === 'closed' || name === 'suspended' ? Infinity : NOW + 1_000,
  ...more,
})
const close = (code: number, reason = ''): Close => ({ code, reason, wasClean: true, local: false })
const dropped = (code: number, reason = ''): Event => ({ type: 'dropped', close: close(code, reason) })
const bye: Event = { type: 'close', close: { code: 4000, reason: 'bye', wasClean: false, local: true } }

type Row = [title: string, given: State, when: Event, then: Partial<State>, effects: string[]]

const stable = state('open', { attempt: 3, since: NOW - 60_000, until: Infinity })
const young = state('open', { attempt: 3, since: NOW - 9_999, until: Infinity })

const rows: Row[] = [
  [
    'connect starts an attempt',
    IDLE,
    { type: 'connect' },
    { name: 'connecting', attempt: 0, until: NOW + 10_000 },
    ['connecting'],
  ],
  [
    'connect starts anew after closing',
    state('closed', { attempt: 7 }),
    { type: 'connect' },
    { name: 'connecting', attempt: 0, downSince: NOW },
    ['connecting'],
  ],
  [
    'connect keeps the backoff of a living socket',
    state('waiting', { attempt: 2 }),
    { type: 'connect' },
    { name: 'waiting', attempt: 2 },
    [],
  ],
  [
    'connect while closing does not wait for the old one',
    state('closing'),
    { type: 'connect' },
    { name: 'connecting' },
    ['drop', 'connecting'],
  ],
  [
    'reconnect pre-empts a wait and keeps the count',
    state('waiting', { attempt: 2 }),
    { type: 'reconnect' },
    { name: 'connecting', attempt: 2 },
    ['connecting'],
  ],
  [
    'reconnect replaces an open connection',
    stable,
    { type: 'reconnect' },
    { name: 'connecting', attempt: 0 },
    ['drop', 'connecting'],
  ],
  [
    'reconnect replaces an attempt that hangs',
    state('connecting', { attempt: 1 }),
    { type: 'reconnect' },
    { name: 'connecting', attempt: 1, until: NOW + 10_000 },
    ['drop', 'connecting'],
  ],
  [
    'reconnect waits for a suspended page',
    state('suspended'),
    { type: 'reconnect' },
    { name: 'suspended' },
    [],
  ],
  [
    'an opened transport without handshake is open',
    state('connecting'),
    { type: 'opened' },
    { name: 'open', since: NOW, until: Infinity },
    ['open'],
  ],
  [
    'an attempt that hangs is given up',
    state('connecting', { attempt: 1, until: NOW }),
    { type: 'deadline' },
    { name: 'waiting', attempt: 2 },
    ['drop'],
  ],
  [
    'a handshake that hangs is given up',
    state('handshaking', { until: NOW }),
    { type: 'deadline' },
    { name: 'waiting', attempt: 1 },
    ['drop'],
  ],
  [
    'a deadline that is not due changes nothing',
    state('connecting'),
    { type: 'deadline' },
    { name: 'connecting' },
    [],
  ],
  [
    'a wait ends in an attempt',
    state('waiting', { attempt: 2, until: NOW }),
    { type: 'deadline' },
    { name: 'connecting', attempt: 2 },
    ['connecting'],
  ],
  [
    'a loss after minimum uptime starts the count anew',
    stable,
    dropped(1006),
    { name: 'waiting', attempt: 1, downSince: NOW, until: NOW + 500 },
    ['drop'],
  ],
  [
    'a loss before minimum uptime goes on counting',
    young,
    dropped(1006),
    { name: 'waiting', attempt: 4, downSince: NOW - 50_000, until: NOW + 4_000 },
    ['drop'],
  ],
  [
    'equal jitter at the cap',
    state('connecting', { attempt: 20 }),
    dropped(1006),
    { name: 'waiting', until: NOW + 9_000 },
    ['drop'],
  ],
  [
    'retry= in the reason is a floor',
    stable,
    dropped(1013, 'busy; retry=7000'),
    { name: 'waiting', until: NOW + 7_700, notBefore: NOW + 7_700 },
    ['drop'],
  ],
  [
    'retry= is believed up to five minutes',
    stable,
    dropped(4000, 'retry=999999999'),
    { name: 'waiting', until: NOW + 330_000 },
    ['drop'],
  ],
  [
    '1012 asks for five seconds and more',
    stable,
    dropped(1012),
    { name: 'waiting', until: NOW + 7_500 },
    ['drop'],
  ],
  [
    'who goes away is left alone for half a second',
    stable,
    dropped(1001),
    { name: 'waiting', until: NOW + 500, notBefore: NOW + 500 },
    ['drop'],
  ],
  [
    'and so is Firefox, which says 1006 and clean',
    state('connecting'),
    { type: 'dropped', close: ended(1006, '', true, false) },
    { name: 'waiting', until: NOW + 500, notBefore: NOW + 500 },
    ['drop'],
  ],
  [
    'close closes in its bound',
    stable,
    bye,
    { name: 'closing', until: NOW + 2_000, close: bye.type === 'close' ? bye.close : undefined },
    ['closing'],
  ],
  ['close ends an attempt at once', state('connecting'), bye, { name: 'closed', until: Infinity }, ['drop']],
  [
    'close ends a handshake at once',
    state('handshaking'),
    bye,
    { name: 'closed', until: Infinity },
    ['drop'],
  ],
  ['close ends a wait at once', state('waiting'), bye, { name: 'closed', until: Infinity }, []],
  ['close ends a suspension', state('suspended'), bye, { name: 'closed' }, []],
  ['close before the first connect', IDLE, bye, { name: 'closed' }, []],
  ['close twice is close once', state('closing'), bye, { name: 'closing' }, []],
  [
    'the confirmation ends closing',
    state('closing'),
    dropped(4000, 'bye'),
    { name: 'closed', close: { ...close(4000, 'bye'), local: true } },
    ['drop'],
  ],
  [
    'no confirmation ends closing too',
    state('closing', { until: NOW }),
    { type: 'deadline' },
    { name: 'closed' },
    ['drop'],
  ],
  [
    'a page that goes away drops the transport',
    stable,
    { type: 'suspend' },
    { name: 'suspended', until: Infinity },
    ['drop'],
  ],
  [
    'a page that goes away stops waiting',
    state('waiting', { attempt: 2 }),
    { type: 'suspend' },
    { name: 'suspended', attempt: 2, until: Infinity },
    [],
  ],
  [
    'a page that goes away finishes closing',
    state('closing'),
    { type: 'suspend' },
    { name: 'closed' },
    ['drop'],
  ],
  [
    'a page that comes back connects at once',
    state('suspended', { attempt: 2 }),
    { type: 'restore' },
    { name: 'connecting', attempt: 2 },
    ['connecting'],
  ],
  [
    'a transport from before the page was put away is dead',
    stable,
    { type: 'restore' },
    { name: 'connecting' },
    ['drop', 'connecting'],
  ],
  [
    'online brings a wait forward, with jitter',
    state('waiting', { until: NOW + 9_000 }),
    { type: 'online' },
    { name: 'waiting', until: NOW + 500 },
    [],
  ],
  [
    'visible does too',
    state('waiting', { until: NOW + 9_000 }),
    { type: 'visible' },
    { name: 'waiting', until: NOW + 500 },
    [],
  ],
  [
    'but not before the server wants',
    state('waiting', { until: NOW + 9_000, notBefore: NOW + 8_000 }),
    { type: 'online' },
    { name: 'waiting', until: NOW + 8_000 },
    [],
  ],
  [
    'and never later',
    state('waiting', { until: NOW + 100 }),
    { type: 'online' },
    { name: 'waiting', until: NOW + 100 },
    [],
  ],
  [
    'visible runs an overdue wait',
    state('waiting', { until: NOW - 40_000 }),
    { type: 'visible' },
    { name: 'connecting' },
    ['connecting'],
  ],
  [
    'offline only postpones',
    state('waiting'),
    { type: 'offline' },
    { name: 'waiting', until: NOW + 30_000 },
    [],
  ],
  ['offline closes nothing', stable, { type: 'offline' }, { name: 'open' }, []],
]

test.each(rows)('%s', (_, given, when, then, expected) => {
  const [next, ...does] = transition(given, when, inputs(), policy)
  expect(next).toMatchObject(then)
  expect(does).toEqual(expected)
  if (!expected.length && next.until === given.until && next.name === given.name) expect(next).toBe(given)
})

describe('the close code decides', () => {
  const ends = [1002, 1003, 1007, 1008, 1010]
  const retries = [1000, 1001, 1005, 1006, 1009, 1011, 1012, 1013, 1014, 1015, 3000, 3999, 4000, 4401, 4999]
  test.each(ends)('%i ends it', code =>
    expect(transition(stable, dropped(code), inputs(), policy)[0].name).toBe('closed'),
  )
  test.each(retries)('%i is retried', code =>
    expect(transition(stable, dropped(code), inputs(), policy)[0].name).toBe('waiting'),
  )

  test('unless shouldRetry knows better', () => {
    const decide = (answer: boolean | number | undefined, code: number) =>
      transition(stable, dropped(code), inputs(), { ...policy, shouldRetry: () => answer })[0]
    expect(decide(false, 1006).name).toBe('closed')
    expect(decide(true, 1008).name).toBe('waiting')
    expect(decide(undefined, 1008).name).toBe('closed')
    expect(decide(1_234, 1008)).toMatchObject({ name: 'waiting', until: NOW + 1_234, notBefore: NOW + 1_234 })
    expect(decide(0, 1006)).toMatchObject({ name: 'waiting', until: NOW })
    expect(decide(Number.NaN, 1006)).toMatchObject({ name: 'waiting', until: NOW + 500 })
    expect(decide(-1, 1006)).toMatchObject({ name: 'waiting', until: NOW + 500 })
  })

  test('and shouldRetry is told the failures in a row, this one included', () => {
    const asked: unknown[] = []
    const shouldRetry = (close: Close, attempt: number) => {
      asked.push([close.code, attempt])
      return true
    }
    transition(young, dropped(4001), inputs(), { ...policy, shouldRetry })
    transition(stable, dropped(4002), inputs(), { ...policy, shouldRetry })
    expect(asked).toEqual([
      [4001, 4],
      [4002, 1],
    ])
  })

  test('a fatal failure is not discussed', () => {
    const event: Event = { type: 'dropped', close: close(1006), fatal: true }
    expect(
      transition(state('connecting'), event, inputs(), { ...policy, shouldRetry: () => true })[0].name,
    ).toBe('closed')
  })
})

describe('giving up', () => {
  test('maxAttempts counts failures in a row', () => {
    const bounded = { ...policy, maxAttempts: 3 }
    const failAt = (attempt: number) =>
      transition(state('connecting', { attempt }), dropped(1006), inputs(), bounded)[0]
    expect(failAt(1)).toMatchObject({ name: 'waiting', attempt: 2 })
    expect(failAt(2)).toMatchObject({ name: 'closed', attempt: 3 })
    expect(transition(stable, dropped(1006), inputs(), { ...policy, maxAttempts: 1 })[0].name).toBe('closed')
  })

  test('maxElapsedMs: no attempt starts later than that after the outage began', () => {
    const bounded = { ...policy, maxElapsedMs: 60_000 }
    const failAfter = (ago: number) =>
      transition(state('connecting', { downSince: NOW - ago }), dropped(1006), inputs(), bounded)[0].name
    expect(failAfter(59_500)).toBe('waiting')
    expect(failAfter(59_501)).toBe('closed')
  })
})

describe('offline', () => {
  test('slows retries down and never stops them', () => {
    const [next] = transition(stable, dropped(1006), inputs({ online: false }), policy)
    expect(next).toMatchObject({ name: 'waiting', until: NOW + 30_000 })
  })
})

describe('heartbeat', () => {
  const open = (more: Partial<State> = {}) => state('open', { since: NOW - 60_000, until: NOW, ...more })
  const deadline: Event = { type: 'deadline' }

  test('the interval begins with the opening', () => {
    const [next] = transition(state('connecting'), { type: 'opened' }, inputs(), beating)
    expect(next).toMatchObject({ name: 'open', until: NOW + 25_000 })
  })

  test('whoever was heard is not asked', () => {
    const [next, ...does] = transition(open(), deadline, inputs({ lastSeen: NOW - 1_000 }), beating)
    expect(next).toMatchObject({ until: NOW + 24_000, pingedAt: 0 })
    expect(does).toEqual([])
  })

  test('silence is asked', () => {
    const [next, ...does] = transition(open(), deadline, inputs({ lastSeen: NOW - 25_000 }), beating)
    expect(next).toMatchObject({ name: 'open', until: NOW + 10_000, pingedAt: NOW })
    expect(does).toEqual(['ping'])
  })

  test('any byte is an answer', () => {
    const asked = open({ pingedAt: NOW - 10_000 })
    const [next, ...does] = transition(asked, deadline, inputs({ lastSeen: NOW - 9_000 }), beating)
    expect(next).toMatchObject({ name: 'open', until: NOW + 16_000, pingedAt: 0 })
    expect(does).toEqual([])
  })

  test('no answer is the end of the connection, not of the retries', () => {
    const asked = open({ pingedAt: NOW - 10_000, attempt: 2 })
    const [next, ...does] = transition(asked, deadline, inputs({ lastSeen: NOW - 35_000 }), beating)
    expect(next).toMatchObject({ name: 'waiting', attempt: 1, close: { code: 1006, local: true } })
    expect(does).toEqual(['drop'])
  })

  test('uptime ends with the last sign of life: silence is no success', () => {
    const asked = open({ since: NOW - 40_000, pingedAt: NOW - 10_000, attempt: 2 })
    const [next] = transition(asked, deadline, inputs({ lastSeen: NOW - 35_000 }), beating)
    expect(next).toMatchObject({ name: 'waiting', attempt: 3 })
  })

  test('a timer that fired late judges nobody: it asks again, in haste, once', () => {
    const late = open({ until: NOW - 60_000, pingedAt: NOW - 70_000 })
    const [next, ...does] = transition(late, deadline, inputs({ lastSeen: NOW - 90_000 }), beating)
    expect(next).toMatchObject({ name: 'open', until: NOW + 5_000, pingedAt: NOW, secondChance: true })
    expect(does).toEqual(['ping'])
    const again = { ...next, until: NOW - 60_000 }
    expect(transition(again, deadline, inputs({ lastSeen: NOW - 90_000 }), beating)[0].name).toBe('waiting')
  })

  test('after a second chance was taken the next one is new', () => {
    const answered = open({ pingedAt: NOW - 5_000, secondChance: true })
    const [next] = transition(answered, deadline, inputs({ lastSeen: NOW - 1_000 }), beating)
    expect(next).toMatchObject({ secondChance: false, pingedAt: 0 })
  })

  test.each(['online', 'visible'] as const)('%s asks at once, in haste', type => {
    const [next, ...does] = transition(open({ until: NOW + 20_000 }), { type }, inputs(), beating)
    expect(next).toMatchObject({ until: NOW + 5_000, pingedAt: NOW })
    expect(does).toEqual(['ping'])
  })

  test('who was asked already is not asked again, nor given more time', () => {
    const asked = open({ until: NOW + 3_000, pingedAt: NOW - 7_000 })
    const unanswered = inputs({ lastSeen: NOW - 8_000 })
    expect(transition(asked, { type: 'visible' }, unanswered, beating)).toEqual([asked])
  })

  test('a watchdog without a message, which has nothing to ask with, grants one more timeout', () => {
    const quiet = transition(open(), deadline, inputs({ lastSeen: NOW - 25_000 }), listening)
    expect(quiet).toEqual([expect.objectContaining({ until: NOW + 10_000, pingedAt: NOW }), 'ping'])
    expect(transition(open({ until: NOW + 9 }), { type: 'online' }, inputs(), listening)).toHaveLength(1)
    const late = open({ until: NOW - 60_000, pingedAt: NOW - 70_000 })
    const [next, ...does] = transition(late, deadline, inputs({ lastSeen: NOW - 90_000 }), listening)
    expect(next).toMatchObject({ name: 'open', until: NOW + 10_000 })
    expect(does).toEqual(['ping'])
  })
})

test('a state that has a handshake to run does, within the deadline of the attempt', () => {
  const withHandshake = { ...policy, handshake: () => {} }
  const [next, ...does] = transition(state('connecting'), { type: 'opened' }, inputs(), withHandshake)
  expect(next).toMatchObject({ name: 'handshaking', until: NOW + 1_000 })
  expect(does).toEqual(['handshaking'])
  expect(transition(next, { type: 'welcomed' }, inputs(), withHandshake)).toEqual([
    expect.objectContaining({ name: 'open', since: NOW }),
    'open',
  ])
})
