/**
 * What is behind a session: sends, tells, and is read from. A message is consumed, and so acknowledged, when all its
 * listeners have returned, or the iterator asks for the next; until then, and while nobody listens, it waits, and our
 * window bounds how many do.
 */

import { Entry } from '../core/outbox'
import type { Registry, ServerSession } from '../core/registry'
import { createEmitter } from '../emitter'
import { SocketError } from '../errors'
import type { Codec } from '../wire/codec'
import { byteLength } from '../wire/data'
import type { Deadlines, Timed } from './deadlines'
import { createInbox } from './inbox'
import { type ServerSettings, settleSend, settleSessionClose } from './options'
import { createPull, type Pull } from './pull'
import type { Session, SessionCloseResult, SessionEvents, SessionUndelivered } from './session'
import type { Steps } from './steps'

type Data = string | Uint8Array<ArrayBuffer>
type Listener = (...args: never[]) => unknown

/** How a session ends: once it is idle with `code`, at the latest at `until` with `lateCode`. */
export interface Draining {
  /** From then on nothing more is told: a client that never stops would never be answered for good. */
  readonly quietAt: number
  readonly until: number
  readonly reason: string
  readonly code: number
  readonly lateReason: string
  readonly lateCode: number
  /** The server goes, not just this one: answers are still taken, and nobody who is away is waited for. */
  readonly isServer: boolean
}

/** What a session belongs to. */
export interface SessionHost extends Steps {
  readonly registry: Registry
  readonly settings: ServerSettings
  readonly deadlines: Deadlines
  readonly payload: Pick<Codec, 'encode' | 'decode'>
  /** What an application's listener may do wrong goes to `failed`. */
  guard(listener: Listener, failed: (error: unknown) => void): (...args: never[]) => void
  /** Nobody listens to the errors of this session. */
  failed(error: unknown, session: Session): void
  count(what: 'received' | 'undelivered'): void
}

export interface SessionShell {
  readonly session: Session
  readonly core: ServerSession
  /** What waits to be consumed, in bytes; UTF-16 units for text. */
  readonly inboxBytes: number
  /** @returns whether it is not the first connection */
  connected(request: unknown): boolean
  disconnected(code: number, reason: string): void
  deliver(data: Data, isVolatile: boolean): void
  undelivered(entry: Entry<undefined>, code: SessionUndelivered['code']): void
  ended(reason: string, undelivered: readonly Entry<undefined>[]): void
  drain(how: Draining): void
  /** After a step: tells messages, wakes who waits, and looks at the clock again. */
  settle(): void
}

/**
 * A session may end at any moment, also between a message and its answer: a listener that fails because of that has
 * done nothing wrong, and `ended` tells it.
 */
export class SessionEnded extends SocketError {}

class Outgoing extends Entry<undefined> {
  readonly original: unknown

  constructor(original: unknown, ...rest: ConstructorParameters<typeof Entry<undefined>>) {
    super(...rest)
    this.original = original
  }
}

export const createSessionShell = (host: SessionHost, core: ServerSession): SessionShell => {
  const { registry, settings, deadlines, payload, act, run, tell, touch } = host
  const { clock, limits, win } = settings
  const { half, outbox, id, principal } = core
  const { sid } = core.lease
  const { on, emit } = createEmitter<SessionEvents>()
  const inbox = createInbox(win, limits.unconsumedBytes)
  /** The iterator has it, and has not asked for the next. */
  let inHand = false
  let pull: Pull<unknown> | undefined
  let listeners = 0
  let connections = 0
  let over: string | undefined
  /** `ended` has been told. */
  let isTold = false
  let draining: Draining | undefined
  /** `send` answered `false`. */
  let isThirsty = false
  let waiters: (() => boolean)[] = []
  let closers: ((result: SessionCloseResult) => void)[] = []

  const failed = (error: unknown) => {
    // A listener may reject when all is over
    if (isTold || error instanceof SessionEnded || !emit('error', error)) host.failed(error, session)
  }

  const consume = () =>
    act(() => {
      if (over !== undefined) return
      registry.consumed(core, clock.now())
      touch(shell)
    })

  const release = () => {
    const isHeld = inHand
    inHand = false
    if (isHeld) consume()
  }

  /** The next that can be decoded, told. */
  const take = (): { readonly value: unknown } | undefined => {
    release()
    if (isQuiet()) return undefined
    for (let next = inbox.next(); next; next = inbox.next()) {
      try {
        const value = payload.decode(next.data)
        inHand = !next.isVolatile
        host.count('received')
        emit('message', value)
        return { value }
      } catch (cause) {
        if (!next.isVolatile) consume()
        failed(new SocketError('decode', 'a message cannot be decoded', cause, next.data))
      }
    }
    return undefined
  }

  const feed = () => {
    if (pull) return pull.wake()
    while (listeners && take()) release()
  }

  const isQuiet = () => !!draining && clock.now() >= draining.quietAt

  /** What came and will not be told does not count, but what is in hand does. */
  const isIdle = () =>
    !outbox.messages &&
    outbox.acked.seq === outbox.numbered.seq &&
    (isQuiet() ? !inHand : half.received === half.done)

  const end = (reason: string, code: number) =>
    act(() => {
      if (over !== undefined) return
      half.flush()
      registry.end(core, reason, code, clock.now())
    })

  const lost = (entry: Entry<undefined>, code: SessionUndelivered['code']): SessionUndelivered => {
    host.count('undelivered')
    return { message: original(entry), code, certain: entry.certain }
  }

  const original = (entry: Entry<undefined>) => {
    if (entry instanceof Outgoing) return entry.original
    try {
      return payload.decode(entry.data)
    } catch {
      return undefined
    }
  }

  const hasRoom = () => outbox.pressure < 0.5

  const closed = () => new SessionEnded('closed', `the session has ended: ${over ?? 'closing'}`)

  const drainsAt = () =>
    draining ? Math.min(isQuiet() ? Infinity : draining.quietAt, draining.until) : Infinity

  const timed: Timed = {
    due: () => (over === undefined ? Math.min(core.until, half.until, outbox.soonest, drainsAt()) : Infinity),
    run: now =>
      act(() => {
        if (draining && now >= draining.until) end(draining.lateReason, draining.lateCode)
        else if (now >= core.until) end('expired', 1000)
        else {
          half.tick(now)
          outbox.sweep(now)
        }
        touch(shell)
      }),
  }

  const session: Session = {
    id,
    sid,
    principal,
    get connected() {
      return core.connection !== undefined
    },
    get reason() {
      return over
    },
    get queuedMessages() {
      return outbox.messages
    },
    get queuedBytes() {
      return outbox.bytes
    },
    get unconsumed() {
      return half.received - half.done
    },

    send(message, options) {
      const { ttlMs, key, volatile } = options ? settleSend(options) : NOTHING_SPECIAL
      if (over !== undefined || draining?.isServer === false) throw closed()
      const data = encode(payload, message)
      const bytes = byteLength(data)
      const now = clock.now()
      const entry = new Outgoing(message, undefined, data, bytes, key, ttlMs === undefined ? 0 : now + ttlMs)
      if (volatile) {
        run(() => {
          if (!half.sendVolatile(data, bytes)) shell.undelivered(entry, 'volatile')
        })
        return outbox.pressure < 1
      }
      let isIn: boolean | undefined
      run(() => {
        isIn = registry.send(core, entry, now)
        touch(shell)
      })
      if (isIn === undefined)
        throw new SocketError('queue-full', `${outbox.messages} messages, ${outbox.bytes} bytes wait`)
      isThirsty ||= outbox.pressure >= 1
      return outbox.pressure < 1
    },
    drained: () =>
      new Promise((resolve, reject) => {
        waiters.push(() => {
          if (over === undefined && !hasRoom()) return true
          if (over === undefined) resolve()
          else reject(closed())
          return false
        })
        act(() => touch(shell))
      }),
    close(options = {}) {
      const { drain, timeoutMs, reason } = settleSessionClose(options)
      return new Promise(resolve => {
        if (over !== undefined) return resolve({ undelivered: [] })
        closers.push(resolve)
        if (drain)
          shell.drain({
            quietAt: Infinity,
            until: clock.now() + timeoutMs,
            reason: reason ?? 'closed',
            code: 1000,
            lateReason: reason ?? 'gone',
            lateCode: 4410,
            isServer: false,
          })
        else end(reason ?? 'gone', 4410)
      })
    },
    on(event, listener) {
      const isLast = event === 'error'
      const guarded = host.guard(listener, isLast ? error => host.failed(error, session) : failed)
      const off = on(event, guarded as SessionEvents[typeof event])
      if (event !== 'message') return off
      listeners++
      let isOn = true
      // Not before whoever subscribes has what we answer
      queueMicrotask(() => act(() => touch(shell)))
      return () => {
        off()
        if (isOn) listeners--
        isOn = false
      }
    },
    [Symbol.asyncIterator]() {
      if (pull) throw new SocketError('invalid-option', 'session: expected one loop at a time')
      pull = createPull(
        take,
        () => over !== undefined,
        () => act(() => touch(shell)),
        () => {
          pull = undefined
          release()
          act(() => touch(shell))
        },
      )
      return pull.iterator
    },
  }

  const shell: SessionShell = {
    session,
    core,
    get inboxBytes() {
      return inbox.bytes
    },
    connected(request) {
      const resumed = connections++ > 0
      tell(() => emit('connected', { request, resumed }))
      touch(shell)
      return resumed
    },
    disconnected(code, reason) {
      tell(() => emit('disconnected', { code, reason }))
      touch(shell)
    },
    deliver(data, isVolatile) {
      inbox.put({ data, isVolatile })
      touch(shell)
    },
    undelivered(entry, code) {
      const event = lost(entry, code)
      tell(() => emit('undelivered', event))
    },
    ended(reason, entries) {
      over = reason
      inbox.clear()
      inHand = false
      const undelivered = entries.map(entry => lost(entry, 'ended'))
      tell(() => {
        for (const event of undelivered) emit('undelivered', event)
        isTold = true
        emit('ended', reason)
        for (const resolve of closers) resolve({ undelivered })
        closers = []
      })
      touch(shell)
    },
    drain(how) {
      act(() => {
        draining = how
        touch(shell)
      })
    },
    settle() {
      feed()
      if (over === undefined && draining && (isIdle() || (draining.isServer && !core.connection))) {
        if (isIdle()) end(draining.reason, draining.code)
        else end(draining.lateReason, draining.lateCode)
      }
      if (over === undefined && isThirsty && hasRoom()) {
        isThirsty = false
        emit('drain')
      }
      waiters = waiters.filter(waits => waits())
      deadlines.update(timed)
    },
  }
  return shell
}

const NOTHING_SPECIAL: ReturnType<typeof settleSend> = { volatile: false }

const encode = (payload: Pick<Codec, 'encode'>, message: unknown): Data => {
  try {
    return payload.encode(message)
  } catch (cause) {
    throw new SocketError('encode', 'the codec refuses the message', cause)
  }
}
