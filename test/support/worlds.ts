/** Every world the lifecycle can reach: states with times made relative, and a model of what the transport may do. */

import type { Close, Effect, Event, Inputs, Policy, State } from '../../src/core/lifecycle'

/** The machine under test: that of the source, or a mutant of it. */
export interface Machine {
  readonly IDLE: State
  readonly transition: (state: State, event: Event, at: Inputs, policy: Policy) => State
  readonly effects: (previous: State, next: State) => Effect[]
}

/** What exists outside of the machine: none, or one transport that is on its way, up, or closing. */
type Link = 'none' | 'starting' | 'up' | 'closing'

export interface World {
  readonly state: State
  readonly link: Link
  /** How long ago anything came, in ms, clamped. */
  readonly silentMs: number
  readonly online: boolean
  /** Whether the last command was `close`: then nothing may open. */
  readonly unwanted: boolean
  /** Whether the page is put away. */
  readonly away: boolean
  /** How often in a row a sign of life was asked for in vain, the present time included. */
  readonly asks: number
}

export interface Violation {
  readonly law: string
  readonly path: string
}

export const policy: Policy = {
  connectTimeoutMs: 10,
  closeTimeoutMs: 4,
  minUptimeMs: 20,
  backoff: { baseMs: 4, maxMs: 12 },
  maxAttempts: Infinity,
  maxElapsedMs: Infinity,
  shouldRetry: () => undefined,
  heartbeat: { intervalMs: Infinity, timeoutMs: 0 },
}

const beats = ({ heartbeat }: Policy) => heartbeat.intervalMs < Infinity

const lost: Close = { code: 1006, reason: '', wasClean: false, local: false }
const denied: Close = { code: 1008, reason: '', wasClean: true, local: false }
const busy: Close = { code: 1013, reason: 'retry=7', wasClean: true, local: false }
const bye: Close = { code: 1000, reason: '', wasClean: false, local: true }

/** Everything that can happen next, given what is outside. */
function events(world: World): Event[] {
  const list: Event[] = [
    { type: 'connect' },
    { type: 'reconnect' },
    { type: 'close', close: bye },
    { type: world.online ? 'offline' : 'online' },
    { type: 'visible' },
    { type: world.away ? 'restore' : 'suspend' },
    { type: 'deadline' },
    { type: 'welcomed' },
  ]
  if (world.link !== 'none')
    list.push(...[lost, denied, busy].map(close => ({ type: 'dropped' as const, close })), {
      type: 'dropped',
      close: lost,
      fatal: true,
    })
  if (world.link === 'starting') list.push({ type: 'opened' })
  return list
}

/** The present. */
const NOW = 1_000_000
/** Beyond this, an age is just old: no duration below comes near it. */
const OLD_MS = 4_000
/** What depends on chance. */
const DRAWS = ['dropped', 'deadline', 'online', 'visible', 'restore']
const RESTING = ['idle', 'closed', 'suspended']
const LINKED = ['connecting', 'handshaking', 'open', 'closing']

/** Time goes to the deadline, to well after it, and hardly at all. */
function moments(world: World): number[] {
  const { until } = world.state
  const left = Math.max(0, until - NOW)
  return until === Infinity ? [0, 25] : [0, left, left + 1_500]
}

/** The same world again, whenever it is reached: times from now, and irrelevant fields gone. */
function normalize(state: State, { minUptimeMs, maxElapsedMs }: Policy): State {
  const isOpen = state.name === 'open'
  const elapses = maxElapsedMs !== Infinity && !['idle', 'closed'].includes(state.name)
  return {
    name: state.name,
    attempt: Math.min(state.attempt, 4),
    downSince: elapses ? Math.max(state.downSince, NOW - maxElapsedMs - 1) : 0,
    until: Math.max(state.until, NOW - 1_500),
    // Told, but never looked at
    close: undefined,
    since: isOpen ? Math.max(state.since, NOW - minUptimeMs) : 0,
    pingedAt: isOpen && state.pingedAt ? Math.max(state.pingedAt, NOW - OLD_MS) : 0,
    secondChance: isOpen && state.secondChance,
    notBefore: state.name === 'waiting' ? Math.max(state.notBefore, NOW) : 0,
  }
}

interface Found {
  readonly world: World
  readonly from: string | undefined
  readonly label: string
  readonly unaided: Set<string>
}

/**
 * Breadth first over all worlds. Answers the first breach of each law, with the way there.
 * @param most worlds to go on from, of each policy: enough to have seen each step there is, but not to judge
 */
export function explore(
  { transition, effects: effectsOf, IDLE }: Machine,
  policies: readonly Policy[],
  { limit = 20_000, most = Infinity, stopAtFirst = false } = {},
): { worlds: number; edges: number; violations: Violation[]; seen: Set<string> } {
  const violations = new Map<string, string>()
  const seen = new Set<string>()
  let worlds = 0
  let edges = 0

  for (const [index, policy] of policies.entries()) {
    const start: World = {
      state: normalize(IDLE, policy),
      link: 'none',
      silentMs: 0,
      online: true,
      unwanted: false,
      away: false,
      asks: 0,
    }
    // A million times: JSON would be most of the work
    const keyOf = ({ state, link, silentMs, online, unwanted, away, asks }: World) =>
      [index, link, silentMs, online, unwanted, away, asks, ...Object.values(state)].join(' ')
    const startKey = keyOf(start)
    const found = new Map<string, Found>([
      [startKey, { world: start, from: undefined, label: 'start', unaided: new Set() }],
    ])
    const pathTo = (key: string | undefined): string => {
      const step = key === undefined ? undefined : found.get(key)
      return step ? `${step.from === undefined ? '' : `${pathTo(step.from)} → `}${step.label}` : ''
    }

    let visited = 0
    for (const [hereKey, here] of found) {
      if (visited++ >= most) break
      if (found.size > limit) throw new Error(`more than ${limit} worlds: something counts without end`)
      if (stopAtFirst && violations.size) break
      const { world } = here
      // What is heard in the meantime is heard just now, or not at all
      for (const elapsed of moments(world))
        for (const event of events(world))
          for (const random of DRAWS.includes(event.type) ? [0, 0.999] : [0])
            for (const silentMs of world.link === 'up' ? [0, world.silentMs + elapsed] : [0]) {
              edges++
              const state = age(world.state, elapsed)
              const at: Inputs = { now: NOW, random, lastSeen: NOW - silentMs, online: world.online }
              const label = `+${elapsed} ${event.type}${'fatal' in event ? '!' : ''}`
              const breach = (law: string) => {
                if (!violations.has(law)) violations.set(law, `${pathTo(hereKey)} → ${label}`)
              }

              let next: State
              try {
                next = transition(state, event, at, policy)
              } catch (error) {
                breach(`total: ${error}`)
                continue
              }
              const effects = effectsOf(state, next)
              seen.add(`${world.state.name} ${event.type} ${next.name}`)
              const after = follow(world, event, effects, breach)
              check(world, state, event, next, effects, after, silentMs, policy, breach)

              const inVain = state.pingedAt > NOW - silentMs
              const asks = !effects.includes('ping')
                ? next.pingedAt
                  ? world.asks
                  : 0
                : inVain
                  ? world.asks + 1
                  : 1
              if (asks > 2) breach('a second chance is given once')

              const reached: World = {
                ...after,
                asks: next.name === 'open' ? Math.min(asks, 3) : 0,
                state: normalize(next, policy),
                silentMs: after.link === 'up' && beats(policy) ? Math.min(silentMs, OLD_MS + 1) : 0,
              }
              const key = keyOf(reached)
              if (!found.has(key))
                found.set(key, { world: reached, from: hereKey, label, unaided: new Set() })
              // What happens by itself: time, and a network and server that are well
              if (['deadline', 'opened', 'welcomed', 'restore'].includes(event.type)) here.unaided.add(key)
            }
    }

    // From every world that wants a connection, `open` is reachable without help from user or network events
    const reachesOpen = new Set(
      [...found].filter(([, { world }]) => world.state.name === 'open').map(([key]) => key),
    )
    for (let grew = true; grew; ) {
      grew = false
      for (const [key, { unaided }] of found)
        if (!reachesOpen.has(key) && [...unaided].some(next => reachesOpen.has(next))) {
          reachesOpen.add(key)
          grew = true
        }
    }
    if (policy.maxAttempts === Infinity && policy.maxElapsedMs === Infinity)
      for (const [key, { world }] of found) {
        const wants = !['idle', 'closing', 'closed'].includes(world.state.name)
        if (wants && !reachesOpen.has(key))
          violations.set(`liveness: open is reachable from ${world.state.name}`, pathTo(key))
      }
    worlds += found.size
  }
  return { worlds, edges, violations: [...violations].map(([law, path]) => ({ law, path })), seen }
}

/** The same state so much later, seen from a present that is always {@link NOW}. */
function age(state: State, elapsed: number): State {
  return {
    ...state,
    downSince: state.downSince - elapsed,
    until: state.until - elapsed,
    since: state.since - elapsed,
    pingedAt: state.pingedAt && state.pingedAt - elapsed,
    notBefore: state.notBefore - elapsed,
  }
}

type Relative = Omit<State, 'pingedAt'> & { readonly pingedAt: number | undefined }

/** Times from now. */
const relative = (state: State): Relative => {
  const { pingedAt, ...aged } = age(state, NOW)
  return { ...aged, pingedAt: state.pingedAt ? pingedAt : undefined }
}

/** What effects do to the world outside. */
function follow(world: World, event: Event, effects: Effect[], breach: (law: string) => unknown): World {
  let { link, online, unwanted, away } = world
  if (event.type === 'opened') link = 'up'
  if (event.type === 'online' || event.type === 'offline') online = event.type === 'online'
  if (event.type === 'suspend' || event.type === 'restore') away = event.type === 'suspend'
  if (event.type === 'close') unwanted = true
  if (event.type === 'connect' || event.type === 'reconnect') unwanted = false

  for (const effect of effects) {
    if (effect === 'connecting') {
      if (link !== 'none') breach('never two transports')
      if (unwanted) breach('after close nothing opens until connect or reconnect')
      link = 'starting'
    } else if (effect === 'drop') {
      if (link === 'none') breach('a drop ends a transport that there is')
      link = 'none'
    } else if (link !== 'up') breach(`${effect} needs a transport that is up`)
    else if (effect === 'closing') link = 'closing'
  }
  return { ...world, link, online, unwanted, away }
}

function check(
  world: World,
  absoluteBefore: State,
  event: Event,
  absoluteNext: State,
  effects: Effect[],
  after: World,
  silentMs: number,
  policy: Policy,
  breach: (law: string) => unknown,
): void {
  const before = relative(absoluteBefore)
  const next = relative(absoluteNext)
  const unchanged = absoluteNext === absoluteBefore
  const { name, until, attempt } = next
  const from = before.name
  const is = (...names: string[]) => names.includes(name)

  if ((after.link !== 'none') !== LINKED.includes(name))
    breach(`a transport exists exactly in linked states, not in ${name}`)
  if (Number.isNaN(until) || Number.isNaN(attempt)) breach('no NaN')
  if (RESTING.includes(name) && until !== Infinity) breach(`${name} rests`)
  const listensForEver = name === 'open' && !beats(policy)
  if (!RESTING.includes(name) && !listensForEver && until === Infinity) breach(`${name} has a deadline`)
  if (listensForEver && until !== Infinity) breach('open without heartbeat rests')
  if (unchanged && effects.length) breach('no effect without a change')
  if (event.type === 'deadline' && before.until > 0 && !unchanged)
    breach('a deadline that is not due changes nothing')
  if (event.type === 'deadline' && before.until <= 0 && !(name !== from || until > 0))
    breach('a deadline makes progress')
  if (until < Math.min(0, before.until)) breach(`no deadline in the past: ${name}`)
  if (effects.filter(effect => effect === 'connecting').length > 1) breach('one transport at a time')

  if (effects.includes('connecting') && name !== 'connecting') breach('a transport is opened for connecting')
  if (effects.includes('open') !== (name === 'open' && from !== 'open'))
    breach('the queue is flushed on entering open, only')
  if (effects.includes('handshaking') !== (name === 'handshaking' && from !== 'handshaking'))
    breach('greeted on entering handshaking')
  if (name === 'handshaking' && !policy.handshake) breach('no handshaking without a handshake')
  if (from === 'connecting' && name === 'open' && policy.handshake) breach('the handshake is not skipped')
  if (effects.includes('ping') && (name !== 'open' || !beats(policy))) breach('only heartbeats ping')
  const pings = next.pingedAt === 0 && before.pingedAt !== 0 && name === 'open'
  if (effects.includes('ping') !== pings) breach('whoever awaits an answer has asked')

  if (event.type === 'welcomed' && from !== 'handshaking' && !unchanged)
    breach('only a handshake is welcomed')
  if (event.type === 'close' && !is('closing', 'closed')) breach('close closes')
  if (event.type === 'close' && from !== 'open' && from !== 'closing' && name !== 'closed')
    breach('close ends what is not open at once')
  if (event.type === 'suspend' && !is('suspended', 'idle', 'closed'))
    breach('a page that goes away holds no transport')
  if (world.away && effects.includes('connecting') && event.type !== 'restore' && from === 'suspended')
    breach('nothing opens while suspended')
  if (event.type === 'restore' && from === 'suspended' && name !== 'connecting')
    breach('a restored page connects at once')
  if (event.type === 'restore' && from === 'open' && !effects.includes('drop'))
    breach('what was open before the page came back is dead')
  if (
    event.type === 'connect' &&
    !is('connecting') &&
    !['connecting', 'handshaking', 'open', 'waiting', 'suspended'].includes(from)
  )
    breach('connect connects')
  if (event.type === 'reconnect' && from !== 'suspended' && !effects.includes('connecting'))
    breach('reconnect connects')
  if (effects.includes('connecting') && event.type === 'restore' && next.downSince !== 0)
    breach('nobody tried while the page was away')
  if (
    event.type === 'deadline' &&
    from === 'open' &&
    name !== 'open' &&
    attempt === 1 &&
    before.attempt > 0 &&
    next.downSince !== 0
  )
    breach('an outage begins when it is found')
  const answered = before.pingedAt === undefined || -silentMs >= before.pingedAt
  const active = policy.heartbeat && policy.heartbeat.message !== undefined && before.pingedAt !== 0
  if (
    active &&
    ['online', 'visible'].includes(event.type) &&
    before.until > 0 &&
    from === 'open' &&
    effects.includes('ping') !== answered
  )
    breach('online and visible ask, unless a question is open')
  if (event.type === 'connect' && from === 'waiting' && !unchanged) breach('connect keeps a wait')
  const watches = beats(policy) && policy.heartbeat.message === undefined
  if (
    watches &&
    ['online', 'visible'].includes(event.type) &&
    before.until > 0 &&
    from === 'open' &&
    !unchanged
  )
    breach('a watchdog without a message is not hurried')
  if (name === 'waiting' && from !== 'waiting' && until - next.downSince > policy.maxElapsedMs)
    breach('maxElapsedMs is the end')
  if (event.type === 'offline' && name !== from) breach('offline alone ends nothing')
  if (event.type === 'offline' && from === 'open' && !unchanged)
    breach('offline does not touch an open connection')
  if (event.type === 'offline' && from === 'waiting' && until < before.until) breach('offline postpones')
  if ((event.type === 'online' || event.type === 'visible') && from === 'waiting' && name === 'waiting') {
    if (until > before.until) breach('online and visible only bring forward')
    if (until < before.notBefore) breach("the server's wish for patience is kept")
    if (before.until > 1_000 && before.notBefore <= 0 && until > 1_000)
      breach('online and visible bring forward to within a second')
  }
  if (event.type === 'dropped') {
    const fatal = event.fatal || event.close.code === 1008 || attempt >= policy.maxAttempts
    const tooLate = name === 'closed' && policy.maxElapsedMs !== Infinity
    if (from !== 'closing' && !tooLate && name !== (fatal ? 'closed' : 'waiting'))
      breach('the close code decides')
    if (name === 'waiting' && attempt < 1) breach('a lost connection counts')
    if (name === 'waiting' && event.close.reason === 'retry=7' && until < 7) breach('retry= is a floor')
    const most = policy.maxElapsedMs + next.downSince
    if (name === 'waiting' && !world.online && until < Math.min(30_000, most))
      breach('offline slows retries down')
    if (name === 'waiting' && until <= 0) breach('no wait is zero')
    if (from === 'open' && name === 'waiting') {
      const stable = -before.since >= policy.minUptimeMs
      if (stable !== (attempt === 1) && before.attempt > 0)
        breach('minimum uptime alone starts the count anew')
    }
    if (name === 'closed' && from === 'closing' && next.close?.local !== true)
      breach('a close that we asked for is ours')
  }
  if (event.type === 'deadline' && from === 'open' && name !== 'open' && beats(policy)) {
    const { intervalMs, timeoutMs } = policy.heartbeat
    if (silentMs < Math.min(intervalMs, timeoutMs)) breach('whoever was heard lately is alive')
    if (-before.until > 1_000 && !before.secondChance) breach('a late timer judges nobody')
    if (before.pingedAt === undefined) breach('nobody is given up unasked')
  }
  if (event.type === 'deadline' && before.until <= 0) {
    if ((from === 'connecting' || from === 'handshaking') && !is('waiting', 'closed'))
      breach('an attempt is bounded')
  }
  if (attempt > before.attempt + 1) breach('failures are counted one by one')
  if (attempt >= policy.maxAttempts && name === 'waiting') breach('maxAttempts is the end')
}

const beating = { intervalMs: 8, timeoutMs: 5 }

/** What users may ask for, as far as it changes the machine. */
export const policies: readonly Policy[] = [
  policy,
  { ...policy, maxAttempts: 3, maxElapsedMs: 40, minUptimeMs: 5 },
  { ...policy, handshake: true, heartbeat: { ...beating, message: 'ping' } },
  { ...policy, heartbeat: beating },
]
