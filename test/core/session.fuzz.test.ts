/** Whatever frames come, neither half throws, grows, or accepts what cannot be. `FRAMES=1000000` for more of them. */

import { expect, test } from 'vitest'
import { createDuet, type Duet, type Wires } from '../support/duet'
import { garbage, mutated, wellFormed } from '../support/frames'
import * as machine from '../support/machine'
import { type Random, random } from '../support/random'

const FRAMES = Number(process.env.FRAMES ?? 20_000)
const WIN = 16

/** Half of them are of this session, or nearly so: what is far off is refused at once, and would test no more than that. */
function frame(chance: Random, { session }: { readonly session: { readonly received: number } }) {
  const { below, pick } = chance
  const near = (n: number) => Math.max(0, n + below(5) - 2)
  return pick([
    () => `[2,${near(session.received + 1)},${below(8)},"${below(100)}"]`,
    () => `[3,${below(8)}]`,
    () => pick(['[4]', '[5]', '[6,"x"]', '[99]']),
    () => mutated(chance),
    () => wellFormed(chance),
    () => garbage(chance),
  ])()
}

/** Plain comparisons: an `expect` for each would take longer than the rest. */
function impossible({ client: { session }, outbox, server, waiting }: Duet): string[] {
  const halves = [
    [session, outbox],
    ...server.begun.slice(-1).map(({ half, outbox }) => [half, outbox] as const),
  ] as const
  const laws = halves.flatMap(([half, log]): [string, boolean][] => [
    ['acknowledged before sent', log.acked.seq > log.sent.seq],
    ['sent before numbered', log.sent.seq > log.numbered.seq],
    ['consumed before received', half.done > half.received],
    ['beyond the window', half.received - half.done > WIN],
    ['a queue without end', log.messages > 300],
  ])
  return [...laws, ['more delivered than accepted', waiting.length > 2 * WIN] as const].flatMap(
    ([law, isBroken]) => (isBroken ? law : []),
  )
}

test.each(['client', 'server'] as const)(
  `${FRAMES} frames at the %s: no throw, no growth, nothing impossible`,
  target => {
    const chance = random(target.length)
    let duet: Duet | undefined
    let wires: Wires | undefined
    let sessions = 0
    let breaks = 0
    for (let n = 0; n < FRAMES; n++) {
      if (!duet || !wires) {
        duet = createDuet(machine, { win: { client: WIN, server: WIN } }, undefined, `id ${sessions++}`)
        wires = duet.connect()
        wires.flow()
        duet.send('a', 'b')
        duet.server.send('c')
        wires.flow()
      }
      // Now and then nobody consumes
      duet.isEager = duet.server.isEager = chance.chance(0.9)
      if (duet.isEager) {
        for (const consume of duet.waiting.splice(0)) consume()
        for (const consume of duet.server.waiting.splice(0)) consume()
      }
      const data = frame(
        chance,
        target === 'client'
          ? duet.client
          : { session: duet.server.begun.at(-1)?.half ?? duet.client.session },
      )
      if (target === 'client') wires.down.push(data)
      else wires.up.push(data)
      wires.flow()
      const broken = impossible(duet)
      if (broken.length) expect(broken).toEqual([])
      const isBroken = duet.closed.splice(0).at(-1) ?? wires.codes.at(-1)
      if (isBroken === undefined && chance.chance(0.99)) continue
      if (isBroken !== undefined) breaks++
      const verdict = wires.leave(isBroken ?? 1006)
      wires.end(isBroken ?? 1006)
      // What was blamed three times without a message between begins anew
      if (verdict === false || duet.said.includes('unsupported')) duet = undefined
      else {
        wires = duet.connect()
        wires.flow()
        duet.send('more')
        wires.flow()
      }
      duet?.said.splice(0)
      duet?.got.splice(0)
    }
    expect(breaks).toBeGreaterThan(FRAMES / 100)
  },
  600_000,
)
