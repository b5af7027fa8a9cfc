/** What comes out of WebSockets of many kinds, as text or bytes. */

type Data = string | Uint8Array<ArrayBuffer>

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
