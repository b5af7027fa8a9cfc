/** Encoded messages: from text to bytes and back, and whether two are the same. */

type Data = string | Uint8Array<ArrayBuffer>

/** UTF-8, where a lone surrogate becomes U+FFFD, as in `WebSocket.send` (WHATWG Encoding). */
export const toBytes = (data: Data) => (typeof data === 'string' ? new TextEncoder().encode(data) : data)

const BEYOND_ASCII = /[\x80-\uffff]/

/** Bytes of {@link toBytes}, without making them: that would cost a message more than its counting. */
export const byteLength = (data: Data): number => {
  let bytes = data.length
  // Most text is ASCII, and to look for what is not takes a third of a loop's time
  if (typeof data !== 'string' || !BEYOND_ASCII.test(data)) return bytes
  for (let i = 0; i < data.length; i++) {
    const unit = data.charCodeAt(i)
    if (unit > 0x7f) bytes += unit > 0x7ff ? 2 : 1
    // A pair of surrogates is four bytes, not two times three
    if (unit >> 10 === 0x36 && data.charCodeAt(i + 1) >> 10 === 0x37) i++
  }
  return bytes
}

/** @throws TypeError for malformed UTF-8 */
export const toText = (data: Data): string =>
  typeof data === 'string' ? data : new TextDecoder('utf-8', { fatal: true }).decode(data)

/**
 * Whether both say the same, even if one says it as text and the other as bytes: some echo servers do that.
 * UTF-8 takes three bytes for a UTF-16 unit at most: what is longer need not be looked at.
 */
export const sameData = (a: Data, b: Data): boolean =>
  typeof a === 'string' && typeof b === 'string'
    ? a === b
    : a.length <= b.length * 3 && `${toBytes(a)}` === `${toBytes(b)}`
