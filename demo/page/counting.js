// @ts-check
/** One session with the server of this page, in which both count. */

import { ReconnectingSocket } from './library.js'
import { createTally } from './tally.js'

/** @typedef {import('../counting').Count} Count */
/** @typedef {import('../counting').ServerCount} ServerCount */
/** @typedef {import('./library.js').Options} Options */

/**
 * What one side has seen.
 * @typedef {import('./tally.js').Tally & { sent: number, resumed: number, underway: number }} View
 */

/** @typedef {ReturnType<typeof createCounting>} Counting */

const PACE_MS = 50
/** While we are away for long we need not go on: so many may wait. */
const MOST_WAITING = 200

const url = new URL('/session', location.href).href.replace(/^http/, 'ws')

/** @param {Pick<Options, 'heartbeat' | 'backoff'>} options */
export function createCounting({ heartbeat, backoff }) {
  const socket = new ReconnectingSocket(url, {
    session: ReconnectingSocket.resumable(),
    heartbeat,
    backoff,
  })
  const tally = createTally()
  let sent = 0
  let underway = 0
  let resumed = 0
  /** @type {ServerCount | undefined} */
  let heard
  /** @type {'counting' | 'finishing' | 'finished'} */
  let stage = 'counting'
  /** Why it ended before both had said their last. */
  let broken = ''

  /** @param {boolean} [last] */
  const say = last => {
    sent++
    underway++
    /** @type {Count} */
    const count = { n: sent, received: tally.read().received, last }
    socket.deliver(count).then(
      () => {
        underway--
        settle()
      },
      () => end(`${socket.state.name}: what was sent may not have arrived`),
    )
  }

  /** @param {string} [why] */
  const end = why => {
    if (stage === 'finished') return
    stage = 'finished'
    broken = why ?? ''
    clearInterval(clock)
    socket.close()
  }

  const clock = setInterval(() => {
    if (socket.queuedMessages < MOST_WAITING) say()
  }, PACE_MS)

  socket.on('message', message => {
    heard = /** @type {ServerCount} */ (message)
    tally.came(heard.n)
    settle()
  })
  socket.on('open', event => {
    if (event.resumed) resumed++
  })
  socket.on('sessionLost', ({ reason }) => end(`the server has lost the session (${reason})`))
  socket.on('close', ({ final, code, reason }) => {
    if (final) end(`closed for good (${code} ${reason})`)
  })
  // An attempt that fails is told by the state
  socket.on('error', () => {})

  /** The server answers our last when it has it all. That it has, it may acknowledge a moment later. */
  const settle = () => {
    if (stage === 'finishing' && heard?.last && underway === 0) end()
  }

  return {
    /** Both say their last, and it ends when each has come. */
    stop() {
      if (stage !== 'counting') return
      stage = 'finishing'
      clearInterval(clock)
      say(true)
    },
    /** Without a last word. */
    abandon: () => end('it was given up'),
    get state() {
      return socket.state.name
    },
    get stage() {
      return stage
    },
    get broken() {
      return broken
    },
    /** @returns {View} */
    ours: () => ({ ...tally.read(), sent, resumed, underway }),
    /** @returns {View | undefined} as of the latest message that came */
    theirs: () => heard && { ...heard, sent: heard.n },
  }
}
