/** A client at work: numbered messages all the time, each of which is answered. What is lost, doubled or late, it counts. */

import { randomBytes } from 'node:crypto'
import { WebSocket } from 'ws'
import { ReconnectingSocket, resumable } from '../../src/index'

export interface Honest {
  /** As an attacker may have seen it in its hello. */
  readonly victim: { readonly id: string; readonly key: string }
  /** The times that answers took since this was asked last, in ms, sorted. */
  latencies(): number[]
  /** Says no more, and waits for what is still to come. */
  stop(): Promise<HonestReport>
}

export interface HonestReport {
  readonly sent: number
  readonly lost: number
  readonly doubled: number
  readonly disordered: number
  /** Sessions that were lost, and connections that were closed. */
  readonly sessionsLost: number
  readonly closes: number
}

const PACE_MS = 10

/** @returns once it is connected */
export const startHonest = async (url: string): Promise<Honest> => {
  let victim = { id: '', key: '' }
  // Not even its own application knows the key: it is read off the wire, as a thief would
  class Tapped extends WebSocket {
    override send(data: never, ...rest: never[]): void {
      const [kind, hello] = String(data).startsWith('[0,') ? JSON.parse(String(data)) : []
      if (kind === 0) victim = { id: hello.id, key: hello.key }
      super.send(data, ...rest)
    }
  }
  const socket = new ReconnectingSocket<{ n: number }, { n: number }>(url, {
    WebSocket: Tapped as typeof WebSocket,
    session: resumable({ auth: 'honest' }),
    backoff: { baseMs: 20, maxMs: 100 },
  })
  const sentAt: number[] = []
  const answers: number[] = []
  let took: number[] = []
  let sessionsLost = 0
  let closes = 0
  socket.on('message', ({ n }) => {
    answers.push(n)
    took.push(performance.now() - (sentAt[n] ?? 0))
  })
  socket.on('sessionLost', () => sessionsLost++)
  socket.on('close', () => closes++)
  await socket.opened()

  const clock = setInterval(() => {
    const n = sentAt.push(performance.now()) - 1
    socket.send({ n })
  }, PACE_MS)

  return {
    get victim() {
      return victim.id ? victim : { id: 'none', key: randomBytes(16).toString('base64url') }
    },
    latencies() {
      const sorted = took.sort((a, b) => a - b)
      took = []
      return sorted
    },
    async stop() {
      clearInterval(clock)
      const closesBefore = closes
      const patience = Date.now() + 20_000
      while (new Set(answers).size < sentAt.length && Date.now() < patience)
        await new Promise(resolve => setTimeout(resolve, 10))
      await socket.close()
      const unique = new Set(answers)
      return {
        sent: sentAt.length,
        lost: sentAt.length - unique.size,
        doubled: answers.length - unique.size,
        disordered: answers.filter((n, at) => n < (answers[at - 1] ?? 0)).length,
        sessionsLost,
        closes: closesBefore,
      }
    },
  }
}
