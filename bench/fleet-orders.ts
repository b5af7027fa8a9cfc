/** What the two processes of `fleet` say to each other. */

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
export const TALK_MS = 2_000
