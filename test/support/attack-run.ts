/** All attacks on one server, one after the other, while an honest client is at work on it. Three processes. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ServerStats } from '../../src/server'
import { attacks, type Toll } from './attacks'
import { type HonestReport, startHonest } from './honest'

export interface Wave {
  /** Of the attack; the first is `nobody`. */
  readonly name: string
  readonly toll: Toll
  readonly ms: number
  /** Of the honest client meanwhile, in ms. */
  readonly medianMs: number
  readonly worstMs: number
  /** Of the server, once all is over, after a collection. */
  readonly heap: number
  readonly stats: ServerStats
}

export interface AttackRun {
  readonly waves: readonly Wave[]
  readonly honest: HonestReport
}

const start = (name: string, ...args: readonly string[]) =>
  fork(fileURLToPath(new URL(name, import.meta.url)), args, { execArgv: ['--import', 'tsx'] })

const answer = async <T>(child: ChildProcess, question?: object): Promise<T> => {
  const over = new AbortController()
  const died = once(child, 'exit', over).then(([code]) => {
    throw new Error(`a process ended with ${code}`)
  })
  const answered = once(child, 'message', over)
  if (question) child.send(question)
  try {
    return ((await Promise.race([answered, died])) as [T])[0]
  } finally {
    died.catch(() => {})
    over.abort()
  }
}

/** What eve left behind expires: then the heap is what stays. */
const settled = async (server: ChildProcess) => {
  for (let patience = 100; ; patience--) {
    const now = await answer<{ stats: ServerStats; heap: number }>(server, {})
    if ((now.stats.connections <= 1 && now.stats.sessions <= 1) || !patience) return now
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

/**
 * @param quietMs for how long nobody attacks, at first
 * @param patienceMs of the server: to hear a hello, and to keep a session
 * @param told of each wave as it ends
 */
export const runAttacks = async (
  scale: number,
  quietMs: number,
  patienceMs: number,
  told: (wave: Wave) => void = () => {},
): Promise<AttackRun> => {
  const [server, attacker] = [start('attacked.ts', `${patienceMs}`), start('attacker.ts')]
  try {
    const { port } = await answer<{ port: number }>(server)
    const url = `ws://127.0.0.1:${port}`
    const honest = await startHonest(url)
    const waves: Wave[] = []

    const wave = async (name: string, attack: () => Promise<Toll>) => {
      honest.latencies()
      const begun = performance.now()
      const toll = await attack()
      const ms = performance.now() - begun
      const latencies = honest.latencies()
      const { stats, heap } = await settled(server)
      const medianMs = latencies[latencies.length >> 1] ?? NaN
      const worstMs = latencies.at(-1) ?? NaN
      const one = { name, toll, ms, medianMs, worstMs, heap, stats }
      waves.push(one)
      told(one)
    }

    await wave('nobody', async () => {
      await new Promise(resolve => setTimeout(resolve, quietMs))
      return {}
    })
    for (const name of Object.keys(attacks))
      await wave(name, async () => {
        const target = { url, port, victim: honest.victim }
        return (await answer<{ toll: Toll }>(attacker, { name, target, scale })).toll
      })
    return { waves, honest: await honest.stop() }
  } finally {
    for (const child of [server, attacker]) child.kill('SIGKILL')
  }
}
