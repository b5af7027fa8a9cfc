/** Messages of one client that came and wait to be told. The window bounds how many; what may be lost must not pile up. */

type Data = string | Uint8Array<ArrayBuffer>

export interface Received {
  readonly data: Data
  readonly isVolatile: boolean
}

export interface Inbox {
  /** UTF-16 units for text. */
  readonly bytes: number
  put(received: Received): void
  next(): Received | undefined
  clear(): void
}

/** @param mostBytes of all; whoever puts more in has asked, but for what is volatile */
export const createInbox = (win: number, mostBytes: number): Inbox => {
  let waiting: Received[] = []
  let bytes = 0

  return {
    get bytes() {
      return bytes
    },
    put(received) {
      const { length } = received.data
      if (received.isVolatile && (waiting.length >= win || bytes + length > mostBytes)) return
      waiting.push(received)
      bytes += length
    },
    next() {
      const received = waiting.shift()
      bytes -= received?.data.length ?? 0
      return received
    },
    clear() {
      waiting = []
      bytes = 0
    },
  }
}
