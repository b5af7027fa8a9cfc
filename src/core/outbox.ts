/** The send queue: what the application sent and the transport has not taken yet. In order, bounded, counted. */

export interface Entry<Message> {
  readonly message: Message
  readonly data: string | Uint8Array<ArrayBuffer>
  /** Size on the wire: UTF-8 for text, without framing. */
  readonly bytes: number
}

export interface OutboxPolicy {
  readonly maxMessages: number
  readonly maxBytes: number
  readonly highWaterMarkBytes: number
  readonly overflow: 'throw' | 'drop-oldest' | 'drop-newest'
}

export class Outbox<Message> {
  readonly #policy: OutboxPolicy
  /** `#entries[#head]` is the oldest. Shifting an array of a million costs; moving a cursor does not. */
  #entries: (Entry<Message> | undefined)[] = []
  #head = 0
  #bytes = 0

  constructor(policy: OutboxPolicy) {
    this.#policy = policy
  }

  get messages(): number {
    return this.#entries.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Takes an entry in, or decides what has to go.
   * @returns what was dropped for it, which may be the entry itself; or `undefined`: refused, and nothing changed
   */
  push(entry: Entry<Message>): readonly Entry<Message>[] | undefined {
    const { maxMessages, maxBytes, overflow } = this.#policy
    const fits = () => this.messages < maxMessages && this.#bytes + entry.bytes <= maxBytes
    const dropped: Entry<Message>[] = []
    if (!fits()) {
      if (overflow === 'throw') return undefined
      // Were it alone it would not fit either: there is no sense in dropping the others for it
      if (overflow === 'drop-newest' || entry.bytes > maxBytes) return [entry]
      while (!fits()) dropped.push(this.shift() as Entry<Message>)
    }
    this.#entries.push(entry)
    this.#bytes += entry.bytes
    return dropped
  }

  shift(): Entry<Message> | undefined {
    const entry = this.#entries[this.#head]
    if (!entry) return undefined
    this.#entries[this.#head++] = undefined
    this.#bytes -= entry.bytes
    if (this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return entry
  }

  clear(): readonly Entry<Message>[] {
    const left = this.#entries.slice(this.#head) as Entry<Message>[]
    this.#entries = []
    this.#head = this.#bytes = 0
    return left
  }

  /**
   * How full: from 1 a sender should wait, below half of that it may go on. The larger of bytes against the
   * high-water mark, and messages against half of their limit.
   */
  get pressure(): number {
    const { highWaterMarkBytes, maxMessages } = this.#policy
    return Math.max(this.#bytes / highWaterMarkBytes, (this.messages / maxMessages) * 2)
  }
}
