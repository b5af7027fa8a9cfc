/** What the two processes of `fleet` say to each other, and do alike. */

/** What the clients tell when they are asked. */
export interface Report {
  readonly open: number
  readonly sent: number
  readonly received: number
  /** Messages that did not come, came twice or came too early. */
  readonly wrong: number
  readonly sessionsLost: number
  /** From the cut to the resumed session, in ms, of those that were cut. */
  readonly backMs: readonly number[]
  readonly heapBytes: number
}

export type Order = 'talk' | 'report' | 'stop talking'

/** Each side of each session says something this often, whatever happens to its connection. */
const TALK_MS = 2_000

/** Calls it for a tenth of them at a time, so that it is a stream and not a blow. @returns how to stop */
export function talking<Each>(all: () => Iterable<Each>, say: (each: Each) => void): () => void {
  const timer = setInterval(() => {
    const turn = Math.floor(performance.now() / (TALK_MS / 10)) % 10
    let n = 0
    for (const each of all()) if (n++ % 10 === turn) say(each)
  }, TALK_MS / 10)
  return () => clearInterval(timer)
}

/** In bytes, of what is in use. */
export function memory(): { readonly heap: number; readonly resident: number } {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss }
}
