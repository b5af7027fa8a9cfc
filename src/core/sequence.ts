/**
 * Messages that their sender has numbered: what comes twice is dropped, what is missing is told, and what overtook
 * waits a little for what it overtook.
 *
 * Of each stream there is the last number, and what is held beyond the next. A step is taken one at a time, when it is
 * asked for, and everything is looked at anew after it: whoever is told of a message may reset, forget or stop there,
 * and then the last number is that of the last message that was really told.
 */

/** As the protocol has them. Whole, and one more from message to message. */
export type SequenceNumber = number | bigint

/** Numbers that are missing in a stream. */
export interface Gap {
  /** As `stream` named it; `''` without one. */
  readonly stream: string
  /** The first that is missing. */
  readonly from: SequenceNumber
  /** The last that is missing. */
  readonly to: SequenceNumber
}

/** What is held, and for how long: a limit for each stream. */
export interface Patience {
  /** How many messages. */
  readonly messages: number
  readonly timeoutMs: number
}

/** What is to be told next. */
export type Step<Message> =
  | { readonly message: Message; readonly gap?: undefined }
  /** `again`: other numbers from the same place on were told to be missing before, and did not come since. */
  | { readonly gap: Gap; readonly again: boolean }

export interface Sequencer<Message> {
  /** The last number of each stream. */
  readonly last: ReadonlyMap<string, SequenceNumber>
  /** What was dropped, because its number was there, or beyond, already. */
  readonly duplicates: number
  /** What was told to be missing: how many times. */
  readonly gaps: number
  /** When there is something to do for {@link Sequencer.tick}, in ms; `Infinity`: never. */
  readonly until: number
  /** Takes a message in. The first of a stream is where it starts. */
  accept(stream: string, seq: SequenceNumber, message: Message, now: number): Iterable<Step<Message>>
  /** Gives up what has been waited for long enough. */
  tick(now: number): Iterable<Step<Message>>
  /** This is where the stream is, whatever was before. */
  start(stream: string, seq: SequenceNumber): void
  /** The next is a first one: of a stream, or of all. What is held goes on without being numbered. */
  reset(stream?: string): void
  /** What is held will come again, or is lost: the connection has ended. */
  forget(): void
}

interface Held<Message> {
  readonly seq: SequenceNumber
  readonly message: Message
  /** Since when, in ms. */
  readonly at: number
}

export const createSequencer = <Message>({ messages, timeoutMs }: Patience): Sequencer<Message> => {
  const last = new Map<string, SequenceNumber>()
  /** Up to where numbers were told to be missing. */
  const told = new Map<string, SequenceNumber>()
  /** In order, and never an empty one. */
  const held = new Map<string, Held<Message>[]>()
  /** Held when the counting began anew. */
  const freed: Message[] = []

  /** Tells what is next, and gives up waiting where it is time. */
  function* release(stream: string, now: number): Iterable<Step<Message>> {
    for (;;) {
      yield* free()
      const waiting = held.get(stream)
      const head = waiting?.[0]
      if (!head) return
      const before = last.get(stream)
      if (before !== undefined && head.seq > after(before)) {
        if (waiting.length <= messages && now < due(waiting)) return
        const known = told.get(stream) ?? before
        const from = after(known > before ? known : before, head.seq)
        if (from < head.seq) {
          const to = typeof head.seq === 'bigint' ? head.seq - 1n : head.seq - 1
          told.set(stream, to)
          sequencer.gaps++
          yield { gap: { stream, from, to }, again: known > before }
          continue
        }
      }
      waiting.shift()
      if (!waiting.length) held.delete(stream)
      last.set(stream, head.seq)
      yield { message: head.message }
    }
  }

  function* free(): Iterable<Step<Message>> {
    while (freed.length) yield { message: freed.shift() as Message }
  }

  /** When to give up the first that is waited for: it has been since the first of those came that overtook it. */
  const due = (waiting: readonly Held<Message>[]) =>
    waiting.reduce((soonest, { at }) => Math.min(soonest, at), Infinity) + timeoutMs

  const sequencer = {
    last,
    duplicates: 0,
    gaps: 0,
    get until() {
      let soonest = freed.length ? 0 : Infinity
      for (const waiting of held.values()) soonest = Math.min(soonest, due(waiting))
      return soonest
    },
    *accept(stream: string, seq: SequenceNumber, message: Message, now: number): Iterable<Step<Message>> {
      yield* free()
      const before = last.get(stream)
      const waiting = held.get(stream) ?? []
      let place = waiting.length
      for (let other = waiting[place - 1]; other && other.seq >= seq; other = waiting[place - 1]) {
        if (other.seq <= seq) break
        place--
      }
      const other = waiting[place - 1]
      if ((before !== undefined && seq <= before) || (other && other.seq >= seq)) {
        sequencer.duplicates++
      } else {
        waiting.splice(place, 0, { seq, message, at: now })
        held.set(stream, waiting)
      }
      yield* sequencer.tick(now)
    },
    *tick(now: number): Iterable<Step<Message>> {
      yield* free()
      for (const stream of [...held.keys()]) yield* release(stream, now)
    },
    start(stream: string, seq: SequenceNumber) {
      last.set(stream, seq)
      told.delete(stream)
    },
    reset(stream?: string) {
      for (const name of stream === undefined ? [...last.keys()] : [stream]) {
        for (const { message } of held.get(name) ?? []) freed.push(message)
        for (const map of [held, last, told]) map.delete(name)
      }
    },
    forget() {
      held.clear()
      freed.length = 0
    },
  }
  return sequencer
}

/** The next number, of the same type as `like`. Comparing numbers with bigints is exact, adding them is not. */
const after = (seq: SequenceNumber, like = seq): SequenceNumber =>
  typeof like === 'bigint' ? BigInt(seq) + 1n : Number(seq) + 1
