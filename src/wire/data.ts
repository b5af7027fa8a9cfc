/** Facts about encoded messages: their bytes, and whether two are the same. */

/** UTF-8, where a lone surrogate becomes U+FFFD, as in `WebSocket.send` (WHATWG Encoding). */
export const toBytes = (data: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  typeof data === 'string' ? new TextEncoder().encode(data) : data

/** Whether both say the same, even if one says it as text and the other as bytes: some echo servers do that. */
export function sameData(a: string | Uint8Array<ArrayBuffer>, b: string | Uint8Array<ArrayBuffer>): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b
  const [left, right] = [toBytes(a), toBytes(b)]
  return left.length === right.length && left.every((byte, i) => byte === right[i])
}
