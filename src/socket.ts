/**
 * The shell: it asks `core` what to do, does it with `platform`, and spells with `wire`. What decides about the
 * connection's life does not belong here but into `core/lifecycle`.
 */

import { type Effect, type Event, effects, IDLE, type Policy, type State, transition } from './core/lifecycle'
import { type Entry, Outbox } from './core/outbox'
import { Emitter, guarded, report } from './emitter'
import { isFatal, SocketError, type SocketErrorCode } from './errors'
import type { CloseResult, EventMap, SocketState, Undelivered } from './events'
import {
  type AttemptContext,
  checkProtocols,
  checkUrl,
  type Options,
  type Provider,
  type Settings,
  settle,
} from './options'
import { type Clock, systemClock } from './platform/clock'
import { browserPage, type Page } from './platform/page'
import { type OpenTransport, openWebSocket, type Transport } from './platform/transport'
import { type Codec, json } from './wire/codec'
import { sameData, toBytes } from './wire/data'

type Data = string | Uint8Array<ArrayBuffer>

/** setTimeout counts in 32 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** How often to look whether the WebSocket has room again, while something waits for it. There is no event. */
const POLL_MS = 50

const isOver = ({ name }: State) => name === 'closing' || name === 'closed'

/** Bytes that stay as they are, whatever their owner does to the buffer. */
const kept = (data: Data): Data => (typeof data === 'string' ? data : data.slice())

/**
 * A WebSocket that comes back.
 *
 * @example
 * const socket = new ReconnectingSocket('wss://example.com/feed')
 * socket.on('message', message => console.log(message))
 * socket.send({ type: 'hello' })
 */
export class ReconnectingSocket<Incoming = unknown, Outgoing = unknown> {
  readonly #url: Provider<string | URL>
  readonly #protocols: Provider<string | readonly string[]>
  readonly #options: Options<Incoming, Outgoing>
  readonly #settings: Omit<Settings, 'heartbeat'> & Policy
  readonly #codec: Codec<Incoming, Outgoing>
  readonly #ping: Data | undefined
  readonly #outbox: Outbox<Outgoing>
  readonly #clock: Clock
  readonly #page: Page
  readonly #openTransport: OpenTransport
  readonly #emitter = new Emitter<EventMap<Incoming, Outgoing>>()

  #state: State = IDLE
  #snapshot: SocketState = Object.freeze({ name: 'idle', attempt: 0 })
  /** Events not yet stepped through. The first is in hand. */
  readonly #mailbox: Event[] = []
  /** What listeners are yet to be told. */
  readonly #notices: (() => void)[] = []
  #announcing = false
  /** Promises not yet settled: each answers whether it has to go on waiting. */
  #waiters: (() => boolean)[] = []
  #timer: unknown
  #poll: unknown
  #unlisten: (() => void) | undefined

  #transport: Transport | undefined
  #attempt = new AbortController()
  /** What came before the connection was open and the handshake did not take. */
  #early: Incoming[] = []
  #opens = 0
  #lastSeen = 0
  #pingedAt = 0
  #roundTripMs: number | undefined
  #sendersWait = false
  #undelivered: readonly Undelivered<Outgoing>[] = []

  /**
   * @param url `ws:`, `wss:`, `http:`, `https:` or relative to the page; or a function that is asked for each attempt
   * @throws SocketError `invalid-option` names the option and what was expected
   */
  constructor(url: Provider<string | URL>, options: Options<Incoming, Outgoing> = {}) {
    const settings = settle(options)
    const { protocols = [], codec, heartbeat, shouldRetry, signal } = options
    const { clock, page, transport } = settings.platform
    this.#options = options
    this.#settings = {
      ...settings,
      heartbeat: heartbeat && { ...heartbeat, ...settings.heartbeat },
      shouldRetry: (close, attempt) => guarded(() => shouldRetry?.(close, attempt)),
    }
    // Resolved once: the page may move to another address by pushState
    this.#url = typeof url === 'function' ? url : checkUrl(url)
    this.#protocols = typeof protocols === 'function' ? protocols : checkProtocols(protocols)
    this.#codec = codec ?? (json() as Codec<Incoming, Outgoing>)
    this.#outbox = new Outbox(settings.queue)
    this.#clock = clock ?? systemClock()
    this.#page = page ?? browserPage
    this.#openTransport = transport ?? openWebSocket
    if (heartbeat && heartbeat.message !== undefined) this.#ping = kept(this.#encode(heartbeat.message))

    this.#attend()
    if (signal?.aborted) this.close()
    else if (settings.autoConnect) this.connect()
  }

  /** An immutable snapshot. */
  get state(): SocketState {
    return this.#snapshot
  }

  /** Messages that wait to be sent. */
  get queuedMessages(): number {
    return this.#outbox.messages
  }

  /** Their size in bytes (UTF-8, without framing). */
  get queuedBytes(): number {
    return this.#outbox.bytes
  }

  /** The last measured time from heartbeat to answer in ms, if any. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /**
   * Starts, from `idle` or `closed`. Does nothing while the socket lives; {@link reconnect} does.
   * @throws the reason of `signal`, if that has aborted
   */
  connect(): void {
    this.#options.signal?.throwIfAborted()
    this.#dispatch({ type: 'connect' })
  }

  /**
   * Connects now: ends a wait, or replaces the present connection by a new one.
   * @throws as {@link connect} does
   */
  reconnect(): void {
    this.#options.signal?.throwIfAborted()
    this.#dispatch({ type: 'reconnect' })
  }

  /**
   * Closes for good: nothing opens until `connect()`. What is still queued is reported as undelivered.
   * The promise is fulfilled within `closeTimeoutMs`, and never rejected.
   * @param code 1000, or 3000 to 4999 (WHATWG WebSockets)
   * @param reason at most 123 bytes of UTF-8 (RFC 6455 §5.5)
   * @throws SocketError `invalid-argument`
   */
  close(code?: number, reason = ''): Promise<CloseResult<Outgoing>> {
    if (!/^(1000|[34]\d{3})$/.test(`${code ?? 1000}`) || toBytes(reason).length > 123)
      throw new SocketError('invalid-argument', 'close: expected 1000 or 3000 to 4999, and at most 123 bytes')
    const close = { code: code ?? (reason ? 1000 : 1005), reason, wasClean: false, local: true }
    this.#dispatch({ type: 'close', close })
    return this.#wait(
      () =>
        this.#state.name !== 'closing' && { ...(this.#state.close ?? close), undelivered: this.#undelivered },
    )
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Fulfilled once open, at once if so already. Rejects with `closed` when the socket closes for good. */
  async opened(): Promise<void> {
    await this.#wait(() => this.#usable().name === 'open')
  }

  /** Fulfilled once there is room again, at once if there is. Rejects with `closed` when the socket closes. */
  async drained(): Promise<void> {
    this.#sendersWait ||= this.#outbox.pressure >= 0.5
    await this.#wait(() => !!this.#usable() && !this.#sendersWait)
  }

  /**
   * Sends, or queues until it can. Messages go out in the order of `send`, each at most once.
   * @returns `false`: accepted, but please wait for `drain` before the next
   * @throws SocketError `closed` after `close()`, `encode` if the codec refuses, `queue-full` by `queue.overflow`
   */
  send(message: Outgoing): boolean {
    const transport = this.#usable().name === 'open' && !this.#outbox.messages && this.#transport
    const data = this.#encode(message)
    if (transport && transport.buffered < this.#settings.queue.highWaterMarkBytes) {
      transport.send(data)
      return true
    }
    const entry = { message, data: kept(data), bytes: toBytes(data).length }
    const dropped = this.#outbox.push(entry)
    if (!dropped) throw new SocketError('queue-full', `send: ${this.#outbox.messages} messages are waiting`)
    this.#pump()
    this.#lose(dropped, 'queue-full')
    this.#announce()
    this.#sendersWait ||= this.#outbox.pressure >= 1
    return this.#outbox.pressure < 1 || dropped.includes(entry)
  }

  /** @returns unsubscribes */
  on<K extends keyof EventMap>(event: K, listener: EventMap<Incoming, Outgoing>[K]): () => void {
    return this.#emitter.on(event, listener)
  }

  /** As {@link on}, for one time. @returns unsubscribes */
  once<K extends keyof EventMap>(event: K, listener: EventMap<Incoming, Outgoing>[K]): () => void {
    const off = this.on(event, ((...args: never[]) => {
      off()
      ;(listener as (...args: never[]) => void)(...args)
    }) as EventMap<Incoming, Outgoing>[K])
    return off
  }

  /** Commits at once, also from within a listener: it is only what listeners are told that waits its turn. */
  #dispatch(event: Event): void {
    this.#mailbox.push(event)
    if (this.#mailbox.length > 1) return
    for (let next: Event | undefined = event; next; next = this.#mailbox[0]) {
      this.#step(next)
      this.#mailbox.shift()
    }
    this.#settle()
    this.#announce()
  }

  #step(event: Event): void {
    const previous = this.#state
    const at = {
      now: this.#clock.now(),
      random: this.#clock.random(),
      lastSeen: this.#lastSeen,
      online: this.#page.online(),
    }
    const next = transition(previous, event, at, this.#settings)
    if (next === previous) return
    this.#state = next
    const todo = effects(previous, next)
    this.#attend()
    this.#note(previous, todo)
    for (const effect of todo) this.#perform(effect)
    this.#arm()
  }

  /** Listens to page and signal only until the end, so that a closed socket can be collected. */
  #attend(): void {
    const { signal } = this.#options
    if (this.#state.name === 'closed') {
      this.#unlisten?.()
      this.#unlisten = undefined
    } else if (!this.#unlisten) {
      const unlisten = this.#page.listen(type => this.#dispatch({ type }))
      const close = () => void this.close()
      signal?.addEventListener('abort', close)
      this.#unlisten = () => {
        unlisten()
        signal?.removeEventListener('abort', close)
      }
    }
  }

  #perform(effect: Effect): void {
    switch (effect) {
      case 'open':
        this.#open()
        return
      case 'greet':
        this.#greet()
        return
      case 'flush':
        this.#lastSeen = this.#clock.now()
        return this.#pump()
      case 'ping':
        if (this.#ping === undefined || this.#transport?.buffered === Infinity) return
        this.#pingedAt = this.#clock.now()
        return this.#transport?.send(this.#ping)
      case 'close': {
        const { close } = this.#state
        // `close(undefined, '')` would send 1000
        return close?.code === 1005
          ? this.#transport?.close()
          : this.#transport?.close(close?.code, close?.reason)
      }
      case 'drop':
        this.#clock.clearTimeout(this.#poll)
        this.#poll = undefined
        this.#pingedAt = 0
        this.#transport?.drop()
        this.#transport = undefined
        this.#attempt.abort()
    }
  }

  #context(): AttemptContext {
    return { attempt: this.#state.attempt, lastClose: this.#state.close, signal: this.#attempt.signal }
  }

  async #open(): Promise<void> {
    this.#attempt = new AbortController()
    this.#early = []
    const context = this.#context()
    const ask = <T>(provider: Provider<T>) =>
      typeof provider === 'function'
        ? (provider as (context: AttemptContext) => T | Promise<T>)(context)
        : provider
    let answered: true | undefined
    try {
      // The step that asked for this is finished first
      await undefined
      const [url, protocols] = await Promise.all([ask(this.#url), ask(this.#protocols)])
      if (context.signal.aborted) return
      answered = true
      const handlers = {
        opened: () => this.#dispatch({ type: 'opened' }),
        received: (data: Data) => this.#received(data),
        dropped: (code: number, reason: string, wasClean: boolean) =>
          this.#dispatch({ type: 'dropped', close: { code, reason, wasClean, local: false } }),
      }
      const { WebSocket } = this.#options
      this.#transport = this.#openTransport(checkUrl(url), checkProtocols(protocols), handlers, WebSocket)
    } catch (cause) {
      // An address that cannot be will not become possible by asking again
      this.#failed('provider', cause, context, answered)
    }
  }

  /** Runs the user's handshake. Whatever it does once the attempt has ended comes to nothing. */
  async #greet(): Promise<void> {
    const context = this.#context()
    const { signal } = context
    try {
      await this.#options.handshake?.({
        ...context,
        send: message => {
          const data = this.#encode(message)
          if (signal.aborted || isOver(this.#state))
            throw new SocketError('closed', 'handshake: the attempt has ended')
          this.#transport?.send(data)
        },
        receive: async () => {
          const [message] = await this.#wait(() => {
            signal.throwIfAborted()
            return this.#early.length > 0 && this.#early.splice(0, 1)
          })
          return message as Incoming
        },
      })
      if (!signal.aborted) this.#dispatch({ type: 'welcomed' })
    } catch (cause) {
      this.#failed('handshake', cause, context)
    }
  }

  /** What was asked of the application failed: so does the attempt, unless it has ended already. */
  #failed(
    code: 'provider' | 'handshake',
    cause: unknown,
    { signal }: AttemptContext,
    fatal = isFatal(cause),
  ): void {
    if (signal.aborted) return
    this.#fail(code, cause)
    const close = { code: 1006, reason: `${code} failed`, wasClean: false, local: true }
    this.#dispatch({ type: 'dropped', close, fatal })
  }

  #received(data: Data): void {
    const { heartbeat, maxMessageBytes } = this.#settings
    const { isPong } = this.#options.heartbeat || {}
    const isOpen = this.#state.name === 'open'
    if (heartbeat) this.#lastSeen = this.#clock.now()
    // A UTF-16 unit is at most three bytes of UTF-8: most messages need not be counted
    if (data.length * 3 > maxMessageBytes && toBytes(data).length > maxMessageBytes)
      return this.#fail('message-too-large', undefined, data)
    let pong = isOpen && this.#ping !== undefined && sameData(data, this.#ping)
    let message: Incoming | undefined
    if (!pong) {
      try {
        message = this.#codec.decode(data)
      } catch (cause) {
        return this.#fail('decode', cause, data)
      }
      pong = isOpen && !!isPong && !!guarded(() => isPong(message as Incoming))
    }
    if (pong) {
      if (this.#pingedAt) this.#roundTripMs = this.#clock.now() - this.#pingedAt
      this.#pingedAt = 0
    } else if (isOpen) this.#deliver(message as Incoming)
    else this.#early.push(message as Incoming)
    this.#pump()
    this.#settle()
    this.#announce()
  }

  #deliver(message: Incoming): void {
    this.#notices.push(() => isOver(this.#state) || this.#emitter.emit('message', message))
  }

  #encode(message: Outgoing): Data {
    try {
      return this.#codec.encode(message)
    } catch (cause) {
      throw new SocketError('encode', `encode: ${cause}`, cause)
    }
  }

  /** Hands over what waits, as much as the WebSocket should hold, and looks again while something waits. */
  #pump(): void {
    const transport = this.#state.name === 'open' && this.#transport
    if (!transport) return
    while (this.#outbox.messages && transport.buffered < this.#settings.queue.highWaterMarkBytes)
      transport.send((this.#outbox.shift() as Entry<Outgoing>).data)
    if (this.#outbox.messages)
      this.#poll ??= this.#clock.setTimeout(() => {
        this.#poll = undefined
        this.#pump()
      }, POLL_MS)
    if (!this.#sendersWait || this.#outbox.pressure >= 0.5) return
    this.#sendersWait = false
    this.#settle()
    this.#tell('drain')
    this.#announce()
  }

  /** The one timer. It follows from the state, so a stale one cannot exist. */
  #arm(): void {
    this.#clock.clearTimeout(this.#timer)
    const { until } = this.#state
    if (until === Infinity) return
    const ms = Math.min(Math.max(0, until - this.#clock.now()), LONGEST_TIMER_MS)
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#clock.now() < until) this.#arm()
      // Firefox runs an overdue timer before a message that has already arrived: judge one macrotask later
      else this.#timer = this.#clock.setTimeout(() => this.#dispatch({ type: 'deadline' }), 0)
    }, ms)
  }

  /** Notes what listeners are to be told of a step. */
  #note(previous: State, todo: readonly Effect[]): void {
    const { name, attempt, close, until } = this.#state
    const wasOpen = previous.name === 'open' || previous.name === 'closing'
    if (name !== 'open' || previous.name !== 'open') {
      const before = this.#snapshot
      this.#snapshot = Object.freeze(
        name === 'waiting' ? { name, attempt, retryAt: until } : { name, attempt },
      ) as SocketState
      this.#tell('state', this.#snapshot, before)
    }
    if (close && todo[0] === 'drop') {
      const retryInMs = name === 'waiting' ? until - this.#clock.now() : name === 'connecting' ? 0 : undefined
      this.#tell('close', { ...close, wasOpen, final: name === 'closed', retryInMs })
    }
    if (todo[0] === 'flush') {
      this.#tell('open', { protocol: this.#transport?.protocol ?? '', reconnected: this.#opens++ > 0 })
      for (const message of this.#early.splice(0)) this.#deliver(message)
    }
    if (isOver(this.#state) && !isOver(previous))
      this.#undelivered = this.#lose(this.#outbox.clear(), 'closed')
  }

  #lose(entries: readonly Entry<Outgoing>[], code: Undelivered['code']): readonly Undelivered<Outgoing>[] {
    const lost = entries.map(({ message }) => ({ message, code, certain: true }))
    for (const each of lost) this.#tell('undelivered', each)
    return lost
  }

  #fail(code: SocketErrorCode, cause: unknown, data?: Data): void {
    const error = new SocketError(code, cause === undefined ? code : `${code}: ${cause}`, cause, data)
    this.#notices.push(() => this.#emitter.emit('error', error) || report(error))
    this.#announce()
  }

  #tell<K extends keyof EventMap>(event: K, ...args: Parameters<EventMap<Incoming, Outgoing>[K]>): void {
    this.#notices.push(() => this.#emitter.emit(event, ...args))
  }

  /** Tells listeners, in order and never in the middle of a step. What they cause is told after it. */
  #announce(): void {
    if (this.#announcing || this.#mailbox.length) return
    this.#announcing = true
    for (const notice of this.#notices) notice()
    this.#notices.length = 0
    this.#announcing = false
  }

  /** The present state. @throws SocketError `closed` if it is one that nothing can be expected of */
  #usable(): State {
    if (!isOver(this.#state)) return this.#state
    throw new SocketError('closed', `closed: ${this.#state.close?.code} ${this.#state.close?.reason}`)
  }

  /** Fulfilled with the first truthy answer, asked for after each step; rejected when `answer` throws. */
  #wait<T>(answer: () => T | false): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiters.push(() => {
        try {
          const value = answer()
          if (value !== false) resolve(value)
          return value === false
        } catch (error) {
          reject(error)
          return false
        }
      })
      this.#settle()
    })
  }

  /** Settles the promises whose time has come. */
  #settle(): void {
    this.#waiters = this.#waiters.filter(waits => waits())
  }
}
