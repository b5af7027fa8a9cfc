/**
 * A WebSocket that a test plays the server of. mock-socket knows no `bufferedAmount`, no failed connection and no
 * half-open one; this knows just what the shell may rely on, and does nothing by itself.
 */

import type { WebSocketLike } from '../../src/platform/transport'

export class FakeWebSocket implements WebSocketLike {
  /** Every socket ever made, the newest last. */
  static all: FakeWebSocket[] = []
  static get last(): FakeWebSocket {
    const last = FakeWebSocket.all.at(-1)
    if (!last) throw new Error('no WebSocket was made')
    return last
  }
  /** Sockets that were neither closed by us nor by the server. */
  static get live(): number {
    return FakeWebSocket.all.filter(({ readyState }) => readyState < 2).length
  }

  readonly url: string
  readonly protocols: string[]
  readyState = 0
  bufferedAmount = 0
  protocol = ''
  binaryType = 'blob'
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  readonly sent: (string | Uint8Array)[] = []
  readonly closed: unknown[][] = []

  constructor(url: string, protocols: string[] = []) {
    this.url = url
    this.protocols = protocols
    FakeWebSocket.all.push(this)
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== 1) throw new Error(`send in readyState ${this.readyState}`)
    this.sent.push(data)
  }

  close(...how: unknown[]): void {
    this.closed.push(how)
    this.readyState = Math.max(this.readyState, 2)
  }

  /** The server accepts. */
  accept(protocol = ''): this {
    this.readyState = 1
    this.protocol = protocol
    this.#fire(this.onopen, {})
    return this
  }

  receive(data: unknown): void {
    this.#fire(this.onmessage, { data })
  }

  /** The server closes, or what the browser makes of it. */
  end(code = 1006, reason = '', wasClean = false): void {
    this.readyState = 3
    this.#fire(this.onclose, { code, reason, wasClean })
  }

  /** As browsers do for every failure before the opening: an error that says nothing, then close 1006. */
  fail(): void {
    this.readyState = 3
    this.#fire(this.onerror, {})
    this.#fire(this.onclose, { code: 1006, reason: '', wasClean: false })
  }

  /** As Node's own WebSocket does: an error, and never a close. */
  error(): void {
    this.#fire(this.onerror, {})
  }

  #fire(handler: ((event: never) => void) | null, event: object): void {
    handler?.(event as never)
  }
}
