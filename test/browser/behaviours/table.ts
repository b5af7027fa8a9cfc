/** The behaviours that are held in browsers: what each is, and which engine cannot be brought to it. */

import type { EngineName } from '../engines/engine'

export interface Behaviour {
  readonly title: string
  /** What we promise. */
  readonly claim: string
  /** Why not. */
  readonly cannot?: Readonly<Partial<Record<EngineName, string>>>
}

const NO_OFFLINE = 'its driver cannot tell it that there is no network'

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
    claim:
      'The same, counted from the last byte that moved, although the old WebSocket cannot even begin to close.',
  },
  hang: {
    title: 'a handshake that hangs',
    claim:
      'It is given up at `connectTimeoutMs`, and its WebSocket is closed: a second tab that waits behind it gets through within a second.',
  },
  refused: {
    title: 'a handshake that is refused',
    claim: 'With `diagnose()` the reason is told, and decides about the retry.',
  },
  blocked: {
    title: 'the page busy past a deadline while the pong is in',
    claim: 'No connection is taken for dead, in 20 of 20.',
  },
  freeze: {
    title: 'a frozen page whose WebSockets the browser closes',
    claim: 'Back and consistent within 2 s. In session mode nothing is lost or doubled.',
    cannot: { firefox: 'it cannot be told to freeze a page', webkit: 'its driver cannot freeze a page' },
  },
  'freeze-open': {
    title: 'a frozen page whose WebSockets stay open',
    claim: 'The same.',
    cannot: { firefox: 'it cannot be told to freeze a page', webkit: 'its driver cannot freeze a page' },
  },
  cache: {
    title: 'the back/forward cache, there and back',
    claim:
      'A page that is put away holds no connection of ours and makes none. Restored, it is back and consistent within 2 s, and in session mode nothing is lost.',
  },
  leaving: {
    title: 'leaving the page, ten times',
    claim:
      'Whatever the browser closes before `pagehide`, the dying page does not connect again for half a second.',
  },
  sleep: {
    title: 'asleep for 4 s, and the path lives on',
    claim: 'Back and consistent within 2 s. In session mode nothing is lost or doubled.',
  },
  'sleep-dead': {
    title: 'asleep for 4 s, and the path dies meanwhile',
    claim: 'The same, with `timeoutMs` of 0.5 s.',
  },
  'offline-waiting': {
    title: 'offline while waiting, and online again',
    claim: 'While offline nothing is tried for 30 s. Once online each tries within a second, at random.',
    cannot: { webkit: NO_OFFLINE },
  },
  'offline-open': {
    title: 'offline while open, and online again',
    claim:
      'Offline closes nothing. Online asks for life at once: who lives is kept, who does not is replaced.',
    cannot: { webkit: NO_OFFLINE },
  },
  address: {
    title: 'another address on the network interface',
    claim:
      'No event says so: the heartbeat finds it, and it is replaced within `intervalMs + timeoutMs` and a second.',
    cannot: {
      firefox: 'its driver cannot reach into a network of its own',
      webkit: 'its driver cannot reach into a network of its own',
    },
  },
  hidden: {
    title: 'a hidden page whose timers are throttled',
    claim:
      'The connection stays. What a message handler answers goes out within 1.5 s. Once visible, an overdue attempt starts at once, any other within a second.',
  },
  reconnects: {
    title: '1,000 reconnects',
    claim: 'At most 100 bytes of heap for each, one set of listeners, and no connection left on the server.',
    cannot: {
      firefox: 'it does not tell the size of its heap',
      webkit: 'it does not tell the size of its heap',
    },
  },
  'hidden-long': {
    title: 'hidden for more than two minutes',
    claim: 'The connection stays, however seldom its heartbeats are.',
  },
  'offline-lie': {
    title: 'a browser that believes to be offline, and is not',
    claim: 'It is tried again after 30 s at the latest.',
    cannot: {
      firefox: 'told that it is offline, it does not connect',
      webkit: NO_OFFLINE,
    },
  },
  outage: {
    title: 'a long outage: 15 failed attempts',
    claim:
      'Back within the longest backoff, `connectTimeoutMs`, and what the browser itself delays attempts after failures.',
  },
})

export type BehaviourId = keyof typeof BEHAVIOURS
