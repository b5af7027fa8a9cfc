/** Numbers that a server gives its messages, whatever it calls them: which of its messages carry one, and where. */

import { type Close, ended } from './core/lifecycle'
import { createSequencer, type Gap, type SequenceNumber, type Step } from './core/sequence'
import { SocketError } from './errors'
import type { Clock } from './platform/clock'
import { amount, choice, duration, group, optional, refuse } from './rules'

/** How long a message may wait for those that it overtook. */
export interface ReorderOptions {
  /**
   * Messages that may be held, of each stream, from 1.
   * @default 32
   */
  readonly window?: number | undefined
  /**
   * How long, in ms, from 1.
   * @default 500
   */
  readonly timeoutMs?: number | undefined
}

/** Where the numbers are, and what is done about those that are missing. */
export interface SequenceOptions<Incoming = unknown> {
  /**
   * The number of a message: a safe integer or a bigint, one more than that of the message before it in its stream.
   * The type may change on the way. `undefined` or `null`: it has none, and is delivered as it comes.
   */
  readonly of: (message: Incoming) => SequenceNumber | null | undefined
  /** Which stream a message is of: each is numbered by itself. Only asked where there is a number. One, `''`, by default. */
  readonly stream?: ((message: Incoming) => string) | undefined
  /**
   * After the event `gap`: `'report'` goes on, `'reconnect'` replaces the connection, after the backoff, with
   * {@link Sequence.last} still before the gap, for the server to send what is missing, or a new snapshot. If the
   * next connection has it neither, it goes on.
   * @default 'report'
   */
  readonly onGap?: 'report' | 'reconnect' | undefined
  /** Holds what overtook others, to put it in order. @default false */
  readonly reorder?: ReorderOptions | false | undefined
}

/** For the option `sequence`, one for each socket. */
export interface Sequence<in Incoming = unknown> {
  /** The last number that was delivered, or taken by `receive()`, of each stream: as it is now. Reconnects keep it. */
  readonly last: ReadonlyMap<string, SequenceNumber>
  /** Messages that were dropped: their number was not above the last. */
  readonly duplicates: number
  /** How many times `gap` was told. */
  readonly gaps: number
  /**
   * The next number is a first one: of this stream, or of all. To be called in `handshake` where the server counts anew
   * with each connection, or has begun a new session. Without it all that is not above the last number is dropped.
   */
  reset(stream?: string): void
  /**
   * For the socket.
   * @throws SocketError `invalid-option` from the second time on
   */
  bind(shell: SequenceShell<Incoming>): SequenceLink<Incoming>
}

/** What the socket does for its sequence. */
export interface SequenceShell<Incoming> {
  /** That of the socket. */
  readonly clock: Clock
  /** Calls the listeners, at once. */
  emit(...event: ['message', message: Incoming] | ['gap', gap: Gap]): unknown
  /** Calls back where listeners may be told something. */
  note(notice: () => unknown): void
  /** They may be told now. */
  publish(): void
  /** Tells an `error` event. */
  fail(error: SocketError, message: Incoming): void
  /** Whether messages may be told. */
  isOpen(): boolean
  /** The connection has ended: another one comes after the backoff. */
  dispatch(event: { readonly type: 'dropped'; readonly close: Close }): void
}

/** What a sequence does for its socket. */
export interface SequenceLink<Incoming> extends Pick<Sequence, 'last'> {
  /** Tells of a message, from within a `note`, while open. @returns whether it did: it has a number */
  receive(message: Incoming): boolean
  /** `receive()` of a handshake took it. */
  take(message: Incoming): void
  /** The connection has ended. */
  drop(): void
}

interface SettledSequence<Incoming> {
  readonly of: SequenceOptions<Incoming>['of']
  readonly stream: (message: Incoming) => string
  readonly onGap: 'report' | 'reconnect'
  readonly reorder: { readonly [name in keyof ReorderOptions]-?: NonNullable<ReorderOptions[name]> }
}

/** Its rules are made when it is asked, so that whoever does not ask need not have them. */
const settle = <Incoming>(asked: SequenceOptions<Incoming>) => {
  const reorder = group<SettledSequence<Incoming>['reorder']>({
    window: amount(32),
    timeoutMs: duration(500),
  })
  return group<SettledSequence<Incoming>>({
    of: (value, path) =>
      typeof value === 'function'
        ? (value as SettledSequence<Incoming>['of'])
        : refuse(path, 'function', value),
    stream: (value, path) =>
      optional<SettledSequence<Incoming>['stream']>('function')(value, path) ?? (() => ''),
    onGap: choice('report', 'reconnect'),
    reorder: (value = false, path) => (value ? reorder(value, path) : { window: 0, timeoutMs: Infinity }),
  })(asked, 'sequence')
}

/**
 * Reads the numbers of messages. Each stream is delivered in order and without duplicates. What is missing is told by
 * the event `gap`. What is missing and comes later than `reorder` allows for is dropped.
 *
 * The first number of a stream is where it starts. What `receive()` takes in `handshake` says where its stream is,
 * whether that is higher or lower than before.
 * @throws SocketError `invalid-option`
 */
export const sequence = <Incoming>(options: SequenceOptions<Incoming>): Sequence<Incoming> => {
  const { of, stream, onGap, reorder } = settle(options)
  const sequencer = createSequencer<Incoming>({ messages: reorder.window, timeoutMs: reorder.timeoutMs })
  let rearm: (() => void) | undefined

  const bind = (shell: SequenceShell<Incoming>): SequenceLink<Incoming> => {
    if (rearm) throw new SocketError('invalid-option', 'sequence: expected one for each socket')
    const { clock, emit, fail, isOpen, note, publish, dispatch } = shell
    let timer: unknown
    let armed = Infinity

    const now = () => (reorder.window ? clock.now() : 0)

    const tell = (steps: Iterable<Step<Incoming>>): void => {
      for (const step of steps) {
        if (!step.gap) emit('message', step.message)
        else {
          emit('gap', step.gap)
          if (onGap === 'reconnect' && !step.again && isOpen())
            dispatch({ type: 'dropped', close: ended(1005, 'gap') })
        }
        if (!isOpen()) break
      }
      arm()
    }

    const tick = (): void => {
      armed = Infinity
      note(() => isOpen() && tell(sequencer.tick(clock.now())))
      publish()
    }

    const arm = (): void => {
      const { until } = sequencer
      if (until === armed) return
      armed = until
      clock.clearTimeout(timer)
      if (until === Infinity) return
      // An overdue timer may run before a message that has already arrived: judge one macrotask later
      timer = clock.setTimeout(() => {
        timer = clock.setTimeout(tick, 0)
      }, until - clock.now())
    }
    rearm = arm

    /** What goes wrong is told: it depends on what the server sends, and most likely needs its message to be found. */
    const read = (message: Incoming): [stream: string, seq: SequenceNumber] | undefined => {
      try {
        const seq = of(message) ?? undefined
        if (seq === undefined) return undefined
        if (typeof seq !== 'bigint' && !Number.isSafeInteger(seq))
          throw new TypeError('of: expected a safe integer or a bigint')
        const name = stream(message)
        if (typeof name !== 'string') throw new TypeError('stream: expected a string')
        return [name, seq]
      } catch (cause) {
        const what = cause instanceof Error ? `sequence: ${cause.message}` : 'sequence'
        fail(new SocketError('sequence', what, cause), message)
        return undefined
      }
    }

    return {
      last: sequencer.last,
      receive(message) {
        const where = read(message)
        if (where) tell(sequencer.accept(...where, message, now()))
        return !!where
      },
      take(message) {
        const where = read(message)
        if (where) sequencer.start(...where)
      },
      drop() {
        sequencer.forget()
        arm()
      },
    }
  }

  return {
    bind,
    last: sequencer.last,
    get duplicates() {
      return sequencer.duplicates
    },
    get gaps() {
      return sequencer.gaps
    },
    reset(stream) {
      sequencer.reset(stream)
      rearm?.()
    },
  }
}
