/** One WebSocket, used once: opened, listened to, and dropped. What runtimes disagree on is made one thing here. */

/** What is needed of a `WebSocket`: the browser's own, Node's, or that of the `ws` package. */
export interface WebSocketLike {
  readonly readyState: number
  readonly bufferedAmount: number
  readonly protocol: string
  binaryType: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  /** Of the `ws` package, which would wait 30 s for the answer of a peer that is gone. */
  terminate?(): void
}

/** The global `WebSocket`, or one like it. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike

/** One connection, used once. */
export interface Transport {
  /** Bytes handed over that have not left yet; `Infinity` while nothing can be handed over. */
  readonly buffered: number
  /** The subprotocol that the server selected, or `''`. */
  readonly protocol: string
  /** Hands a message over: text, or bytes for a binary message. */
  send(data: string | Uint8Array<ArrayBuffer>): void
  /** Starts the closing handshake. `dropped` follows: in a moment, in a minute, or never. */
  close(code?: number, reason?: string): void
  /**
   * Mute from now on, and closed without waiting: on a dead path `close` takes 20 to 60 s, or for ever.
   * @param dead what has not left by now need not be waited for either
   * @returns bytes that had not left
   */
  drop(dead: boolean): number
}

/**
 * Told in the order of life, each in a task of its own as by a WebSocket: never before the transport is handed out, nor
 * from within a call of it; and nothing after `drop`.
 */
export interface TransportHandlers {
  /** Messages may go. */
  opened(): void
  /** A message came: text, or the bytes of a binary message. */
  received(data: string | Uint8Array<ArrayBuffer>): void
  /** It has ended. */
  dropped(code: number, reason: string, wasClean: boolean): void
}

/** Throws when the arguments are such that every attempt would fail likewise. */
export type OpenTransport = (
  url: string,
  protocols: string[],
  handlers: TransportHandlers,
  WebSocket?: WebSocketConstructor,
) => Transport

const OPEN = 1

export const openWebSocket: OpenTransport = (url, protocols, handlers, WebSocket = globalThis.WebSocket) => {
  if (!WebSocket) throw new TypeError('there is no WebSocket here: hand one over by the option WebSocket')
  /** Whom to tell; nobody once it is over. */
  let on: TransportHandlers | undefined = handlers
  const socket: WebSocketLike = new WebSocket(url, protocols)
  const dropped: TransportHandlers['dropped'] = (...how) => on?.dropped(...how)

  socket.binaryType = 'arraybuffer'
  socket.onopen = () => {
    // Firefox and Deno open even if the server selected none of the requested subprotocols
    if (!protocols[0] || protocols.includes(socket.protocol)) return on?.opened()
    dropped(1006, 'subprotocol not selected', false)
  }
  // What is neither text nor a buffer, the codec will refuse
  socket.onmessage = ({ data }: { data: string | ArrayBuffer }) =>
    on?.received(
      (data as ArrayBuffer)?.byteLength === undefined
        ? (data as string)
        : new Uint8Array(data as ArrayBuffer),
    )
  // Deno and Node say 0 or nothing where browsers say 1006
  socket.onclose = ({ code, reason, wasClean }: { code: number; reason: string; wasClean: boolean }) =>
    dropped(code || 1006, reason, wasClean)
  // In browsers `close` follows within the task. Node's own WebSocket forgets it before the opening
  socket.onerror = () => {
    if (socket.readyState !== OPEN) setTimeout(dropped, 0, 1006, '', false)
  }

  return {
    get buffered() {
      return socket.readyState === OPEN ? socket.bufferedAmount || 0 : Infinity
    },
    get protocol() {
      return socket.protocol
    },
    send: data => socket.send(data),
    close: (...how) => socket.close(...how),
    drop(dead) {
      on = undefined
      const unsent = socket.bufferedAmount || 0
      socket.close()
      if (dead) socket.terminate?.()
      return unsent
    },
  }
}
