/** Simulates sessions in rude networks, seed after seed: `npm run soak -- --seeds 100000 --from 1`, or `-- --seed 7`. */

import { parseArgs } from 'node:util'
import * as machine from '../test/support/machine'
import { simulate } from '../test/support/simulation'

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' } },
})
const from = Number(values.seed ?? values.from ?? 1)
const count = values.seed ? 1 : Number(values.seeds ?? 10_000)

const started = performance.now()
const totals = { connections: 0, messages: 0, sessions: 0 }
let failures = 0
for (let seed = from; seed < from + count; seed++) {
  const { violation, peer, ...counts } = simulate(machine, seed)
  for (const name of ['connections', 'messages', 'sessions'] as const) totals[name] += counts[name]
  if (values.seed) console.log({ peer, ...counts })
  if (!violation) continue
  failures++
  console.error(`${peer}: ${violation}\n  npm run soak -- --seed ${seed}`)
  if (failures >= 10) break
}
const seconds = (performance.now() - started) / 1_000
const { connections, messages, sessions } = totals
console.log(
  `${count} seeds, ${Math.round(count / seconds)} per second: ${connections} connections, ${messages} messages, ${sessions} sessions; ${failures} failures`,
)
if (failures) process.exitCode = 1
