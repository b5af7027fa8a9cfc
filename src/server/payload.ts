/** Messages as a session carries them: JSON text, or bytes. Other text becomes a JSON string, on both sides. */

import type { Codec } from '../wire/codec'

type Data = string | Uint8Array<ArrayBuffer>

export const createPayload = <Incoming, Outgoing>(
  codec: Codec<Incoming, Outgoing>,
): Pick<Codec<Incoming, Outgoing>, 'encode' | 'decode'> =>
  codec.isJson
    ? codec
    : {
        encode(message) {
          const data = codec.encode(message)
          return typeof data === 'string' ? JSON.stringify(data) : data
        },
        decode(data) {
          if (typeof data !== 'string') return codec.decode(data)
          const text: unknown = JSON.parse(data)
          if (typeof text === 'string') return codec.decode(text)
          throw new TypeError('expected a JSON string')
        },
      }

/** What a WebSocket may hand over, as text or bytes; `undefined` for anything else, a Blob for one. */
export const toData = (data: unknown): Data | undefined => {
  if (typeof data === 'string') return data
  if (ArrayBuffer.isView(data))
    return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  if (Array.isArray(data)) return joined(data.flatMap(part => toData(part) ?? []))
  return Object(data).byteLength === undefined ? undefined : new Uint8Array(data as ArrayBuffer)
}

const joined = (parts: readonly Data[]): Uint8Array<ArrayBuffer> => {
  const bytes = parts.map(part => (typeof part === 'string' ? new TextEncoder().encode(part) : part))
  const whole = new Uint8Array(bytes.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of bytes) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
