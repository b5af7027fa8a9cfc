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

export interface Outbox<Message> {
  readonly messages: number
  readonly bytes: number
  /**
   * How full: from 1 a sender should wait, below half of that it may go on. The larger of bytes against the
   * high-water mark, or half of their limit if that is less, and messages against half of theirs.
   */
  readonly pressure: number
  /**
   * Takes an entry in, or decides what has to go.
   * @returns what was dropped for it, which may be the entry itself; or `undefined`: refused, and nothing changed
   */
  push(entry: Entry<Message>): readonly Entry<Message>[] | undefined
  /** The oldest. */
  peek(): Entry<Message> | undefined
  shift(): Entry<Message> | undefined
  clear(): readonly Entry<Message>[]
}

export const createOutbox = <Message>(policy: OutboxPolicy): Outbox<Message> => {
  const { maxMessages, maxBytes, highWaterMarkBytes, overflow } = policy
  /** Two stacks make a queue: shifting an array of a million costs, turning it around once does not. */
  let incoming: Entry<Message>[] = []
  /** The oldest last. All of it is older than anything in `incoming`. */
  let outgoing: Entry<Message>[] = []

  const outbox = {
    messages: 0,
    bytes: 0,
    get pressure() {
      return Math.max(
        outbox.bytes / Math.min(highWaterMarkBytes, maxBytes / 2),
        (outbox.messages / maxMessages) * 2,
      )
    },
    push(entry: Entry<Message>) {
      const overflows = () => outbox.messages >= maxMessages || outbox.bytes + entry.bytes > maxBytes
      if (overflows()) {
        if (overflow === 'throw') return undefined
        // Were it alone it would not fit either: there is no sense in dropping the others for it
        if (overflow === 'drop-newest' || entry.bytes > maxBytes) return [entry]
      }
      const dropped = take(overflows)
      outbox.messages++
      outbox.bytes += entry.bytes
      incoming.push(entry)
      return dropped
    },
    peek() {
      if (!outgoing.length) {
        outgoing = incoming.reverse()
        incoming = []
      }
      return outgoing.at(-1)
    },
    shift() {
      const entry = outbox.peek()
      if (entry) {
        outgoing.pop()
        outbox.messages--
        outbox.bytes -= entry.bytes
      }
      return entry
    },
    clear: () => take(() => true),
  }

  /** Takes out the oldest for as long as `more` says so. */
  const take = (more: () => boolean) => {
    const taken: Entry<Message>[] = []
    while (outbox.messages && more()) taken.push(outbox.shift() as Entry<Message>)
    return taken
  }

  return outbox
}
