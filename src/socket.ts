/**
 * The shell: it asks `core` what to do, does it with `platform`, and spells with `wire`. What decides about the
 * connection's life does not belong here but into `core/lifecycle`.
 */

import { checkProtocols, checkUrl, provider } from './address'
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
import { guarded } from './emitter'
import { isFatal, SocketError, type SocketErrorCode } from './errors'
import type { CloseResult, EventMap, LogRecord, SocketState, Stats, Transition, Undelivered } from './events'
import { createMessages } from './messages'
import { createNotices } from './notices'
import type { AttemptContext, CloseOptions, MessagesOptions, Options, Provider } from './options'
import { systemClock } from './platform/clock'
import { browserPage } from './platform/page'
import { openWebSocket, type Transport } from './platform/transport'
import { LONGEST_TIMER_MS } from './rules'
import { validate } from './schema'
import { createSender, kept, type Sender } from './sender'
import type { SessionHooks } from './session'
import { settle, settleClose, settleMessages } from './settle'
import { createRecorder } from './stats'
import { json } from './wire/codec'
import { byteLength, sameData } from './wire/data'

type Data = string | Uint8Array<ArrayBuffer>

/** With more than this the buffers of the kernel are full, or are in a moment. */
const BACKED_UP_BYTES = 65_536

/** What a record of the log says, of each type. */
type Said = LogRecord extends infer Each
  ? Each extends LogRecord
    ? Omit<Each, 'connection' | 'at'>
    : never
  : never

/** What was thrown need not be an error, and may not even have a text. */
const wrong = (code: SocketErrorCode, cause?: unknown, what: string = code) =>
  new SocketError(code, cause instanceof Error ? `${what}: ${cause.message}` : what, cause)

/** What is shown of a state. */
const show = ({ name, attempt, until }: State) =>
  Object.freeze({ name, attempt, retryAt: name === 'waiting' ? until : undefined }) as SocketState

/** What `ReconnectingSocket` is made of, and documents. */
export interface Socket<Incoming, Outgoing> {
  readonly state: SocketState
  readonly sender: Sender<Outgoing>
  readonly bufferedBytes: number
  readonly roundTripMs: number | undefined
  readonly transitions: readonly Transition[]
  stats(): Stats
  messages(options?: MessagesOptions): AsyncIterableIterator<Incoming, undefined>
  start(type: 'connect' | 'reconnect'): void
  close(how?: number | CloseOptions, reason?: string): Promise<CloseResult<Outgoing>>
  opened(): Promise<void>
  drained(): Promise<void>
  on<K extends keyof EventMap>(event: K, listener: EventMap<Incoming, Outgoing>[K]): () => void
}

/** Local functions over local variables: private without a word, and each call is short. */
export const createSocket = <Incoming, Outgoing>(
  address: Provider<string | URL>,
  options: Options<Incoming, Outgoing>,
): Socket<Incoming, Outgoing> => {
  const settings = settle(options)
  const { handshake, heartbeat, incoming, log, maxMessageBytes, outgoing, protocols, signal } = settings
  const { codec = json() } = settings
  const {
    clock = systemClock(),
    page = browserPage,
    transport: openTransport = openWebSocket,
  } = settings.platform
  /** In session mode the session is asked to ask. */
  const beat = { ...heartbeat, ...(settings.session && { message: true }) }
  const policy: Policy = {
    ...settings,
    // A session has to say hello before anything else
    handshake: handshake ?? settings.session,
    heartbeat: beat,
    shouldRetry(close, attempt) {
      const verdict = session?.judge(close)
      return guarded(() => settings.shouldRetry?.(close, attempt)) ?? verdict
    },
  }
  const url = provider(address, checkUrl)
  const recorder = createRecorder(clock.now())
  const { counts } = recorder
  const id = clock.random().toString(36).slice(2, 10)

  let state = IDLE
  let shown = show(state)
  /** Events not yet stepped through. The first is in hand. */
  const mailbox: Event[] = []
  let timer: unknown
  let unlisten: (() => void) | undefined

  let transport: Transport | undefined
  let attempt: AttemptContext
  let abort: AbortController | undefined
  /** What came before the connection was open and the handshake did not take. */
  let early: Incoming[] = []
  let lastSeen = 0
  let lastBuffered = 0
  let pingedAt = 0
  /** The `close()` that waits for the queue to drain. */
  let draining: object | undefined
  let undelivered: readonly Undelivered<Outgoing>[] = []

  const notices = createNotices<EventMap<Incoming, Outgoing>>(() => mailbox.length > 0)
  const { publish, tell, wait } = notices

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
    held()
    const at = { now, random: clock.random(), lastSeen, online: guarded(() => page.online()) ?? true }
    state = transition(previous, event, at, policy)
    if (state === previous) return
    const todo = effects(previous, state)
    attend()
    note(previous, event, todo, now)
    for (const effect of todo) guarded(perform[effect])
    arm()
  }

  /**
   * Bytes that the WebSocket holds. While a large message is on its way, an answer may have to wait behind it: that it
   * moves is life too. It is not while little is held: for as long as the buffers of the kernel fill, that moves on a
   * dead path as well.
   */
  const held = (): number => {
    const { buffered } = transport ?? { buffered: 0 }
    if (buffered > BACKED_UP_BYTES && buffered < lastBuffered) lastSeen = clock.now()
    lastBuffered = buffered
    return buffered
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
      counts.attempts++
      abort = new AbortController()
      const { signal } = abort
      attempt = { attempt: state.attempt, lastClose: state.close, signal, sequence: numbers?.last }
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
        if (session) return await session.hello(attempt)
        await handshake?.({
          ...attempt,
          send(message) {
            const data = encode(message)
            usable(signal.aborted || isOver(state))
            write(data)
          },
          async receive() {
            const [message] = await wait(() => {
              signal.throwIfAborted()
              return early.length > 0 && early.splice(0, 1)
            })
            numbers?.take(message as Incoming)
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
      sender.flow()
    },

    ping() {
      if ((ping === undefined && !session) || transport?.buffered === Infinity) return
      // The first answer is to the first question
      pingedAt ||= clock.now()
      if (session) session.ping()
      else if (ping !== undefined) write(ping)
      record({ type: 'ping' })
    },

    closing() {
      const { code, reason } = state.close ?? {}
      // `close(undefined, '')` would send 1000
      if (code === 1005) transport?.close()
      else transport?.close(code, reason)
    },

    drop() {
      pingedAt = 0
      session?.unlink()
      const unsent = transport?.drop(state.name === 'closed' || state.close?.code === 1006)
      transport = undefined
      abort?.abort()
      numbers?.drop()
      const lost = sender.unlink(unsent ?? 0, isOver(state))
      // Before that it belongs to no close()
      if (isOver(state)) undelivered = [...lost, ...undelivered]
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
    fail(wrong(code, cause))
    dispatch({ type: 'dropped', close: ended(1006, `${code} failed`), fatal })
  }

  const received = (data: Data): void => {
    const isOpen = state.name === 'open'
    // Clocks cost, and without a heartbeat nobody asks
    if (session || beat.intervalMs < Infinity) lastSeen = clock.now()
    const bytes = byteLength(data)
    counts.messagesIn++
    counts.bytesIn += bytes
    if (bytes > maxMessageBytes) fail(wrong('message-too-large'), data)
    else if (session) session.received(data, lastSeen)
    else understood(data, isOpen)
    sender.flow()
  }

  /** A message of plain mode: the answer to a heartbeat, or one for the application. */
  const understood = (data: Data, isOpen: boolean): void => {
    if (isOpen && ping !== undefined && sameData(data, ping)) return ponged()
    const message = decode(data)
    if (!message) return
    if (isOpen && guarded(() => heartbeat.isPong?.(message[0]))) return ponged()
    early.push(message[0])
    if (isOpen) deliver()
  }

  const ponged = (): void => {
    if (pingedAt) {
      const roundTripMs = lastSeen - pingedAt
      recorder.roundTrip(roundTripMs)
      record({ type: 'pong', roundTripMs })
    }
    pingedAt = 0
  }

  /** @returns nothing if it cannot be, which is told */
  const decode = (data: Data): [Incoming] | undefined => {
    try {
      return [validate(incoming, spelling.decode(data))]
    } catch (cause) {
      return fail(cause instanceof SocketError ? cause : wrong('decode', cause), data) as undefined
    }
  }

  const handlers = {
    opened: () => dispatch({ type: 'opened' }),
    received,
    dropped: (code: number, reason: string, wasClean: boolean) =>
      dispatch({ type: 'dropped', close: ended(code, reason, wasClean, false) }),
  }

  const deliver = (): void => {
    const { signal } = attempt
    // When its turn has come, it may be nobody's any more
    for (const message of early.splice(0))
      notices.note(
        () =>
          signal.aborted || isOver(state) || numbers?.receive(message) || notices.emit('message', message),
      )
  }

  const encode = (message: Outgoing): Data => {
    const checked = validate(outgoing, message)
    try {
      return spelling.encode(checked)
    } catch (cause) {
      throw wrong('encode', cause)
    }
  }

  const write = (data: Data, bytes = byteLength(data)): void => {
    transport?.send(data)
    counts.messagesOut++
    counts.bytesOut += bytes
  }

  const due = () => dispatch({ type: 'deadline' })

  /** The one timer. It follows from the state, so a stale one cannot exist. */
  const arm = (): void => {
    clock.clearTimeout(timer)
    const { until } = state
    if (until === Infinity) return
    const ms = Math.min(until - clock.now(), LONGEST_TIMER_MS)
    timer = clock.setTimeout(() => {
      if (clock.now() < until) arm()
      // Firefox runs an overdue timer before a message that has already arrived: judge one macrotask later
      else if (state.name === 'open') timer = clock.setTimeout(due, 0)
      else due()
    }, ms)
  }

  /** Notes what listeners are to be told of a step. */
  const note = (previous: State, event: Event, todo: readonly Effect[], now: number): void => {
    const { name, close, until } = state
    if (name !== 'open' || previous.name !== 'open') {
      const before = shown
      shown = show(state)
      tell('state', shown, before)
      record({ type: 'transition', ...recorder.step(previous, event, state, now) })
    }
    if (close && todo[0] === 'drop') {
      const retryInMs = name === 'waiting' ? Math.round(until - now) : name === 'connecting' ? 0 : undefined
      const wasOpen = previous.name === 'open' || previous.name === 'closing'
      tell('close', { ...close, wasOpen, final: name === 'closed', retryInMs })
    }
    if (todo[0] === 'open') {
      const { protocol = '' } = transport ?? {}
      tell('open', { protocol, reconnected: counts.opens++ > 0, resumed: !!session?.isResumed })
      deliver()
    }
    if (isOver(state) && !isOver(previous)) undelivered = sender.end()
  }

  const sender: Sender<Outgoing> = createSender<Outgoing>({
    clock,
    queue: settings.queue,
    resend: settings.resend === 'uncertain',
    held: () => (state.name === 'open' ? held() : Infinity),
    session: () => session,
    write,
    encode,
    usable: () => usable(isOver(state) || !!draining),
    lost(undelivered, told) {
      const { code, certain } = undelivered
      recorder.lost(code)
      record({ type: 'undelivered', code, certain })
      if (!told) tell('undelivered', undelivered)
    },
    drained: () => tell('drain'),
    publish,
  })

  const fail = (error: SocketError, data?: unknown): void => {
    if (data !== undefined) error.data = data
    notices.complain('error', error)
    record({ type: 'error', code: error.code, message: error.message })
    publish()
  }

  const record = (what: Said): void => {
    if (!log) return
    const entry = { connection: connection(), at: Math.round(clock.now()), ...what } as LogRecord
    notices.note(() => guarded(() => log(entry)))
  }

  const connection = () => `${id}.${counts.attempts}`

  /** Iterators, by whether they ask for the next message. */
  const readers = new Set<() => boolean>()

  const session: SessionHooks<Outgoing> | undefined = settings.session?.<Outgoing>({
    ...notices,
    clock,
    codec,
    settings,
    beat,
    readers,
    sender,
    decode,
    dispatch,
    fail,
    ponged,
    write,
    transport: () => transport,
  })

  const spelling = session?.codec ?? codec
  const ping = heartbeat.message === undefined ? undefined : probe(heartbeat.message)

  /** Encoded once: a message that can never go is a mistake in the options. */
  function probe(message: Outgoing): Data {
    try {
      return kept(encode(message))
    } catch (cause) {
      throw wrong('invalid-option', cause, 'heartbeat.message: expected what can be sent')
    }
  }

  /** Somebody listens now, or asks for the next message. */
  const asked = (): void => {
    if (session) queueMicrotask(session.advance)
  }

  /** The present state. @throws SocketError `closed` if it is one that nothing can be expected of */
  const usable = (over = isOver(state)): State => {
    if (!over) return state
    const { code, reason } = state.close ?? {}
    throw new SocketError('closed', isOver(state) ? `closed: ${code} ${reason}` : 'closed: draining')
  }

  const start = (type: 'connect' | 'reconnect'): void => {
    signal?.throwIfAborted()
    if (isOver(state)) draining = undefined
    dispatch({ type })
  }

  const close = (how?: number | CloseOptions, why?: string): Promise<CloseResult<Outgoing>> => {
    const { code, drain, reason, timeoutMs } = settleClose(
      typeof how === 'object' ? how : { code: how, reason: why },
    )
    // Without a code a session would be kept
    const close: Close = ended(code ?? (reason || session ? 1000 : 1005), reason)
    const finish = () => {
      dispatch({ type: 'close', close })
      return wait(() => state.name !== 'closing' && { ...(state.close ?? close), undelivered })
    }
    // What was never started sends nothing
    if (!drain || isOver(state) || state.name === 'idle') return finish()
    const own = {}
    draining = own
    let isLate = false
    const timer = clock.setTimeout(() => {
      isLate = true
      publish()
    }, timeoutMs)
    return wait(() => isLate || isOver(state) || sender.isEmpty()).then(() => {
      clock.clearTimeout(timer)
      // It was closed, and may live again, for all that we know
      return draining === own
        ? finish()
        : wait(() => isOver(state) && { ...(state.close ?? close), undelivered })
    })
  }

  const numbers = settings.sequence?.bind({
    ...notices,
    clock,
    dispatch,
    fail,
    isOpen: () => state.name === 'open',
  })

  attend()
  if (signal?.aborted) close()
  else if (settings.autoConnect) start('connect')

  return {
    get state() {
      return shown
    },
    get roundTripMs() {
      return recorder.roundTrips.at(-1)
    },
    get transitions() {
      return [...recorder.transitions]
    },
    get bufferedBytes() {
      const buffered = held()
      return sender.outbox.bytes + (buffered < Infinity ? buffered : 0)
    },
    stats() {
      const { messages: queuedMessages, bytes: queuedBytes } = sender.outbox
      return recorder.snapshot(state, { connection: connection(), queuedMessages, queuedBytes }, clock.now())
    },
    messages: options =>
      createMessages<Incoming>(
        { ...notices, isClosed: () => state.name === 'closed', fail, readers, asked },
        settleMessages(options),
      ),
    sender,
    start,
    close,
    async opened() {
      await wait(() => usable().name === 'open')
    },
    async drained() {
      sender.await()
      await wait(() => !!usable() && sender.isDrained())
    },
    on(event, listener) {
      asked()
      return notices.on(event, listener)
    },
  }
}
