/**
 * Attacks a server of sessions in every way that we know, while an honest client is at work on it: `npm run attack`, or
 * `npm run attack -- --scale 0.1`. It fails if the honest client lost anything, or the server's heap grew.
 */

import { parseArgs } from 'node:util'
import { runAttacks, type Wave } from '../test/support/attack-run'

const { values } = parseArgs({ options: { scale: { type: 'string' } } })
const scale = Number(values.scale ?? 1)
/** That a heap may have grown by, after all is over, in bytes: code that was compiled, and records of the dead. */
const MOST_GROWTH = 8_000_000

const ms = (value: number) => value.toFixed(1).padStart(8)
let quiet: Wave | undefined

console.log(`An honest client sends a message each 10 ms and waits for its answer; Node ${process.version}, scale ${scale}.
latency in ms; heap in MB after a collection, when the attack is over

attack                 took s   median   worst    heap  growth   what became of the attackers`)

const { waves, honest } = await runAttacks(scale, 5_000, 4_000, wave => {
  const { name, toll, heap } = wave
  quiet ??= wave
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1).padStart(7)
  const fates = Object.entries(toll).map(([what, count]) => `${what}: ${count}`)
  console.log(
    [
      name.padEnd(22),
      (wave.ms / 1_000).toFixed(1).padStart(6),
      ` ${ms(wave.medianMs)}${ms(wave.worstMs)} ${mb(heap)} ${mb(heap - quiet.heap)}   `,
      fates.join(', '),
    ].join(''),
  )
})

const last = waves.at(-1)
if (last && quiet) {
  const { refused, limited, evicted, begun, ended, sessions, connections } = last.stats
  console.log(`
server: ${JSON.stringify({ refused, limited, evicted, begun, ended, sessions, connections })}
honest: ${JSON.stringify(honest)}`)
  const growth = last.heap - quiet.heap
  const isDisturbed = Object.values({ ...honest, sent: 0 }).some(count => count > 0)
  if (isDisturbed) console.error('THE HONEST CLIENT WAS DISTURBED')
  if (growth > MOST_GROWTH) console.error(`THE HEAP GREW BY ${growth} BYTES`)
  if (isDisturbed || growth > MOST_GROWTH) process.exitCode = 1
}
