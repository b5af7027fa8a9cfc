/** What a server keeps is bounded, whoever comes and whatever they do; and who has to go is told so. */

import { deepEqual, equal } from 'node:assert/strict'
import { createDuet, createServer, type Duet, type Server, type Tuning, type Wires } from './duet'
import { range, type Schedule, welcomed } from './schedules'
import type { Machine } from './stage'

const serverWith = (machine: Machine, limits: Tuning['limits']) =>
  createServer(machine, 'a', { now: 1_000 }, { ttlMs: 60_000, limits: limits ?? {} })

interface Visitor {
  readonly duet: Duet
  wires: Wires
  leave(): void
  back(): void
}

/** Somebody who comes, and may leave and come back. */
const visit = (machine: Machine, server: Server, id: string, principal = 'ada'): Visitor => {
  const duet = createDuet(machine, {}, server, id, principal)
  const visitor: Visitor = {
    duet,
    wires: duet.connect(),
    leave() {
      visitor.wires.leave()
      visitor.wires.end()
    },
    back() {
      visitor.wires = duet.connect()
      visitor.wires.flow()
    },
  }
  visitor.wires.flow()
  return visitor
}

const sendTo = (machine: Machine, server: Server, id: string, message: string, expiresAt = 0) => {
  const session = server.begun.filter(each => each.id === id).at(-1)
  const entry = new machine.Entry(undefined, message, message.length, undefined, expiresAt)
  return session && server.registry.send(session, entry, 1_000)
}

const reasons = ({ ended }: Server) => ended.map(({ sid, reason }) => `${sid} ${reason}`)

/** A hello by hand, and what its connection was closed with. */
const hello = (server: Server, id: string, epoch: number, key = 'key') => {
  const codes: number[] = []
  const connection = server.registry.connect({
    write() {},
    welcome() {},
    hasRoom: () => true,
    close(code) {
      codes.push(code)
      server.registry.closed(connection, code, 1_000)
    },
  })
  server.registry.hello(connection, { nonce: 'n', id, key, epoch, win: 9, max: 9 }, 'ada', 1_000)
  return codes
}

export const limitSchedules: { readonly [name: string]: Schedule } = {
  'one message that would never fit says nothing about how full it is'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.leave()
    wires.end()
    equal(sendTo(machine, duet.server, 'id', 'x'.repeat(1_000_001)), undefined)
    deepEqual(duet.server.ended, [])
    duet.connect().flow()
    equal(duet.server.begun.length, 1)
  },

  'bytes in flight are bounded; what was in flight is sent again nevertheless'(machine) {
    const { duet, wires } = welcomed(machine, { maxInFlightBytes: 4 })
    duet.server.send('large', 'x', 'y', 'z')
    deepEqual(wires.down, ['[2,1,0,large]'])
    wires.leave()
    wires.end()
    const next = duet.connect()
    const settle = () => {
      next.flow()
      duet.now += 250
      duet.client.session.tick(duet.now)
    }
    for (let n = 0; n < 4; n++) settle()
    deepEqual([duet.got, duet.lost], [['large', 'x', 'y', 'z'], []])
  },

  'one principal has so many sessions: the first of its own that left has to go, and is told'(machine) {
    const server = serverWith(machine, { sessionsPerPrincipal: 2 })
    const other = visit(machine, server, 'other', 'bob')
    other.leave()
    const [first, second] = [visit(machine, server, 'first'), visit(machine, server, 'second')]
    first.leave()
    second.leave()
    first.back()
    first.leave()
    const third = visit(machine, server, 'third')
    deepEqual(reasons(server), ['a3 evicted'])
    second.back()
    deepEqual(reasons(server), ['a3 evicted', 'a2 evicted'])
    deepEqual(
      second.duet.lost.map(({ reason }) => reason),
      ['evicted'],
    )
    first.back()
    deepEqual([first.wires.codes, server.crowded], [[4429], ['principal']])
    deepEqual([third.wires.codes, second.wires.codes], [[], []])
    other.back()
    deepEqual(other.duet.lost, [])
  },

  'there are so many sessions at all: the first that left has to go, whosever it is'(machine) {
    const server = serverWith(machine, { sessions: 2 })
    const [ada, bob] = [visit(machine, server, '1', 'ada'), visit(machine, server, '2', 'bob')]
    bob.leave()
    ada.leave()
    const eve = visit(machine, server, '3', 'eve')
    deepEqual(reasons(server), ['a2 evicted'])
    ada.back()
    bob.back()
    deepEqual([bob.wires.codes, server.crowded], [[4429], ['server']])
    eve.leave()
    bob.back()
    deepEqual(reasons(server), ['a2 evicted', 'a3 evicted'])
  },

  'who resumes needs no place, and what ended leaves one'(machine) {
    const server = serverWith(machine, { sessions: 1, sessionsPerPrincipal: 1 })
    const ada = visit(machine, server, 'ada')
    ada.wires.leave()
    ada.back()
    ada.leave()
    ada.back()
    deepEqual([server.ended, server.crowded, ada.duet.lost], [[], [], []])
    ada.wires.leave(1000)
    ada.wires.end(1000)
    visit(machine, server, 'another')
    deepEqual([reasons(server), server.crowded], [['a1 closed'], []])
  },

  "who is refused takes nobody's place, and nobody's session"(machine) {
    const server = serverWith(machine, { sessions: 2 })
    const gone = visit(machine, server, 'gone')
    gone.wires.leave(1000)
    gone.wires.end(1000)
    visit(machine, server, 'one').leave()
    visit(machine, server, 'two').leave()
    deepEqual(hello(server, 'gone', 1), [4409])
    deepEqual(hello(server, 'gone', 9, 'guessed'), [4403])
    deepEqual(reasons(server), ['a1 closed'])
    deepEqual(hello(server, 'gone', 9), [])
    deepEqual(reasons(server), ['a1 closed', 'a2 evicted'])
  },

  'who is refused because it is full begins nothing'(machine) {
    const server = serverWith(machine, { sessions: 1 })
    const ada = visit(machine, server, 'ada')
    deepEqual(hello(server, 'bob', 1), [4429])
    equal(server.begun.length, 1)
    ada.duet.send('still here')
    ada.wires.flow()
    deepEqual(server.got, ['still here'])
  },

  'what is kept for those who are away is bounded in all: the first that keeps anything has to go'(machine) {
    const server = serverWith(machine, { detachedBytes: 10 })
    const [one, idle, two] = range(3, 'v').map(id => visit(machine, server, id))
    // In flight, and kept for that
    sendTo(machine, server, 'v1', 'six...')
    one?.leave()
    idle?.leave()
    two?.leave()
    sendTo(machine, server, 'v3', 'four')
    deepEqual(server.ended, [])
    sendTo(machine, server, 'v3', '.')
    deepEqual(reasons(server), ['a1 evicted'])
    two?.back()
    deepEqual(two?.duet.got, ['four', '.'])
    // What is in flight to who is there is bounded otherwise
    sendTo(machine, server, 'v3', 'eleven.....')
    deepEqual(reasons(server), ['a1 evicted'])
    two?.leave()
    deepEqual(reasons(server), ['a1 evicted', 'a3 evicted'])
  },

  'what has expired counts against nobody'(machine) {
    const server = serverWith(machine, { detachedBytes: 10 })
    const [one, two] = range(2, 'v').map(id => visit(machine, server, id))
    one?.leave()
    two?.leave()
    sendTo(machine, server, 'v1', 'six...', 1_100)
    server.begun[0]?.outbox.sweep(1_100)
    sendTo(machine, server, 'v2', 'six...')
    deepEqual(server.ended, [])
  },

  'the tombs of a client are few, and the last of them are kept'(machine) {
    const store = machine.createStore({ tombs: 2 })
    const take = (epoch: number, sid?: string) => {
      const lease = { id: 'id', key: 'key', principal: 'ada', node: 'n', newSid: `s${epoch}` }
      const taken = store.take({ ...lease, epoch, sid, ack: 0 }, 1_000)
      if (typeof taken === 'string') throw new Error(taken)
      store.touch(taken.lease)
      return taken
    }
    for (let epoch = 1; epoch <= 3; epoch++) store.end(take(epoch).lease, 'bye', 1_000)
    equal(take(4, 's2').lost?.reason, 'bye')
    equal(take(5, 's1').lost?.reason, 'unknown')
  },

  'of clients without a session so many are known, of one principal and of all; those with one stay'(
    machine,
  ) {
    const store = machine.createStore({ deadPerPrincipal: 2, dead: 3 })
    const take = (id: string, principal: string, epoch: number, sid?: string) => {
      const taken = store.take(
        { id, key: 'key', principal, epoch, sid, ack: 0, node: 'n', newSid: `${id}${epoch}` },
        1_000,
      )
      if (typeof taken === 'string') throw new Error(taken)
      return taken
    }
    const die = (id: string, principal = 'ada') => store.end(take(id, principal, 1).lease, 'bye', 1_000)
    const known = (id: string, principal = 'ada') => {
      const { lost, lease } = take(id, principal, 2, `${id}1`)
      store.end(lease, 'asked', 1_000)
      return lost?.reason === 'bye'
    }
    die('bob', 'bob')
    die('1')
    const { lease } = take('1', 'ada', 2)
    for (const id of ['2', '3', '4']) die(id)
    deepEqual([store.touch(lease), known('2'), known('4')], [true, false, true])
    const others = machine.createStore({ deadPerPrincipal: 9, dead: 1 })
    const begin = (id: string) =>
      others.take({ id, key: 'k', principal: id, epoch: 1, node: 'n', newSid: id }, 1_000)
    for (const id of ['x', 'y']) {
      const taken = begin(id)
      if (typeof taken !== 'string') others.end(taken.lease, 'bye', 1_000)
    }
    deepEqual([typeof begin('x'), begin('y')], ['object', 'stale'])
  },
}
