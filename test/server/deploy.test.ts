/**
 * A deployment: the servers are replaced one after the other, while clients go on. Each server knows only its own
 * sessions, so a client that moves has lost one; but nothing that was acknowledged, and nothing without being told.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ReconnectingSocket, resumable, type SocketError } from '../../src/index'
import { startBalancer } from '../support/balancer'
import { until as reaches } from '../support/events'
import { cleanup, until } from './rig'

const CLIENTS = 8

interface Node {
  readonly port: number
  readonly process: ChildProcess
}

/** All that a client sent, and what it was told of it. */
interface Sent {
  readonly client: number
  readonly n: number
  fate?: 'acknowledged' | SocketError['code']
  certain?: boolean
}

const deploy = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'))
  cleanup(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'consumed')
  const balancer = await startBalancer()
  cleanup(() => balancer.close())

  const start = async (): Promise<Node> => {
    const program = fileURLToPath(new URL('../support/counter-process.mjs', import.meta.url))
    const process = fork(program, [file])
    cleanup(() => process.kill('SIGKILL'))
    const [port] = (await once(process, 'message')) as [number]
    balancer.add(port)
    return { port, process }
  }

  return {
    balancer,
    start,
    consumed: () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as Sent),
  }
}

test.each([
  ['SIGTERM, and drain', 'SIGTERM', 0],
  ['SIGKILL, as in a crash', 'SIGKILL', null],
] as const)(
  'two servers are replaced one by one by %s: what was acknowledged was consumed, once, and the rest is told',
  async (_, signal, exitCode) => {
    const { balancer, start, consumed } = await deploy()
    const nodes = [await start(), await start()]
    const sent: Sent[] = []
    const lost: string[] = []
    let [acknowledged, disorder] = [0, 0]

    const clients = Array.from({ length: CLIENTS }, (_, client) => {
      const socket = new ReconnectingSocket<Sent, Sent>(`${balancer.url}/?rs=client-${client}`, {
        WebSocket,
        session: resumable(),
        backoff: { baseMs: 20, maxMs: 100 },
        closeTimeoutMs: 200,
      })
      cleanup(() => socket.close())
      let heard = -1
      // The answers of one server come in order; what it had not sent when it went is lost
      socket.on('message', ({ n }) => {
        if (n <= heard) disorder++
        heard = n
      })
      socket.on('sessionLost', ({ reason, undelivered }) => {
        lost.push(reason)
        for (const { message, certain } of undelivered) {
          const known = sent.find(({ client, n }) => client === message.client && n === message.n)
          if (known) known.certain = certain
        }
      })
      return socket
    })
    await Promise.all(clients.map(socket => reaches(socket, 'open')))

    const talk = setInterval(() => {
      for (const [client, socket] of clients.entries()) {
        const said: Sent = { client, n: sent.length }
        sent.push(said)
        socket.deliver({ ...said }).then(
          () => {
            said.fate = 'acknowledged'
            acknowledged++
          },
          (error: SocketError) => {
            said.fate = error.code
          },
        )
      }
    }, 2)
    cleanup(() => clearInterval(talk))

    const goesOn = async () => {
      const from = acknowledged
      await until(() => acknowledged >= from + 400)
    }

    await goesOn()
    for (const { port, process } of nodes) {
      // The successor first, so that there is always a server
      await start()
      balancer.remove(port)
      const exit = once(process, 'exit')
      process.kill(signal)
      expect((await exit)[0]).toBe(exitCode)
      await goesOn()
    }
    clearInterval(talk)
    await until(() => sent.every(({ fate }) => fate !== undefined))

    const [name, names] = [
      ({ client, n }: Sent) => `${client} ${n}`,
      consumed().map(({ client, n }) => `${client} ${n}`),
    ]
    const times = new Map<string, number>()
    for (const each of names) times.set(each, (times.get(each) ?? 0) + 1)
    const fates = new Set(sent.map(({ fate }) => fate))

    expect(sent.filter(each => each.fate === 'acknowledged' && times.get(name(each)) !== 1)).toEqual([])
    expect(
      sent.filter(each => each.fate !== 'acknowledged' && each.certain && times.has(name(each))),
    ).toEqual([])
    expect(names.filter((each, n) => names.indexOf(each) !== n)).toEqual([])
    for (const client of clients.keys()) {
      const order = consumed().filter(each => each.client === client)
      expect(order.map(({ n }) => n)).toEqual(order.map(({ n }) => n).sort((a, b) => a - b))
    }
    expect(disorder).toBe(0)
    // Each was on one of the two, at least once
    expect(lost.length).toBeGreaterThanOrEqual(CLIENTS)
    expect([...fates].filter(fate => fate !== 'acknowledged' && fate !== 'session-lost')).toEqual([])
    expect(clients.map(({ state }) => state.name)).toEqual(clients.map(() => 'open'))
    // Whoever drains answers for all that it consumed
    const unsure = sent.filter(each => each.fate !== 'acknowledged' && times.has(name(each)))
    if (signal === 'SIGTERM') expect(unsure).toEqual([])
  },
)
