/** The behaviours that are held in browsers: what each is, and which engine cannot be brought to it. */

import type { EngineName } from '../engines/engine'

export interface Behaviour {
  readonly title: string
  /** What we promise. */
  readonly claim: string
  /** Why not. */
  readonly cannot?: Readonly<Partial<Record<EngineName, string>>>
}

const table = <Id extends string>(behaviours: Readonly<Record<Id, Behaviour>>) => behaviours

export const BEHAVIOURS = table({
  basic: {
    title: 'a cut, and back',
    claim: 'It reconnects by itself, and what waited goes out.',
  },
  'half-open-idle': {
    title: 'half-open while idle',
    claim:
      'It is replaced within `intervalMs + timeoutMs` and a second. The late `close` of the old WebSocket changes nothing, and `close()` is bounded.',
  },
  'half-open-sending': {
    title: 'half-open while sending',
    claim: 'The same, although nothing that is sent fails.',
  },
  'half-open-backlog': {
    title: 'half-open with 16 MiB to send',
    claim: 'The same, although the old WebSocket cannot even begin to close.',
  },
  hang: {
    title: 'a handshake that hangs',
    claim:
      'It is given up at `connectTimeoutMs`, and its WebSocket is closed: a second tab that waits behind it gets through within a second.',
  },
  blocked: {
    title: 'the page busy past a deadline while the pong is in',
    claim: 'No connection is taken for dead, in 20 of 20.',
  },
})

export type BehaviourId = keyof typeof BEHAVIOURS
