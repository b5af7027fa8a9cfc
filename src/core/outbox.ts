/**
 * The send log: what the application sent and the peer has not confirmed. In order, bounded, counted.
 *
 * One list with three cursors, `acked <= sent <= numbered`. An entry gets its number when it is first handed to a
 * transport; until then it belongs to no session, counts against the limits, and may expire, be replaced, removed or
 * dropped without leaving a gap. From then on only an acknowledgement, or the end of its session, takes it out.
 *
 * A linked list: whatever is taken out, wherever it stood, costs O(1) and leaves nothing behind. In an array each
 * would leave a hole, and a key that is replaced 60 times a second in an hour without a network would leave many.
 */

export class Entry<Message> {
  readonly message: Message
  /** Encoded, without a frame. */
  data: string | Uint8Array<ArrayBuffer>
  /** Size on the wire: UTF-8 for text, without framing. */
  readonly bytes: number
  /** Of the unsent, only the latest with this key is kept; it has the place of the first. */
  readonly key: unknown
  /** When it need not be sent any more, or not again, in ms on the clock of the caller; 0: never. */
  expiresAt: number
  /** What its owner is to do when it is settled: the outbox does not look at it. */
  settled?: (why?: string) => boolean
  /** Its number in the session, from 1; 0 while unsent. */
  seq = 0
  /** Whether it certainly did not arrive: it was never handed to a transport, or the peer said so. */
  certain = true
  /** The outbox alone uses these. They point to the entry itself when it is in no list. */
  before: Entry<Message> = this
  after: Entry<Message> = this

  constructor(message: Message, data: Entry<Message>['data'], bytes: number, key?: unknown, expiresAt = 0) {
    this.message = message
    this.data = data
    this.bytes = bytes
    this.key = key
    this.expiresAt = expiresAt
  }
}

export interface OutboxPolicy {
  readonly maxMessages: number
  readonly maxBytes: number
  readonly highWaterMarkBytes: number
  readonly overflow: 'throw' | 'drop-oldest' | 'drop-newest'
}

/** Why an accepted entry left unsent: no room, a later one with its key, too late. */
export type Loss = 'queue-full' | 'replaced' | 'expired'

export interface Outbox<Message> {
  /** The unsent. */
  readonly messages: number
  readonly bytes: number
  /** Bytes of what has a number and is not acknowledged. */
  readonly inFlightBytes: number
  /**
   * How full: from 1 a sender should wait, below half of that it may go on. The larger of bytes against the
   * high-water mark, or half of their limit if that is less, and messages against half of theirs.
   */
  readonly pressure: number
  /** The cursors, by their `seq`: all up to it is acknowledged; was handed to the present transport; has a number. */
  readonly acked: Cursor
  readonly sent: Cursor
  readonly numbered: Cursor
  /** Before this moment none of the unsent expires, in ms. */
  readonly soonest: number
  /**
   * Takes an entry in, or decides what has to go; what has expired goes first. One with the key of an unsent entry
   * takes its place: at the tail, what changes faster than the queue drains would never have its turn. So do not give
   * a key to what must not overtake the messages that were sent in between.
   * @param now in ms; left out, nothing expires
   * @returns whether it was taken in; `undefined`: refused, and nothing changed
   */
  push(entry: Entry<Message>, now?: number): boolean | undefined
  /** The next to hand to the transport: first what must be sent again, then the oldest unsent that is not too late. */
  peek(now?: number): Entry<Message> | undefined
  /** What {@link peek} answered is handed over: numbers it, unless it has its number. */
  advance(): void
  /** Takes out an unsent entry. @returns false if it is not unsent, and nothing changed */
  remove(entry: Entry<Message>): boolean
  /** Takes out all of the unsent that have expired. */
  sweep(now: number): void
  /** @returns what is settled by it: all up to that number, in order */
  acknowledge(seq: number): Entry<Message>[]
  /**
   * As {@link acknowledge}, by what has left: all but those that the last bytes belong to.
   * @param buffered bytes that the transport still holds
   */
  left(buffered: number): Entry<Message>[]
  /** Another transport: all that is not acknowledged will be handed over again, in order, with the numbers it has. */
  rewind(): void
  /** The session has ended: takes out all that has a number, in order. The unsent stay; numbers start anew. */
  recall(): Entry<Message>[]
  /**
   * Puts back to the head, in their order, to be sent under new numbers, whatever the limits say. Those with a key
   * for which there is something newer are lost as `replaced`.
   */
  restore(entries: readonly Entry<Message>[]): void
  /** Takes out everything, in order. */
  clear(): Entry<Message>[]
  /** All that is here, in order. What is in flight has a number. */
  entries(): Entry<Message>[]
}

type Cursor = Pick<Entry<unknown>, 'seq'>

/**
 * @param lose is told of each accepted entry that leaves unsent and unasked; it must not call back
 * @param acked where numbers go on, if a session is taken over
 */
export const createOutbox = <Message>(
  policy: OutboxPolicy,
  lose: (entry: Entry<Message>, why: Loss) => void,
  acked = 0,
): Outbox<Message> => {
  const { maxMessages, maxBytes, highWaterMarkBytes, overflow } = policy
  /** Before the first and after the last. Its number is that of the last entry that was acknowledged. */
  const root = new Entry(undefined as Message, '', 0)
  root.seq = acked
  /** The unsent that have a key. */
  const keyed = new Map<unknown, Entry<Message>>()

  const outbox = {
    messages: 0,
    bytes: 0,
    inFlightBytes: 0,
    soonest: Infinity,
    acked: root,
    sent: root,
    /** What follows it is unsent. */
    numbered: root,
    get pressure() {
      return Math.max(
        outbox.bytes / Math.min(highWaterMarkBytes, maxBytes / 2),
        (outbox.messages / maxMessages) * 2,
      )
    },
    push(entry: Entry<Message>, now = 0) {
      const { bytes } = entry
      // The head first: if all live equally long, the expired are there, and the rest need not be looked at
      if (overflows(bytes)) prune(now)
      if (overflows(bytes)) outbox.sweep(now)
      const old = keyed.get(entry.key)
      const { before } = old ?? root
      if (old) take(old)
      // Were it alone it would not fit either: there is no sense in dropping the others for it
      if (overflows(bytes) && (overflow !== 'drop-oldest' || bytes > maxBytes)) {
        if (old) put(old, before)
        if (overflow === 'throw') return undefined
        lose(entry, 'queue-full')
        return false
      }
      if (old) lose(old, 'replaced')
      while (overflows(bytes)) drop(outbox.numbered.after, 'queue-full')
      // If what stood before is gone, so is all that was older
      put(entry, before.after === before ? outbox.numbered : before)
      return true
    },
    peek(now = 0) {
      if (outbox.sent === outbox.numbered) prune(now)
      const { after } = outbox.sent
      return after === root ? undefined : after
    },
    advance() {
      const { sent, numbered } = outbox
      const entry = sent.after
      if (sent === numbered) {
        count(entry, -1)
        entry.seq = numbered.seq + 1
        entry.certain = false
        count(entry, 1)
        outbox.numbered = entry
      }
      outbox.sent = entry
    },
    remove(entry: Entry<Message>) {
      const isUnsent = !entry.seq && entry.after !== entry
      if (isUnsent) take(entry)
      return isUnsent
    },
    sweep(now: number) {
      if (now < outbox.soonest) return
      outbox.soonest = Infinity
      for (const entry of outbox.entries()) if (!entry.seq && !expires(entry, now)) remind(entry)
    },
    acknowledge: (seq: number) => settle(entry => entry.seq <= seq),
    left: (buffered: number) => settle(entry => outbox.inFlightBytes - entry.bytes >= buffered),
    rewind() {
      outbox.sent = root
    },
    recall() {
      const entries = settle(() => true)
      root.seq = 0
      return entries
    },
    restore(entries: readonly Entry<Message>[]) {
      // From the last on, so that of two with one key the later is kept
      for (const entry of [...entries].reverse()) {
        entry.seq = 0
        if (keyed.has(entry.key)) lose(entry, 'replaced')
        else put(entry, outbox.numbered)
      }
    },
    clear: () => [...outbox.recall(), ...outbox.entries().filter(outbox.remove)],
    entries() {
      const entries: Entry<Message>[] = []
      for (let { after } = root; after !== root; { after } = after) entries.push(after)
      return entries
    },
  }

  const overflows = (bytes: number) => outbox.messages >= maxMessages || outbox.bytes + bytes > maxBytes

  const count = (entry: Entry<Message>, by: 1 | -1) => {
    const bytes = entry.bytes * by
    if (entry.seq) outbox.inFlightBytes += bytes
    else {
      outbox.messages += by
      outbox.bytes += bytes
      keyed.delete(entry.key)
    }
  }

  const put = (entry: Entry<Message>, before: Entry<Message>) => {
    entry.before = before
    entry.after = before.after
    before.after = entry.after.before = entry
    count(entry, 1)
    if (entry.key !== undefined) keyed.set(entry.key, entry)
    remind(entry)
  }

  const take = (entry: Entry<Message>) => {
    count(entry, -1)
    entry.before.after = entry.after
    entry.after.before = entry.before
    entry.before = entry.after = entry
  }

  const drop = (entry: Entry<Message>, why: Loss) => {
    take(entry)
    lose(entry, why)
  }

  const remind = ({ expiresAt }: Entry<Message>) => {
    if (expiresAt) outbox.soonest = Math.min(outbox.soonest, expiresAt)
  }

  /** Takes an unsent entry out if it is too late. */
  const expires = (entry: Entry<Message>, now: number) => {
    const isLate = entry.expiresAt && entry.expiresAt <= now
    if (isLate) drop(entry, 'expired')
    return isLate
  }

  /** Takes the expired from the head of the unsent. */
  const prune = (now: number) => {
    while (expires(outbox.numbered.after, now));
  }

  /** Takes out of what has a number, from the oldest on, for as long as `more` says so. */
  const settle = (more: (entry: Entry<Message>) => boolean) => {
    const settled: Entry<Message>[] = []
    for (let entry = root.after; entry.seq && entry !== root && more(entry); entry = root.after) {
      if (outbox.sent === entry) outbox.sent = root
      if (outbox.numbered === entry) outbox.numbered = root
      take(entry)
      root.seq = entry.seq
      settled.push(entry)
    }
    return settled
  }

  return outbox
}
