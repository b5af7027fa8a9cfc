/** For servers that call handlers instead of dispatching events: makes of their WebSockets what `accept` takes. */

import type { ServerWebSocket, ServerWebSocketEvent } from './web-socket'

/** What is needed of a WebSocket whose events go to handlers: that of Bun, or anything that can be made like it. */
export interface HandledWebSocket {
  /** As of every WebSocket: 1 is open, above it is on its end. */
  readonly readyState: number
  /** A number that is 0 says that the message was dropped, as Bun does beyond its `backpressureLimit`. */
  send(data: string | Uint8Array<ArrayBuffer>): unknown
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void
  /** Without a closing handshake. */
  terminate?(): void
  /** Bytes that wait to be sent. If there is none, nothing ever waits. */
  getBufferedAmount?(): number
}

/** What `accept` takes, with what the handlers have to tell it. */
export interface AdaptedWebSocket extends ServerWebSocket {
  /** To be called for each message that comes: text, or bytes that nobody changes later. */
  received(data: unknown): void
  /** To be called once it is closed. */
  closed(code?: number, reason?: string): void
}

/**
 * Makes a WebSocket whose events go to handlers one that `accept` takes.
 *
 * @example
 * Bun.serve<{ socket?: AdaptedWebSocket }>({
 *   fetch: (request, web) => void web.upgrade(request, { data: {} }),
 *   websocket: {
 *     open(webSocket) {
 *       webSocket.data.socket = adapt(webSocket)
 *       server.accept(webSocket.data.socket, undefined)
 *     },
 *     message: ({ data }, message) => data.socket?.received(message),
 *     close: ({ data }, code, reason) => data.socket?.closed(code, reason),
 *   },
 * })
 */
export const adapt = (webSocket: HandledWebSocket): AdaptedWebSocket => {
  const listeners: [ServerWebSocketEvent['type'], (event: ServerWebSocketEvent) => void][] = []
  const dispatch = (event: ServerWebSocketEvent) => {
    for (const [type, listener] of listeners) if (type === event.type) listener(event)
  }
  return {
    get readyState() {
      return webSocket.readyState
    },
    get bufferedAmount() {
      return webSocket.getBufferedAmount?.() ?? 0
    },
    send(data) {
      // A frame that is missing would be a gap: better no connection, and then another
      if (webSocket.send(data) === 0) throw new Error('the message was dropped')
    },
    close: (...how) => webSocket.close(...how),
    terminate() {
      if (webSocket.terminate) webSocket.terminate()
      else webSocket.close()
    },
    addEventListener: (type, listener) => void listeners.push([type, listener]),
    received: data => dispatch({ type: 'message', data }),
    closed: (code = 1006, reason = '') => dispatch({ type: 'close', code, reason }),
  }
}
