/**
 * The shell: it asks `core` what to do, does it with `platform`, and spells with `wire`. What decides about the
 * connection's life does not belong here but into `core/lifecycle`.
 */

import {
  type Close,
  type Effect,
  type Event,
  effects,
  ended,
  IDLE,
  isOver,
  type Policy,
  type State,
  transition,
} from './core/lifecycle'
import { createOutbox, Entry, type Outbox } from './core/outbox'
import { createEmitter, guarded, report } from './emitter'
import { isFatal, SocketError, type SocketErrorCode } from './errors'
import type { CloseResult, EventMap, SocketState, Undelivered } from './events'
import {
  type AttemptContext,
  checkProtocols,
  checkUrl,
  LONGEST_TIMER_MS,
  type Options,
  type Provider,
  provider,
  settle,
} from './options'
import { systemClock } from './platform/clock'
import { browserPage } from './platform/page'
import { openWebSocket, type Transport } from './platform/transport'
import { type Codec, json } from './wire/codec'
import { sameData, toBytes } from './wire/data'

type Data = string | Uint8Array<ArrayBuffer>

/** How often to look whether the WebSocket has room again, while something waits for it. There is no event. */
const POLL_MS = 50

/** Bytes that stay as they are, whatever their owner does to the buffer. */
const kept = (data: Data): Data => (typeof data === 'string' ? data : new Uint8Array(data))

/** What was thrown need not be an error, and may not even have a text. */
const describe = (cause: unknown) => (cause instanceof Error ? `: ${cause.message}` : '')

/** What is shown of a state. */
const show = ({ name, attempt, until }: State) =>
  Object.freeze({ name, attempt, retryAt: name === 'waiting' ? until : undefined }) as SocketState

/** What `ReconnectingSocket` is made of, and documents. */
export interface Socket<Incoming, Outgoing> {
  readonly state: SocketState
  readonly outbox: Outbox<Outgoing>
  readonly roundTripMs: number | undefined
  start(type: 'connect' | 'reconnect'): void
  close(code?: number, reason?: string): Promise<CloseResult<Outgoing>>
  opened(): Promise<void>
  drained(): Promise<void>
  send(message: Outgoing): boolean
  on<K extends keyof EventMap>(event: K, listener: EventMap<Incoming, Outgoing>[K]): () => void
}

/** Local functions over local variables: private without a word, and each call is short. */
export const createSocket = <Incoming, Outgoing>(
  address: Provider<string | URL>,
  options: Options<Incoming, Outgoing>,
): Socket<Incoming, Outgoing> => {
  const settings = settle(options)
  const { handshake, heartbeat, maxMessageBytes, protocols, queue, shouldRetry, signal } = settings
  const { codec = json() as Codec<Incoming, Outgoing> } = settings
  const {
    clock = systemClock(),
    page = browserPage,
    transport: openTransport = openWebSocket,
  } = settings.platform
  const policy: Policy = {
    ...settings,
    shouldRetry: (close, attempt) => guarded(() => shouldRetry?.(close, attempt)),
  }
  const url = provider(address, checkUrl)
  const emitter = createEmitter<EventMap<Incoming, Outgoing>>()
  const outbox = createOutbox<Outgoing>(queue, entry => lose([entry], 'queue-full'))

  let state = IDLE
  let shown = show(state)
  /** Events not yet stepped through. The first is in hand. */
  const mailbox: Event[] = []
  /** What listeners are yet to be told. */
  const notices: (() => void)[] = []
  let announcing = false
  /** Promises not yet settled: each answers whether it has to go on waiting. */
  let waiters: (() => unknown)[] = []
  let timer: unknown
  let poll: unknown
  let unlisten: (() => void) | undefined

  let transport: Transport | undefined
  let attempt: AttemptContext
  let abort: AbortController | undefined
  /** What came before the connection was open and the handshake did not take. */
  let early: Incoming[] = []
  let opens = 0
  let lastSeen = 0
  let lastBuffered = 0
  let pingedAt = 0
  let roundTripMs: number | undefined
  let sendersWait = false
  let undelivered: readonly Undelivered<Outgoing>[] = []

  /** Commits at once, also from within a listener: it is only what listeners are told that waits its turn. */
  const dispatch = (event: Event): void => {
    if (mailbox.push(event) > 1) return
    for (const next of mailbox) guarded(() => step(next))
    mailbox.length = 0
    publish()
  }

  const step = (event: Event): void => {
    const previous = state
    const now = clock.now()
    // While a large message is on its way, an answer may have to wait behind it: that it moves is life too
    const { buffered } = transport ?? { buffered: 0 }
    if (buffered > 0 && buffered < lastBuffered) lastSeen = now
    lastBuffered = buffered
    const at = { now, random: clock.random(), lastSeen, online: guarded(() => page.online()) ?? true }
    state = transition(previous, event, at, policy)
    if (state === previous) return
    const todo = effects(previous, state)
    attend()
    note(previous, todo, now)
    for (const effect of todo) guarded(perform[effect])
    arm()
  }

  /** Listens to page and signal only until the end, so that a closed socket can be collected. */
  const attend = (): void => {
    if (state.name === 'closed') {
      unlisten?.()
      unlisten = undefined
    } else if (!unlisten) {
      const stop = page.listen(type => dispatch({ type }))
      const end = () => void close()
      signal?.addEventListener('abort', end)
      unlisten = () => {
        stop()
        signal?.removeEventListener('abort', end)
      }
    }
  }

  const perform: { readonly [effect in Effect]: () => unknown } = {
    async connecting() {
      abort = new AbortController()
      const { signal } = abort
      attempt = { attempt: state.attempt, lastClose: state.close, signal }
      early = []
      const ask = async <T>(provider: Provider<T>) =>
        typeof provider === 'function'
          ? (provider as (context: AttemptContext) => T | Promise<T>)(attempt)
          : provider
      let answered: true | undefined
      try {
        // The step that asked for this is finished first, and may not be the last
        await undefined
        if (signal.aborted) return
        const [where, names] = await Promise.all([ask(url), ask(protocols)])
        if (signal.aborted) return
        answered = true
        const made = openTransport(checkUrl(where), checkProtocols(names), handlers, settings.WebSocket)
        if (signal.aborted) made.drop(true)
        else transport = made
      } catch (cause) {
        // An address that cannot be will not become possible by asking again
        failed('provider', cause, signal, answered)
      }
    },

    /** Runs the user's handshake. Whatever it does once the attempt has ended comes to nothing. */
    async handshaking() {
      const { signal } = attempt
      try {
        await handshake?.({
          ...attempt,
          send(message) {
            const data = encode(message)
            usable(signal.aborted || isOver(state))
            transport?.send(data)
          },
          async receive() {
            const [message] = await wait(() => {
              signal.throwIfAborted()
              return early.length > 0 && early.splice(0, 1)
            })
            return message as Incoming
          },
        })
        if (!signal.aborted) dispatch({ type: 'welcomed' })
      } catch (cause) {
        failed('handshake', cause, signal)
      }
    },

    open() {
      lastSeen = clock.now()
      pump()
    },

    ping() {
      if (ping === undefined || transport?.buffered === Infinity) return
      // The first answer is to the first question
      pingedAt ||= clock.now()
      transport?.send(ping)
    },

    closing() {
      const { code, reason } = state.close ?? {}
      // `close(undefined, '')` would send 1000
      if (code === 1005) transport?.close()
      else transport?.close(code, reason)
    },

    drop() {
      pingedAt = 0
      clock.clearTimeout(poll)
      poll = undefined
      transport?.drop(state.name === 'closed' || state.close?.code === 1006)
      transport = undefined
      abort?.abort()
    },
  }

  /** What was asked of the application failed: so does the attempt, unless it has ended already. */
  const failed = (
    code: 'provider' | 'handshake',
    cause: unknown,
    signal: AbortSignal,
    fatal = isFatal(cause),
  ): void => {
    if (signal.aborted) return
    fail(code, cause)
    dispatch({ type: 'dropped', close: ended(1006, `${code} failed`), fatal })
  }

  const received = (data: Data): void => {
    const isOpen = state.name === 'open'
    // Clocks cost, and without a heartbeat nobody asks
    if (heartbeat.intervalMs < Infinity) lastSeen = clock.now()
    // A UTF-16 unit is at most three bytes of UTF-8: most messages need not be counted
    if (data.length * 3 > maxMessageBytes && toBytes(data).length > maxMessageBytes)
      return fail('message-too-large', undefined, data)
    let pong = isOpen && ping !== undefined && sameData(data, ping)
    let message: Incoming | undefined
    if (!pong) {
      try {
        message = codec.decode(data)
      } catch (cause) {
        return fail('decode', cause, data)
      }
      pong = isOpen && !!guarded(() => heartbeat.isPong?.(message as Incoming))
    }
    if (pong) {
      if (pingedAt) roundTripMs = lastSeen - pingedAt
      pingedAt = 0
    } else early.push(message as Incoming)
    if (isOpen) deliver()
    pump()
    publish()
  }

  const handlers = {
    opened: () => dispatch({ type: 'opened' }),
    received,
    dropped: (code: number, reason: string, wasClean: boolean) =>
      dispatch({ type: 'dropped', close: ended(code, reason, wasClean, false) }),
  }

  const deliver = (): void => {
    const { signal } = attempt
    for (const message of early.splice(0))
      notices.push(() => signal.aborted || isOver(state) || emitter.emit('message', message))
  }

  const encode = (message: Outgoing, code: SocketErrorCode = 'encode', what: string = code): Data => {
    try {
      return codec.encode(message)
    } catch (cause) {
      throw new SocketError(code, what + describe(cause), cause)
    }
  }

  const ping =
    heartbeat.message === undefined
      ? undefined
      : kept(
          encode(heartbeat.message, 'invalid-option', 'heartbeat.message: expected what the codec encodes'),
        )

  /** Hands over what waits, as much as the WebSocket should hold, and looks again while something waits. */
  const pump = (): void => {
    try {
      while (state.name === 'open' && transport && transport.buffered < queue.highWaterMarkBytes) {
        const entry = outbox.peek()
        if (!entry) break
        transport.send(entry.data)
        outbox.advance()
        outbox.left(0)
      }
    } catch (error) {
      report(error)
    }
    if (outbox.messages && transport)
      poll ??= clock.setTimeout(() => {
        poll = undefined
        pump()
      }, POLL_MS)
    if (!sendersWait || outbox.pressure >= 0.5) return
    sendersWait = false
    tell('drain')
    publish()
  }

  const due = () => dispatch({ type: 'deadline' })

  /** The one timer. It follows from the state, so a stale one cannot exist. */
  const arm = (): void => {
    clock.clearTimeout(timer)
    const { until } = state
    if (until === Infinity) return
    const ms = Math.min(Math.max(0, until - clock.now()), LONGEST_TIMER_MS)
    timer = clock.setTimeout(() => {
      if (clock.now() < until) arm()
      // Firefox runs an overdue timer before a message that has already arrived: judge one macrotask later
      else if (state.name === 'open') timer = clock.setTimeout(due, 0)
      else due()
    }, ms)
  }

  /** Notes what listeners are to be told of a step. */
  const note = (previous: State, todo: readonly Effect[], now: number): void => {
    const { name, close, until } = state
    if (name !== 'open' || previous.name !== 'open') {
      const before = shown
      shown = show(state)
      tell('state', shown, before)
    }
    if (close && todo[0] === 'drop') {
      const retryInMs = name === 'waiting' ? Math.round(until - now) : name === 'connecting' ? 0 : undefined
      const wasOpen = previous.name === 'open' || previous.name === 'closing'
      tell('close', { ...close, wasOpen, final: name === 'closed', retryInMs })
    }
    if (todo[0] === 'open') {
      tell('open', { protocol: transport?.protocol ?? '', reconnected: opens++ > 0 })
      deliver()
    }
    if (isOver(state) && !isOver(previous)) {
      undelivered = lose(outbox.clear(), 'closed')
      sendersWait = false
    }
  }

  const lose = (
    entries: readonly Entry<Outgoing>[],
    code: Undelivered['code'],
  ): readonly Undelivered<Outgoing>[] => {
    const lost = entries.map(({ message }) => ({ message, code, certain: true }))
    for (const each of lost) tell('undelivered', each)
    return lost
  }

  const fail = (code: SocketErrorCode, cause: unknown, data?: Data): void => {
    const error = new SocketError(code, code + describe(cause), cause, data)
    // What a server sends must not end a Node process, which knows no reportError
    const log = typeof reportError === 'function' ? report : console.error
    notices.push(() => emitter.emit('error', error) || log(error))
    publish()
  }

  const tell = <K extends keyof EventMap>(
    event: K,
    ...args: Parameters<EventMap<Incoming, Outgoing>[K]>
  ): void => {
    notices.push(() => emitter.emit(event, ...args))
  }

  /** Settles promises, then tells listeners, in order and never in the middle of a step. What they cause is told after it. */
  const publish = (): void => {
    if (mailbox.length) return
    waiters = waiters.filter(waits => waits())
    if (announcing) return
    announcing = true
    for (const notice of notices) notice()
    notices.length = 0
    announcing = false
  }

  /** The present state. @throws SocketError `closed` if it is one that nothing can be expected of */
  const usable = (over = isOver(state)): State => {
    if (!over) return state
    throw new SocketError('closed', `closed: ${state.close?.code} ${state.close?.reason}`)
  }

  /** Fulfilled with the first answer but `false`, asked for after each step; rejected when `answer` throws. */
  const wait = <T>(answer: () => T | false): Promise<T> => {
    return new Promise((resolve, reject) => {
      waiters.push(() => {
        try {
          const value = answer()
          return value === false || resolve(value)
        } catch (error) {
          return reject(error)
        }
      })
      publish()
    })
  }

  const start = (type: 'connect' | 'reconnect'): void => {
    signal?.throwIfAborted()
    dispatch({ type })
  }

  const close = (code?: number, reason = ''): Promise<CloseResult<Outgoing>> => {
    const legal =
      code === undefined || code === 1000 || (Number.isInteger(code) && code >= 3000 && code < 5000)
    if (!legal || toBytes(`${reason}`).length > 123)
      throw new SocketError('invalid-argument', 'close: expected 1000 or 3000 to 4999, and at most 123 bytes')
    const close: Close = ended(code ?? (reason ? 1000 : 1005), reason)
    dispatch({ type: 'close', close })
    return wait(() => state.name !== 'closing' && { ...(state.close ?? close), undelivered })
  }

  attend()
  if (signal?.aborted) close()
  else if (settings.autoConnect) start('connect')

  return {
    get state() {
      return shown
    },
    get roundTripMs() {
      return roundTripMs
    },
    outbox,
    start,
    close,
    async opened() {
      await wait(() => usable().name === 'open')
    },
    async drained() {
      sendersWait ||= outbox.pressure >= 0.5
      await wait(() => !!usable() && !sendersWait)
    },
    send(message) {
      const data = encode(message)
      const link = usable().name === 'open' && !outbox.messages && transport
      if (link && link.buffered < queue.highWaterMarkBytes) {
        link.send(data)
        return true
      }
      const isIn = outbox.push(new Entry(message, kept(data), toBytes(data).length))
      if (isIn === undefined)
        throw new SocketError('queue-full', `send: ${outbox.messages} messages are waiting`)
      pump()
      publish()
      const isFull = outbox.pressure >= 1
      sendersWait ||= isFull
      return !isFull || !isIn
    },
    on: emitter.on,
  }
}
