/** Encoded messages: from text to bytes and back, and whether two are the same. */

type Data = string | Uint8Array<ArrayBuffer>

/** UTF-8, where a lone surrogate becomes U+FFFD, as in `WebSocket.send` (WHATWG Encoding). */
export const toBytes = (data: Data) => (typeof data === 'string' ? new TextEncoder().encode(data) : data)

let utf8: TextDecoder | undefined

/** @throws TypeError for malformed UTF-8 */
export function toText(data: Data): string {
  if (typeof data === 'string') return data
  utf8 ??= new TextDecoder('utf-8', { fatal: true })
  return utf8.decode(data)
}

/** Whether both say the same, even if one says it as text and the other as bytes: some echo servers do that. */
export function sameData(a: Data, b: Data): boolean {
  if (typeof a === typeof b && typeof a === 'string') return a === b
  const [left, right] = [toBytes(a), toBytes(b)]
  return left.length === right.length && left.every((byte, i) => byte === right[i])
}
