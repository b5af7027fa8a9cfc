/**
 * Frames that are written in one go leave in one piece: one by one, each is a call of the system, which costs more than
 * all that we do about a message. The stream below a WebSocket of Node is that of the request it came with.
 */

interface Corked {
  cork(): void
  uncork(): void
}

const isCorkable = (stream: Partial<Corked> | undefined): stream is Corked =>
  typeof stream?.cork === 'function' && typeof stream.uncork === 'function'

/** After the microtasks too: an application that reads by `for await` answers in them. */
const afterwards = (what: () => void) => {
  const { process } = globalThis as { process?: { nextTick?(what: () => void): void } }
  if (process?.nextTick) process.nextTick(what)
  else queueMicrotask(what)
}

/** @returns to be called before each write; does nothing if there is no such stream */
export const createBatch = (request: unknown): (() => void) => {
  const { socket }: { readonly socket?: Partial<Corked> } = Object(request)
  if (!isCorkable(socket)) return () => {}
  let isCorked = false
  return () => {
    if (isCorked) return
    isCorked = true
    socket.cork()
    afterwards(() => {
      isCorked = false
      socket.uncork()
    })
  }
}
