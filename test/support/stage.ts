/** What a simulated client and a simulated server have at hand, and how their messages are spelled. */

import type { Laws } from './laws'
import type { Time, Wire } from './network'
import type { Random } from './random'

export type Machine = typeof import('./machine')

export interface Scenario {
  readonly win: { readonly client: number; readonly server: number }
  readonly ttlMs: number
  /** How long a message takes to consume, at most, in ms; 0: at once. */
  readonly slow: { readonly client: number; readonly server: number }
  /** How long it takes to authenticate, at most, in ms. */
  readonly authMs: number
  readonly resend: 'report' | 'certain' | 'all'
  /** Of the server: what may be in flight, and what it keeps for who is away. */
  readonly maxInFlightBytes: number
  readonly detachedBytes: number
}

/** What both have at hand. */
export interface Stage {
  readonly machine: Machine
  readonly time: Time
  readonly random: Random
  readonly laws: Laws
  readonly scenario: Scenario
}

export const MAX_BYTES = 1_048_576
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const encode = (message: string, isText: boolean): Wire =>
  isText ? JSON.stringify(message) : encoder.encode(message)

export const decode = (data: Wire): string =>
  typeof data === 'string' ? JSON.parse(data) : decoder.decode(data)
