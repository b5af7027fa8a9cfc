/** A WebSocket without a network, as a server has it: what the client says is said to it, and what it is told is kept. */

import type { ServerWebSocket, ServerWebSocketEvent } from '../../src/server'

export class FakeServerSocket implements ServerWebSocket {
  static live = 0
  readyState = 1
  bufferedAmount = 0
  binaryType = 'nodebuffer'
  readonly sent: (string | Uint8Array)[] = []
  code: number | undefined
  readonly #listeners = new Map<string, (event: ServerWebSocketEvent) => void>()

  constructor() {
    FakeServerSocket.live++
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.sent.push(data)
  }

  close(code = 1005): void {
    if (this.readyState > 1) return
    this.readyState = 2
    this.code = code
    setImmediate(() => this.end(code))
  }

  addEventListener(type: string, listener: (event: ServerWebSocketEvent) => void): void {
    this.#listeners.set(type, listener)
  }

  /** The client says something. */
  say(data: unknown): void {
    if (this.readyState === 1) this.#listeners.get('message')?.({ type: 'message', data })
  }

  /** It is closed, by whomever. */
  end(code = 1006): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.code ??= code
    FakeServerSocket.live--
    this.#listeners.get('close')?.({ type: 'close', code, reason: '' })
  }
}
