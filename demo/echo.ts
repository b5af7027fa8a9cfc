/** Answers each message with itself: text as text, bytes as bytes. */

import type { Line } from './lines'

export function echo(line: Line): void {
  line.addEventListener('message', ({ data }) => line.send(data as string | Uint8Array<ArrayBuffer>))
}
