/** What is asked of the WebSockets that a server is given. */

/** What is needed of a WebSocket on a server: that of the `ws` package, or anything that is like one in a browser. */
export interface ServerWebSocket {
  readonly readyState: number
  /** If there is none, nothing ever waits. */
  readonly bufferedAmount?: number
  binaryType?: string
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  /** Of the `ws` package: without a closing handshake. */
  terminate?(): void
  addEventListener(type: 'message' | 'close' | 'error', listener: (event: ServerWebSocketEvent) => void): void
  /** Of the `ws` package: pings of WebSocket itself, which it answers, count as messages. */
  on?(type: 'ping', listener: () => void): unknown
}

/** What is needed of the events of a WebSocket: `data` of `message`, `code` and `reason` of `close`. */
export interface ServerWebSocketEvent {
  readonly type: string
  readonly data?: unknown
  readonly code?: number
  readonly reason?: string
}
