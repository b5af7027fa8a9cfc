/** The face of it: what an application holds. What it does is in `socket`, out of the application's reach. */

import type { CloseResult, EventMap, Queue, SocketState, Stats, Transition } from './events'
import type { CloseOptions, MessagesOptions, Options, Provider, SendOptions } from './options'
import { createSocket, type Socket } from './socket'

/**
 * A WebSocket that comes back.
 *
 * @example
 * const socket = new ReconnectingSocket('wss://example.com/feed')
 * socket.on('message', message => console.log(message))
 * socket.send({ type: 'hello' })
 */
export class ReconnectingSocket<Incoming = unknown, Outgoing = unknown> {
  readonly #socket: Socket<Incoming, Outgoing>

  /**
   * Connects at once, unless `autoConnect` is `false`.
   * @param url `ws:`, `wss:`, `http:`, `https:` or relative to the page; or a function that is asked for each attempt
   * @throws SocketError `invalid-option` names the option and what was expected
   */
  constructor(url: Provider<string | URL>, options: Options<Incoming, Outgoing> = {}) {
    this.#socket = createSocket(url, options)
  }

  /** An immutable snapshot. */
  get state(): SocketState {
    return this.#socket.state
  }

  /** Messages that wait to be sent: no WebSocket has them yet. */
  get queuedMessages(): number {
    return this.#socket.sender.outbox.messages
  }

  /** Their size in bytes (UTF-8, without framing). */
  get queuedBytes(): number {
    return this.#socket.sender.outbox.bytes
  }

  /** As {@link queuedBytes}, with what the WebSocket still holds (`bufferedAmount`). */
  get bufferedBytes(): number {
    return this.#socket.bufferedBytes
  }

  /** What waits to be sent, in order: `for (const message of socket.queue)`. */
  get queue(): Queue<Outgoing> {
    const { clear, outbox } = this.#socket.sender
    return {
      clear,
      *[Symbol.iterator]() {
        for (const { message, seq } of outbox.entries()) if (!seq) yield message
      },
    }
  }

  /** The last measured time from heartbeat to answer in ms, if any. */
  get roundTripMs(): number | undefined {
    return this.#socket.roundTripMs
  }

  /** The last 100 steps of the machine, the oldest first: plain data, for a bug report. */
  get transitions(): readonly Transition[] {
    return this.#socket.transitions
  }

  /** What happened so far, in numbers: plain data. */
  stats(): Stats {
    return this.#socket.stats()
  }

  /**
   * Starts, from `idle` or `closed`. Does nothing while the socket lives; {@link reconnect} does.
   * @throws the reason of `signal`, if that has aborted
   */
  connect(): void {
    this.#socket.start('connect')
  }

  /**
   * Connects now: ends a wait, or replaces the present connection by a new one.
   * @throws as {@link connect} does
   */
  reconnect(): void {
    this.#socket.start('reconnect')
  }

  /**
   * Closes for good: nothing opens until `connect()`. What is still queued is reported as undelivered.
   * The promise is fulfilled within `closeTimeoutMs`, and never rejected.
   * @param code 1000, or 3000 to 4999 (WHATWG WebSockets)
   * @param reason at most 123 bytes of UTF-8 (RFC 6455 §5.5)
   * @throws SocketError `invalid-option`
   */
  close(code?: number, reason?: string): Promise<CloseResult<Outgoing>>
  /**
   * With `drain`, first sends what waits, connecting again if it must, for `timeoutMs` at most.
   * @throws SocketError `invalid-option`
   */
  close(options: CloseOptions): Promise<CloseResult<Outgoing>>
  close(how?: number | CloseOptions, reason?: string): Promise<CloseResult<Outgoing>> {
    return this.#socket.close(how, reason)
  }

  /** As {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** As {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Fulfilled once open, at once if so already. Rejects with `closed` when the socket closes for good. */
  opened(): Promise<void> {
    return this.#socket.opened()
  }

  /** Fulfilled once there is room again, at once if there is. Rejects with `closed` when the socket closes. */
  drained(): Promise<void> {
    return this.#socket.drained()
  }

  /**
   * Sends, or queues until it can. Messages go out in the order of `send`, each at most once.
   * @returns `false`: accepted, but please wait for `drain` before the next
   * @throws SocketError `closed` after `close()`, `encode` if the codec refuses, `queue-full` by `queue.overflow`,
   * `aborted`, `invalid-option`; ValidationError by `outgoing`
   */
  send(message: Outgoing, options?: SendOptions): boolean {
    return this.#socket.sender.send(message, options)
  }

  /**
   * As {@link send}, and tells what became of it: fulfilled with `'written'` once the WebSocket holds it no longer. That
   * is not a receipt: megabytes fit into the buffers of the network, and what is in them dies with the connection. In
   * session mode with `'acknowledged'` once the server has consumed it.
   * Rejected with a SocketError of the code that `undelivered` would tell, or that `send` would throw.
   */
  deliver(message: Outgoing, options?: SendOptions): Promise<'written' | 'acknowledged'> {
    return this.#socket.sender.deliver(message, options)
  }

  /**
   * Calls the listener for each event of this name: see {@link EventMap}.
   * @returns unsubscribes
   */
  on<K extends keyof EventMap>(event: K, listener: EventMap<Incoming, Outgoing>[K]): () => void {
    return this.#socket.on(event, listener)
  }

  /** As {@link on}, for one time. @returns unsubscribes */
  once<K extends keyof EventMap>(event: K, listener: EventMap<Incoming, Outgoing>[K]): () => void {
    const off = this.on(event, ((...args: never[]) => {
      off()
      ;(listener as (...args: never[]) => void)(...args)
    }) as EventMap<Incoming, Outgoing>[K])
    return off
  }

  /**
   * The messages from now on, until the socket is closed for good. Those that wait to be read are bounded, for a browser
   * cannot slow down who sends: by default the reading throws `inbound-full` when more than 1,000 wait.
   * @throws SocketError `invalid-option`
   */
  messages(options?: MessagesOptions): AsyncIterableIterator<Incoming, undefined> {
    return this.#socket.messages(options)
  }

  /** `for await (const message of socket)`: {@link messages} by its defaults. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Incoming, undefined> {
    return this.messages()
  }
}
