/**
 * Sessions in which both sides count: each sends a running number, checks the other's, and says in each of its messages
 * what it has seen. So either can show whether they agree.
 */

import { type Session, SessionServer } from '../src/server'
import type { Line } from './lines'
import { createTally, type Tally } from './page/tally.js'

/** One message: of the page, and of the server. */
export interface Count {
  readonly n: number
  /** How many came from the other side by now. */
  readonly received: number
  /** It is the last: the other side answers with its own last. */
  readonly last?: boolean | undefined
}

/** What the server says: its whole view. */
export type ServerCount = Count &
  Tally & {
    readonly resumed: number
    /** Of ours, what the page has not yet said that it came. */
    readonly underway: number
  }

const PACE_MS = 50
/** Who is away for long is not counted for: so many may wait. */
const MOST_WAITING = 200

type Page = Session<unknown, ServerCount>

export interface Counting {
  accept(line: Line): void
  close(): Promise<void>
}

export function createCounting(): Counting {
  const server = new SessionServer<unknown, ServerCount, undefined>({
    // A demo has no users
    authenticate: () => 'visitor',
    queue: { maxMessages: 2 * MOST_WAITING },
  })
  server.on('session', countWith)
  return {
    accept: line => server.accept(line, undefined),
    close: () => server.close({ timeoutMs: 0 }),
  }
}

function countWith(page: Page): void {
  const tally = createTally()
  let sent = 0
  let confirmed = 0
  let resumed = 0

  const say = (last?: boolean) => {
    sent++
    page.send({ n: sent, ...tally.read(), resumed, underway: sent - confirmed, last })
  }
  const clock = setInterval(() => {
    if (page.queuedMessages < MOST_WAITING) say()
  }, PACE_MS)

  page.on('connected', event => {
    if (event.resumed) resumed++
  })
  page.on('message', message => {
    if (!isCount(message)) return
    tally.came(message.n)
    confirmed = Math.max(confirmed, message.received)
    if (!message.last) return
    clearInterval(clock)
    say(true)
  })
  page.on('ended', () => clearInterval(clock))
}

/** Whoever finds the way here may say anything. */
function isCount(message: unknown): message is Count {
  const { n, received } = Object(message)
  return Number.isSafeInteger(n) && n > 0 && Number.isSafeInteger(received)
}
