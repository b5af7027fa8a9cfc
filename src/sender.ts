/** The way out: what is sent waits in the log until the WebSocket has room for it, and is settled exactly once. */

import { createOutbox, Entry, type OutboxPolicy } from './core/outbox'
import { report } from './emitter'
import { SocketError } from './errors'
import type { Undelivered } from './events'
import type { SendOptions } from './options'
import type { Clock } from './platform/clock'
import { LONGEST_TIMER_MS } from './rules'
import type { SessionHooks } from './session'
import { settleTtl } from './settle'
import { byteLength } from './wire/data'

type Data = string | Uint8Array<ArrayBuffer>
type Settled = (code: Undelivered['code'] | undefined) => void
type Lost<Outgoing> = readonly Undelivered<Outgoing>[]

/** How often to look whether the WebSocket has room again, while something waits for it. There is no event. */
const POLL_MS = 20
/** How long sending may hold the main thread at a time, and messages between two looks at the clock. */
const SLICE_MS = 8
const SLICE_MESSAGES = 64
/** A timer this late was throttled: in a hidden page they run once a second, or once a minute. */
const THROTTLED_MS = 200
/** How often to look then without a timer: for some 20 ms, in which a network that flows makes room. */
const PATIENCE = 1_000

/** Bytes that stay as they are, whatever their owner does to the buffer. */
export const kept = (data: Data): Data => (typeof data === 'string' ? data : new Uint8Array(data))

/** What the rest of the shell does for it. */
interface Surroundings<Outgoing> {
  readonly clock: Clock
  readonly queue: OutboxPolicy
  /** Whether what may or may not have arrived is sent again. */
  readonly resend: boolean
  /** Bytes that the WebSocket holds; `Infinity` while it takes no messages. */
  held(): number
  /** In session mode: it decides when what is sent. */
  session(): SessionHooks<Outgoing> | undefined
  write(data: Data, bytes: number): void
  encode(message: Outgoing): Data
  /** @throws SocketError `closed` */
  usable(): unknown
  /** @param told whether the promise of `deliver` tells it */
  lost(undelivered: Undelivered<Outgoing>, told: boolean): void
  /** There is room again: to be told by `publish`. */
  drained(): void
  publish(): void
}

export const createSender = <Outgoing>(shell: Surroundings<Outgoing>) => {
  const { clock, queue, resend, held, write, encode, usable, lost, drained, publish } = shell
  let sendersWait = false
  let poll: unknown
  let sweep: unknown
  let sweepAt = Infinity
  let hopping = false
  let patience = 0

  const lose = (entry: Entry<Outgoing>, code: Undelivered['code']): Undelivered<Outgoing> => {
    const { message, certain } = entry
    const undelivered = { message, code, certain }
    lost(undelivered, !!entry.settled?.(code))
    return undelivered
  }

  const outbox = createOutbox<Outgoing>(queue, lose)

  const loseAll = (entries: readonly Entry<Outgoing>[], code: Undelivered['code']) =>
    entries.map(entry => lose(entry, code))

  /** Whether all that was accepted is settled, an empty message too. */
  const isEmpty = () => !outbox.messages && outbox.acked.seq === outbox.numbered.seq

  /** Takes out all that no transport ever had. */
  const loseUnsent = (code: Undelivered['code']) => loseAll(outbox.entries().filter(outbox.remove), code)

  const settle = (entries: readonly Entry<Outgoing>[]): void => {
    for (const entry of entries) entry.settled?.()
  }

  /**
   * Hands over as much of what waits as the WebSocket should hold, and as the main thread should bear.
   * @returns how many
   */
  const flush = (bytes: number, now: number): number => {
    settle(outbox.left(bytes))
    let moved = 0
    let until = 0
    try {
      while (bytes < queue.highWaterMarkBytes) {
        const entry = outbox.peek(now)
        if (!entry) break
        write(entry.data, entry.bytes)
        outbox.advance()
        bytes += entry.bytes
        if (++moved % SLICE_MESSAGES) continue
        until ||= clock.now() + SLICE_MS
        if (clock.now() > until) break
      }
    } catch (error) {
      // What it did not take is still the next
      report(error)
    }
    return moved
  }

  /**
   * Sends what can be sent, and looks again while something waits for room.
   * @param now 0: what waits is not too late
   */
  const pump = (bytes = held(), now = outbox.soonest < Infinity ? clock.now() : 0): void => {
    const session = shell.session()
    const moved = session ? session.pump(now) : flush(bytes, now)
    if (bytes < Infinity) {
      const waits = outbox.messages && (!session || held() >= queue.highWaterMarkBytes)
      if (waits && (moved || patience-- > 0)) hop()
      else if (waits || (!session && !isEmpty())) poll ??= clock.setTimeout(look(clock.now()), POLL_MS)
    }
    if (!sendersWait || outbox.pressure >= 0.5) return
    sendersWait = false
    drained()
  }

  /** Looks whether anything can go, and tells what comes of it. */
  const flow = (): void => {
    pump()
    publish()
  }

  /** Goes on in another task, which no throttle delays. */
  const hop = (): void => {
    if (hopping) return
    hopping = true
    clock.hop(() => {
      hopping = false
      flow()
    })
  }

  const look = (since: number) => () => {
    poll = undefined
    patience = clock.now() - since > POLL_MS + THROTTLED_MS ? PATIENCE : 0
    flow()
  }

  /** One timer for all that may expire. A message that is gone in time leaves it running, to find nothing. */
  const watch = (): void => {
    if (!outbox.messages || outbox.soonest >= sweepAt) return
    clock.clearTimeout(sweep)
    sweepAt = outbox.soonest
    sweep = clock.setTimeout(
      () => {
        sweepAt = Infinity
        outbox.sweep(clock.now())
        watch()
        flow()
      },
      Math.min(sweepAt - clock.now(), LONGEST_TIMER_MS),
    )
  }

  /** @param settled told of it, instead of everybody */
  const follow = (entry: Entry<Outgoing>, signal: SendOptions['signal'], settled?: Settled): void => {
    const cancel = () => {
      // What is on its way cannot be taken back, but need not go again
      entry.expiresAt = clock.now()
      if (!outbox.remove(entry)) return
      lose(entry, 'aborted')
      flow()
    }
    signal?.addEventListener('abort', cancel)
    entry.settled = code => {
      signal?.removeEventListener('abort', cancel)
      settled?.(code as Parameters<Settled>[0])
      return !!settled
    }
  }

  const accept = (
    message: Outgoing,
    { key, signal, ttlMs, volatile }: SendOptions,
    settled?: Settled,
  ): boolean => {
    const data = encode(message)
    usable()
    if (signal?.aborted) throw new SocketError('aborted', 'send: the signal has aborted', signal.reason)
    const lives = Math.min(settleTtl(ttlMs), volatile ? 0 : Infinity)
    // The clock costs, and most need none
    const now = lives < Infinity || outbox.soonest < Infinity ? clock.now() : 0
    const bytes = held()
    const goes = !outbox.messages && bytes < queue.highWaterMarkBytes
    const entry = new Entry(message, data, byteLength(data), key, lives < Infinity ? now + lives : 0)
    if (signal || settled) follow(entry, signal, settled)
    const session = shell.session()
    if (volatile && goes && session?.sendVolatile(data, entry.bytes)) {
      settle([entry])
      return true
    }
    const isIn = goes || !volatile ? outbox.push(entry, now) : false
    if (isIn === undefined) {
      entry.settled?.('queue-full')
      throw new SocketError('queue-full', `send: ${outbox.messages} messages are waiting`)
    }
    // What goes at once has not waited for too long
    pump(bytes, goes ? 0 : now)
    if (resend || session || !entry.seq) entry.data = kept(data)
    if (volatile && (!goes || outbox.remove(entry))) lose(entry, 'volatile')
    watch()
    publish()
    const isFull = outbox.pressure >= 1
    sendersWait ||= isFull
    return !isFull || !isIn
  }

  return {
    outbox,
    flow,

    /** @returns what waited */
    clear(): Lost<Outgoing> {
      const cleared = loseUnsent('aborted')
      flow()
      return cleared
    },

    send: (message: Outgoing, options: SendOptions = {}): boolean => accept(message, options),

    deliver: (message: Outgoing, options: SendOptions = {}): Promise<'written' | 'acknowledged'> =>
      new Promise((resolve, reject) => {
        accept(message, options, code => {
          if (code) reject(new SocketError(code, `deliver: ${code}`, options.signal?.reason))
          else resolve(shell.session() && !options.volatile ? 'acknowledged' : 'written')
        })
      }),

    settle,
    lose: loseAll,

    isEmpty,

    /** Whether there is no need to wait before the next `send`. */
    isDrained: () => !sendersWait,

    /** Somebody asks to be told when there is room, who was not told to wait. */
    await(): void {
      sendersWait ||= outbox.pressure >= 0.5
    },

    /**
     * The transport is gone, and with it what it still held.
     * @returns what nobody knows of whether it arrived, unless that is sent again
     */
    unlink(buffered: number, isOver: boolean): Lost<Outgoing> {
      clock.clearTimeout(poll)
      poll = undefined
      // What a session has sent is not lost with its connection
      if (shell.session()) return []
      settle(outbox.left(buffered))
      const now = clock.now()
      const unsure = outbox.recall()
      const goesAgain = ({ expiresAt }: Entry<Outgoing>) =>
        resend && !isOver && !(expiresAt && expiresAt <= now)
      outbox.restore(unsure.filter(goesAgain))
      watch()
      return loseAll(
        unsure.filter(entry => !goesAgain(entry)),
        'uncertain',
      )
    },

    /** Nothing is sent any more. @returns what never was */
    end(): Lost<Outgoing> {
      clock.clearTimeout(sweep)
      sweepAt = Infinity
      sendersWait = false
      const session = shell.session()
      session?.flush()
      return [...loseAll(session?.end() ?? [], 'closed'), ...loseUnsent('closed')]
    },
  }
}

export type Sender<Outgoing> = ReturnType<typeof createSender<Outgoing>>
