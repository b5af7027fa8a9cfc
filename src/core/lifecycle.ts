/**
 * The life of a connection, as a pure and total function from what is and what happened to what is next.
 *
 * 1. Every decision about the connection's life is made here, and nowhere else.
 * 2. Nothing here can read a clock, a socket, a random number or a global. They come in as `at`.
 * 3. Only resting states wait for ever: `idle`, `closed`, `suspended`, and `open` when no heartbeat was asked for.
 *    Every other state carries exactly one deadline, `until`. The one timer follows from it.
 * 4. What must be done follows from where we are and where we were: `effects`. The shell commits the state, performs
 *    the effects, arms its timer, and only then tells anyone.
 * 5. Messages do not pass through here.
 * 6. One transport for each attempt, held exactly in linked states. A dropped transport is mute for ever.
 * 7. After `close` nothing opens until `connect` or `reconnect`.
 */

import { type Backoff, backoff } from './backoff'

/** How one connection ended. `code` and `reason` are those of RFC 6455 §7.1.5 and §7.1.6. */
export interface Close {
  /** As RFC 6455 §7.1.5 has it; 1006 if the connection was lost. */
  readonly code: number
  /** As RFC 6455 §7.1.6 has it, or `''`; of a deadline of ours, which it was. */
  readonly reason: string
  /** Whether the closing handshake was completed. */
  readonly wasClean: boolean
  /** Whether we ended it: `close()`, `reconnect()`, a deadline, a page that went away. */
  readonly local: boolean
}

/** In which state a socket is: the README has a table of what each means. */
export type StateName =
  | 'idle'
  | 'connecting'
  | 'handshaking'
  | 'open'
  | 'waiting'
  | 'suspended'
  | 'closing'
  | 'closed'

export interface State {
  readonly name: StateName
  /** Failures in a row so far. A connection that was lost counts as one; minimum uptime starts the count anew. */
  readonly attempt: number
  /** When the present outage began: the first `connect`, or the loss of the last stable connection. */
  readonly downSince: number
  /** The moment this state ends by itself. `Infinity` in a resting state. */
  readonly until: number
  /** How the last connection ended, or what `close` asked for when there was none to end. */
  readonly close?: Close | undefined
  /** Of `open`: since when. */
  readonly since: number
  /** Of `open`: when a sign of life was last asked for; 0 if one is known to have come since. */
  readonly pingedAt: number
  /** Of `open`: that was for the second time, because the first deadline was judged late. */
  readonly secondChance?: boolean | undefined
  /** Of `waiting`: the server asked not to be called earlier, so `online` and `visible` must not. */
  readonly notBefore: number
}

/** What happened: the application spoke, the transport spoke, the page spoke, or time ran out. */
export type Event =
  | { readonly type: 'connect' | 'reconnect' }
  | { readonly type: 'close'; readonly close: Close }
  | { readonly type: 'opened' | 'welcomed' }
  | { readonly type: 'dropped'; readonly close: Close; readonly fatal?: boolean }
  | { readonly type: 'online' | 'offline' | 'visible' | 'suspend' | 'restore' }
  | { readonly type: 'deadline' }

/** The world at the moment of the event. Times in ms on one clock; `random` is in [0, 1). */
export interface Inputs {
  readonly now: number
  readonly random: number
  /** When anything last came from the peer of the present transport. */
  readonly lastSeen: number
  /** What the page believes of the network. It lies both ways, so it only postpones. */
  readonly online: boolean
}

/** Who asked for none has one that never beats. */
interface Heartbeat {
  /** `Infinity` if there is nothing to be heard. */
  readonly intervalMs: number
  readonly timeoutMs: number
  /** What to ask the peer with. Without it there is only a watchdog that listens. */
  readonly message?: unknown
}

export interface Policy {
  readonly connectTimeoutMs: number
  readonly closeTimeoutMs: number
  readonly minUptimeMs: number
  readonly backoff: Backoff
  readonly maxAttempts: number
  readonly maxElapsedMs: number
  /** If there is one, it stands between `connecting` and `open`. */
  readonly handshake?: unknown
  readonly heartbeat: Heartbeat
  /** Must not throw. A number is a delay in ms; `undefined` leaves it to the close code. */
  readonly shouldRetry: (close: Close, attempt: number) => boolean | number | undefined
}

export const IDLE: State = {
  name: 'idle',
  attempt: 0,
  downSince: 0,
  until: Infinity,
  since: 0,
  pingedAt: 0,
  notBefore: 0,
}

/** Protocol violations and refusals: the same bytes would fail again. RFC 6455 §7.4.1. */
const FATAL_CODES: readonly number[] = [1002, 1003, 1007, 1008, 1010]

/** A timer this late was throttled, or the machine slept: what it would judge proves nothing. */
const LATE_MS = 1_000
/** Deadline of a ping that was sent because the world may have changed, not because it was due. */
const PROBE_TIMEOUT_MS = 5_000
/** `online` and `visible` bring a waiting attempt forward to within this, at random: an office returns as one. */
const PROMPT_MS = 1_000
/** While the page believes to be offline, attempts only feed the browser's own throttles. */
const OFFLINE_RETRY_MS = 30_000
/** What 1012 (service restart) and 1013 (try again later) ask for, when they do not say how long. */
const BUSY_RETRY_MS = 5_000
/**
 * After 1001 (going away). Firefox closes with it when it begins to leave a page, long before `pagehide`, or with 1006
 * that is clean if it was still connecting: who came back at once did so from a dying page.
 */
const AWAY_RETRY_MS = 500
const LONGEST_HINT_MS = 300_000

/** By default one that the server had no part in. */
export const ended = (code: number, reason: string, wasClean = false, local = true): Close => ({
  code,
  reason,
  wasClean,
  local,
})

/** All that a decision may look at. */
type World = Inputs & Policy

export const transition = (state: State, event: Event, inputs: Inputs, policy: Policy): State => {
  const at: World = { ...policy, ...inputs }
  const { name } = state
  const { type } = event
  const linked = stage(state) >= 0
  const story = name === 'open' ? aged(state, at.now, at) : state
  const replaced = linked ? { ...story, close: ended(1005, '') } : story
  const begin = (from: State): State => ({
    ...from,
    name: 'connecting',
    until: at.now + at.connectTimeoutMs,
  })

  switch (type) {
    case 'connect':
    case 'reconnect':
      if (name === 'idle' || isOver(state)) return begin({ ...state, attempt: 0, downSince: at.now })
      return type === 'connect' || name === 'suspended' ? state : begin(replaced)

    case 'opened':
      if (name !== 'connecting') return state
      return at.handshake ? { ...state, name: 'handshaking' } : established(state, at)

    case 'welcomed':
      return name === 'handshaking' ? established(state, at) : state

    case 'dropped':
      if (name === 'closing') return rest('closed', { ...state, close: { ...event.close, local: true } })
      return linked ? retry(story, event.close, at, event.fatal) : state

    case 'close': {
      if (isOver(state)) return state
      const closing = { ...story, close: event.close }
      if (name !== 'open') return rest('closed', closing)
      return { ...closing, name: 'closing', until: at.now + at.closeTimeoutMs }
    }

    case 'suspend':
      if (name === 'closing') return rest('closed', state)
      return linked || name === 'waiting' ? rest('suspended', replaced) : state

    case 'restore':
      // A transport that was open when the page was put away is dead, whatever its readyState says
      // While it was put away nobody tried: that is no part of an outage
      if (name === 'suspended' || name === 'open') return begin({ ...replaced, downSince: at.now })
      return name === 'waiting' ? hurry(state, at) : state

    case 'offline':
      return name === 'waiting' ? { ...state, until: Math.max(state.until, offlineUntil(state, at)) } : state

    // Behind a throttled timer, a page that becomes visible may find a deadline long overdue
    case 'online':
    case 'visible':
    case 'deadline':
      if (at.now < state.until) {
        if (type === 'deadline') return state
        if (name === 'waiting') return hurry(state, at)
        return name === 'open' && at.lastSeen >= state.pingedAt && probes(at) ? ask(state, at, true) : state
      }
      if (name === 'waiting') return begin(state)
      if (name === 'open') return judge(state, at)
      return name === 'closing' ? rest('closed', state) : retry(state, ended(1006, 'connect timeout'), at)
  }
}

/** These states hold a transport. It goes through them in this order, and never back. */
const LINKED = ['connecting', 'handshaking', 'open', 'closing'] as const

/** How far the transport has come; -1 if there is none. */
const stage = ({ name }: State) => (LINKED as readonly string[]).indexOf(name)

/**
 * What the shell must do for a step, in order. `drop`: detach the transport, then close it unawaited. Entering a
 * linked state goes by its name. `connecting`: start another transport. `handshaking`: run the handshake. `open`:
 * send what is queued. `closing`: start the closing handshake. `ping`: ask for life.
 */
export type Effect = 'drop' | (typeof LINKED)[number] | 'ping'

export const effects = (previous: State, next: State): Effect[] => {
  const [from, to] = [stage(previous), stage(next)]
  const entered = LINKED[to]
  // Whatever changes in `connecting`, it is another attempt
  const isNew = from !== to || (entered === 'connecting' && next !== previous)
  const list: Effect[] = []
  if (isNew) {
    if (from >= to) list.push('drop')
    if (entered) list.push(entered)
  }
  if (next.pingedAt > previous.pingedAt) list.push('ping')
  return list
}

/** Nothing can be expected of it any more. */
export const isOver = ({ name }: State) => name === 'closing' || name === 'closed'

const rest = (name: StateName, from: State): State => ({ ...from, name, until: Infinity })

const established = (state: State, at: World) => heard({ ...state, name: 'open', since: at.now }, at.now, at)

/** Known to be alive: the next deadline is to ask again. */
const heard = (open: State, lastSeen: number, { heartbeat }: World): State => ({
  ...open,
  until: lastSeen + heartbeat.intervalMs,
  pingedAt: 0,
  secondChance: false,
})

/** An open connection that was up for long enough to count as a success starts a new story. */
const aged = (open: State, upTo: number, at: World): State =>
  upTo - open.since < at.minUptimeMs ? open : { ...open, attempt: 0, downSince: at.now }

/** The network is back, or someone looks: soon, at random within a second, unless the server asked for patience. */
const hurry = (waiting: State, at: Inputs): State => {
  const until = Math.max(waiting.notBefore, at.now + at.random * PROMPT_MS)
  return until < waiting.until ? { ...waiting, until } : waiting
}

/** Without a network an attempt is only made now and then, because the page may be wrong; the last one is not given up. */
const offlineUntil = ({ downSince }: State, at: World) =>
  Math.min(at.now + OFFLINE_RETRY_MS, downSince + at.maxElapsedMs)

const probes = ({ heartbeat }: World) => heartbeat.message !== undefined

/** The deadline of an open connection has passed: is there life? Any inbound byte is. */
const judge = (open: State, at: World): State => {
  const late = at.now - open.until > LATE_MS
  if (at.lastSeen >= open.pingedAt) {
    const alive = heard(open, at.lastSeen, at)
    return at.now < alive.until ? alive : ask(alive, at, late)
  }
  // While we slept, or were throttled, the answer may have had no chance to be heard
  if (late && !open.secondChance) return ask({ ...open, secondChance: true }, at, true)
  return retry(aged(open, at.lastSeen, at), ended(1006, 'heartbeat timeout'), at)
}

/** Awaits a sign of life, and asks for one if there is a way: in haste if the world may have changed. */
const ask = (open: State, at: World, haste: boolean): State => {
  const longest = haste && probes(at) ? PROBE_TIMEOUT_MS : Infinity
  return { ...open, until: at.now + Math.min(at.heartbeat.timeoutMs, longest), pingedAt: at.now }
}

/** A connection, or an attempt at one, has ended against our will: try again, later, or give up. */
const retry = (story: State, close: Close, at: World, fatal = false): State => {
  const attempt = story.attempt + 1
  const verdict = fatal ? false : (at.shouldRetry(close, attempt) ?? !FATAL_CODES.includes(close.code))
  const chosen = typeof verdict === 'number' && verdict >= 0 && verdict < Infinity
  const floor = chosen ? verdict : floorMs(close, at.random)
  const usual = at.now + Math.max(floor, backoff(story.attempt, at.random, at.backoff))
  const until = chosen ? at.now + floor : at.online ? usual : Math.max(usual, offlineUntil(story, at))
  const next: State = { ...story, name: 'waiting', attempt, close, until, notBefore: at.now + floor }
  const givenUp = verdict === false || attempt >= at.maxAttempts || until - story.downSince > at.maxElapsedMs
  return givenUp ? rest('closed', next) : next
}

/** The least wait the server asked for, in ms: `retry=<ms>` in the close reason, or what the code implies. */
const floorMs = ({ code, reason, wasClean }: Close, random: number): number => {
  const hint = /\bretry=(\d+)/.exec(reason)
  if (hint) return Math.min(Number(hint[1]), LONGEST_HINT_MS) * (1 + 0.2 * random)
  if (code === 1012 || code === 1013) return BUSY_RETRY_MS * (1 + random)
  return code === 1001 || (code === 1006 && wasClean) ? AWAY_RETRY_MS : 0
}
