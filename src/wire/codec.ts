/** How a message is spelled on the wire. A codec is pure: it knows no socket, and a bad byte makes it throw. */

import { toText } from './data'

export interface Codec<Incoming = unknown, Outgoing = unknown> {
  /** Whether text is JSON. A session then sends it as it is, and other text as a JSON string. */
  readonly isJson?: boolean
  /** Called once for each `send`. What it throws, `send` throws as a `SocketError` with the code `encode`. */
  encode(message: Outgoing): string | Uint8Array<ArrayBuffer>
  /** Called once for each inbound message. What it throws becomes an `error` event with the code `decode`. */
  decode(data: string | Uint8Array<ArrayBuffer>): Incoming
}

/**
 * JSON text, and the default. Decodes UTF-8 bytes too: many servers answer text in binary messages.
 * `encode` throws for what JSON cannot say (`undefined`, a function, a cycle, a bigint).
 */
export const json = (): Codec => {
  return {
    isJson: true,
    encode(message) {
      const data = JSON.stringify(message)
      if (data) return data
      throw new TypeError(`JSON has no ${typeof message}`)
    },
    decode: data => JSON.parse(toText(data)),
  }
}

/** Strings as they are. Decodes UTF-8 bytes too, and refuses malformed ones, as RFC 6455 §8.1 does for text. */
export const text = (): Codec<string, string> => {
  return {
    encode(message) {
      if (typeof message === 'string') return message
      throw new TypeError('expected a string')
    },
    decode: toText,
  }
}

/** Bytes as they are, in binary messages. Decodes text to its UTF-8 bytes. */
export const bytes = (): Codec<Uint8Array<ArrayBuffer>, ArrayBuffer | ArrayBufferView<ArrayBuffer>> => {
  return {
    encode(message) {
      if (ArrayBuffer.isView(message))
        return new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
      if (message instanceof ArrayBuffer) return new Uint8Array(message)
      throw new TypeError('expected an ArrayBuffer or a view of one')
    },
    decode: data => (typeof data === 'string' ? new TextEncoder().encode(data) : data),
  }
}
