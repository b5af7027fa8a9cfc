/** What a socket can tell of itself: counters, round trips, the time spent in each state, and its latest steps. */

import type { Event, State, StateName } from './core/lifecycle'
import type { Stats, Transition, Undelivered } from './events'

const TRANSITIONS_KEPT = 100
const ROUND_TRIPS_KEPT = 100

/** Weight of the newest in the smoothed round trip: RFC 6298 §2. */
const SMOOTHING = 1 / 8

/** What is not counted here, but known where a snapshot is asked for. */
type Present = Pick<Stats, 'connection' | 'queuedMessages' | 'queuedBytes'>

export const createRecorder = (now: number) => {
  /** When the present state was entered. */
  let since = now
  let smoothedMs = 0
  const roundTrips: number[] = []
  const transitions: Transition[] = []
  const stateMs: { [name in StateName]?: number } = {}
  const undelivered: { [code in Undelivered['code']]?: number } = {}

  const spend = (times: typeof stateMs, name: StateName, now: number) => {
    times[name] = (times[name] ?? 0) + now - since
  }

  return {
    /** For the shell to count up. */
    counts: { messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0, attempts: 0, opens: 0 },
    transitions,
    roundTrips,

    step(previous: State, event: Event, next: State, now: number): Transition {
      spend(stateMs, previous.name, now)
      since = now
      const { name, attempt, close } = next
      const reason = close && close !== previous.close ? `${close.code} ${close.reason}`.trim() : ''
      const at = Math.round(now)
      const transition = { from: previous.name, event: event.type, to: name, reason, attempt, at }
      if (transitions.push(transition) > TRANSITIONS_KEPT) transitions.shift()
      return transition
    },

    roundTrip(ms: number): void {
      smoothedMs += (ms - smoothedMs) * (roundTrips.length ? SMOOTHING : 1)
      if (roundTrips.push(ms) > ROUND_TRIPS_KEPT) roundTrips.shift()
    },

    lost(code: Undelivered['code']): void {
      undelivered[code] = (undelivered[code] ?? 0) + 1
    },

    snapshot({ name, since: openSince }: State, present: Present, now: number): Stats {
      const times = { ...stateMs }
      spend(times, name, now)
      const sorted = [...roundTrips].sort((a, b) => a - b)
      const percentile = (of: number) => sorted[Math.ceil(of * sorted.length) - 1] as number
      const lastMs = roundTrips.at(-1)
      return {
        ...this.counts,
        ...present,
        uptimeMs: name === 'open' ? now - openSince : 0,
        roundTrip:
          lastMs === undefined
            ? undefined
            : { lastMs, smoothedMs, p50Ms: percentile(0.5), p95Ms: percentile(0.95) },
        stateMs: times,
        undelivered: { ...undelivered },
      }
    },
  }
}
