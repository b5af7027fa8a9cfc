/**
 * One client and its peer (a server, two nodes over one store, or an echo) in a rude network, from a seed. First chaos,
 * then calm: and then everything must have arrived, or have been reported.
 */

import { createLaws } from './laws'
import { createPipe, createTime, type Manners, type Pipe } from './network'
import { type Random, random as randomOf } from './random'
import { createSimClient } from './sim-client'
import { createSimServer, type SimServer } from './sim-server'
import type { Machine, Scenario } from './stage'

export const PEERS = ['server', 'server', 'nodes', 'echo', 'flipping echo', 'greeting echo'] as const

export interface Outcome {
  readonly violation: string | undefined
  readonly peer: (typeof PEERS)[number]
  /** How often something interesting happened. */
  readonly connections: number
  readonly messages: number
  readonly sessions: number
}

const CHAOS_MS = 40_000
const CALM_MS = 200_000

/** @param also more chance, so that a seed goes on to mean what it meant before there was more to choose */
const scenarioOf = ({ pick }: Random, also: Random): Scenario => ({
  win: { client: pick([1, 4, 8, 32]), server: pick([1, 4, 8, 32]) },
  ttlMs: pick([300, 3_000, 120_000, 120_000]),
  slow: { client: pick([0, 0, 100, 3_000]), server: pick([0, 0, 100, 3_000]) },
  authMs: pick([0, 0, 100]),
  resend: pick(['report', 'certain', 'all']),
  maxInFlightBytes: also.pick([Infinity, Infinity, Infinity, 40, 1]),
  detachedBytes: also.pick([Infinity, Infinity, Infinity, 200]),
})

const mannersOf = ({ pick }: Random): Manners => ({
  latencyMs: pick([0, 5, 100, 1_000]),
  cut: pick([0, 0.01, 0.05, 0.2]),
  lifetime: pick([Infinity, Infinity, Infinity, 12]),
  silence: pick([0, 0.3]),
})

const POLITE: Manners = { latencyMs: 20, cut: 0, lifetime: Infinity, silence: 0 }

const flip = (data: string | Uint8Array<ArrayBuffer>) =>
  typeof data === 'string' ? new TextEncoder().encode(data) : data

export const simulate = (machine: Machine, seed: number): Outcome => {
  const random = randomOf(seed)
  const { below, chance, pick } = random
  const time = createTime()
  const laws = createLaws()
  const peer = pick(PEERS)
  const isEcho = peer.endsWith('echo')
  const stage = { machine, time, random, laws, scenario: scenarioOf(random, randomOf(~seed)) }
  const rude = mannersOf(random)
  const pipes: Pipe[] = []
  let manners = rude
  let messages = 0
  let started = 0

  const echo = (pipe: Pipe) => {
    if (peer === 'greeting echo') pipe.send('server', 'Request served by nobody')
    pipe.hear('server', {
      message: data => pipe.send('server', peer === 'flipping echo' ? flip(data) : data),
      closed() {},
    })
  }

  let store = machine.createStore()
  const nodes: SimServer[] = []
  const start = (name: string) => createSimServer(stage, name, store)
  if (!isEcho) nodes.push(start('node'))
  if (peer === 'nodes') nodes.push(start('another'))

  const connect = () => {
    const pipe = createPipe(pipes.length, time, random, () => manners)
    pipes.push(pipe)
    if (isEcho) echo(pipe)
    else pick(nodes).accept(pipe)
    return pipe
  }
  const client = createSimClient(stage, connect, isEcho)

  const chaos = () => {
    const what = below(20)
    if (what < 10) for (let n = 1 + below(4); n > 0; n--) client.send(`up ${messages++}`)
    else if (what < 17 && nodes.length)
      for (let n = 1 + below(4); n > 0; n--) pick(nodes).send(`down ${messages++}`)
    else if (what < 19) client.drop()
    else if (chance(0.1) && nodes.length) {
      const at = below(nodes.length)
      nodes[at]?.crash()
      // A node that is alone takes what it knows with it
      if (nodes.length === 1) store = machine.createStore()
      nodes[at] = start(`node${++started}`)
    }
    if (time.now < CHAOS_MS) time.after(below(pick([20, 200, 2_000])), chaos)
  }
  chaos()

  const run = (until: number) => {
    while (!laws.violation && time.step(until));
  }
  try {
    run(CHAOS_MS)
    manners = POLITE
    client.calm()
    for (const node of nodes) node.calm()
    run(CHAOS_MS + CALM_MS)
    if (!laws.violation) {
      laws.final(client.client.sid)
      const live = nodes.flatMap(({ sessions }) => [...sessions])
      const owners = live.filter(({ connection }) => connection)
      if (!isEcho && owners.length !== 1) laws.breach(`L3 there is one live session, not ${owners.length}`)
      if (!client.isLive) laws.breach('L1 in calm there is a connection')
    }
  } catch (error) {
    laws.breach(`nothing throws: ${error instanceof Error ? error.stack : error}`)
  }
  return {
    violation: laws.violation,
    peer,
    connections: pipes.length,
    messages,
    sessions: laws.nextSid() - 1,
  }
}
