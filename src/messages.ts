/** Messages as an async iterator: those that nobody has asked for yet wait in a bounded buffer. */

import { SocketError } from './errors'
import type { EventMap } from './events'
import type { MessagesOptions } from './options'

/** What it reads from, and waits with. */
interface Source<Incoming> {
  on(event: 'message', listener: EventMap<Incoming>['message']): () => void
  /** Fulfilled with the first answer but `false`, asked for again by `publish`. */
  wait<T>(answer: () => T | false): Promise<T>
  publish(): void
  isClosed(): boolean
  /** Tells an `error` event. */
  fail(error: SocketError, data: unknown): void
  /** Of each iterator, whether it asks for the next message: a session sends it when all do. */
  readonly readers: Set<() => boolean>
  /** This one does, or is gone. */
  asked(): void
}

/** Not a generator: the buffer fills from now on, not from the first `next()`. */
export const createMessages = <Incoming>(
  { on, wait, publish, isClosed, fail, readers, asked }: Source<Incoming>,
  {
    maxMessages,
    overflow,
  }: { readonly [name in keyof MessagesOptions]-?: NonNullable<MessagesOptions[name]> },
): AsyncIterableIterator<Incoming, undefined> => {
  const buffer: Incoming[] = []
  let stopped = false
  let unanswered = 0
  const asks = () => unanswered > buffer.length
  readers.add(asks)
  /** Thrown once, after what was in time. */
  let failure: SocketError | undefined

  const stop = on('message', message => {
    const isFull = buffer.length >= maxMessages
    const full = () => new SocketError('inbound-full', `messages: ${maxMessages} wait to be read`)
    if (isFull && overflow === 'throw') {
      failure = full()
      stop()
    } else if (isFull && overflow === 'drop-newest') fail(full(), message)
    else {
      if (isFull) fail(full(), buffer.shift())
      buffer.push(message)
    }
    publish()
  })

  const end = () => {
    stopped = true
    stop()
    readers.delete(asks)
    asked()
    return { done: true, value: undefined } as const
  }

  return {
    next() {
      unanswered++
      asked()
      return wait(() => {
        if (buffer.length) {
          unanswered--
          return { done: false, value: buffer.shift() as Incoming }
        }
        if (failure && !stopped) {
          end()
          throw failure
        }
        return (stopped || isClosed()) && end()
      })
    },
    async return() {
      buffer.length = 0
      const done = end()
      publish()
      return done
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
