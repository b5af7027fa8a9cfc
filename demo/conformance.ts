/** The application that a server or client runs to be judged: docs/CONFORMANCE.md says what it has to do. */

import { setTimeout as delay } from 'node:timers/promises'

/** A session, from either side. A message is consumed when the next is asked for. */
export interface Peer extends AsyncIterable<unknown> {
  send(message: unknown): unknown
}

/** Answers each message with itself, but for what it is asked to do. @param end ends the session for good */
export async function converse(peer: Peer, end: () => unknown): Promise<void> {
  for await (const message of peer) {
    const { conformance, ms, count, bytes }: Record<string, unknown> = Object(message)
    if (conformance === 'say') {
      for (let said = 1; said <= Number(count); said++) peer.send({ said, pad: 'x'.repeat(Number(bytes)) })
    } else if (conformance === 'end') {
      // Not before it is consumed
      queueMicrotask(end)
    } else {
      if (conformance === 'hold') await delay(Number(ms), undefined, { ref: false })
      peer.send(message)
    }
  }
}
