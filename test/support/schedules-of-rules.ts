/** The last adversarial schedules, of echoes and of those who do not speak the protocol; and rules one by one. */

import { deepEqual, equal, ok } from 'node:assert/strict'
import { createDuet, createServer, type Wires } from './duet'
import type { Wire } from './network'
import { range, type Schedule, welcomed } from './schedules'

/** Answers what came, in its way. */
const echo = ({ up, down, letDown }: Wires, answer: (data: Wire) => Wire = data => data) => {
  while (up.length) {
    down.push(...up.splice(0).map(answer))
    letDown()
  }
}

const flip = (data: Wire): Wire => (typeof data === 'string' ? new TextEncoder().encode(data) : data)

export const ruleSchedules: { readonly [name: string]: Schedule } = {
  '12a. an echo, verbatim or flipped, greeting or not, is a peer'(machine) {
    for (const answer of [(data: Wire) => data, flip]) {
      const duet = createDuet(machine)
      duet.send('a', 'b')
      const wires = duet.connect()
      wires.down.push('Request served by nobody')
      wires.letDown()
      echo(wires, answer)
      duet.send('c')
      duet.client.session.ping()
      echo(wires, answer)
      deepEqual(duet.said, ['preamble', 'welcomed', 'pong'])
      wires.down.push('[4]')
      wires.letDown()
      deepEqual(wires.up, [], 'our own ping is the pong')
      duet.client.session.tick(duet.now + 250)
      echo(wires, answer)
      deepEqual(
        [duet.got, duet.settled],
        [
          ['a', 'b', 'c'],
          ['a', 'b', 'c'],
        ],
      )
    }
  },

  '12b. an echo resumes by our own word'(machine) {
    const duet = createDuet(machine)
    const wires = duet.connect()
    echo(wires)
    duet.isEager = false
    duet.send('a', 'b', 'c', 'd')
    wires.down.push(...wires.up.splice(0, 3))
    wires.letDown()
    duet.waiting.shift()?.()
    wires.leave()
    const next = duet.connect()
    duet.isEager = true
    for (const consume of duet.waiting.splice(0)) consume()
    echo(next)
    deepEqual([duet.got, duet.lost, duet.said], [['a', 'b', 'c', 'd'], [], ['welcomed', 'resumed']])
    duet.client.session.flush()
    echo(next)
    deepEqual(duet.settled, ['a', 'b', 'c', 'd'])
  },

  '12c. who tells us of others is no echo, at first or later'(machine) {
    const hello = machine.writeFrame({
      kind: 'hello',
      hello: { v: 1, id: 'other', key: 'k', nonce: 'other', epoch: 1, win: 9, max: 9 },
    })
    const early = createDuet(machine)
    const wires = early.connect()
    wires.down.push(hello)
    wires.letDown()
    deepEqual(early.said, ['unsupported'])
    const late = createDuet(machine)
    const open = late.connect()
    echo(open)
    open.down.push(hello)
    open.letDown()
    deepEqual(late.said, ['welcomed', 'unsupported'])
    const mixed = createDuet(machine)
    const other = mixed.connect()
    echo(other)
    other.down.push('[2,1,0,"not ours"]')
    other.letDown()
    deepEqual([mixed.got, mixed.closed], [[], [4400]])
  },

  '12d. nobody who speaks the protocol: too much small talk, or three times silence'(machine) {
    const duet = createDuet(machine)
    const wires = duet.connect()
    for (let n = 0; n < 8; n++) wires.down.push(`news ${n}`)
    wires.letDown()
    ok(!duet.said.includes('unsupported'))
    wires.down.push('more news')
    wires.letDown()
    ok(duet.said.includes('unsupported'))
    const silent = createDuet(machine)
    const verdicts = range(4, '').map(() => silent.connect().leave(1006, true))
    deepEqual(verdicts.slice(0, 3), [undefined, undefined, false])
    const patient = createDuet(machine)
    const twice = () => [1, 2].map(() => patient.connect().leave(1006, true))
    twice()
    patient.connect().flow()
    deepEqual(twice(), [undefined, undefined], 'a welcome makes good')
    const hung = createDuet(machine)
    deepEqual(
      range(4, '').map(() => hung.connect().leave(1006)),
      [undefined, undefined, undefined, undefined],
      'a connection that is lost proves nothing',
    )
  },

  '12e. from a server to an echo and back: each time the session is lost'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.send('a')
    duet.server.send('x')
    wires.flow()
    duet.send('b')
    wires.leave()
    const loop = duet.connect()
    echo(loop)
    duet.send('c')
    echo(loop)
    loop.leave()
    duet.connect().flow()
    deepEqual(
      duet.lost.map(({ reason, maybe }) => [reason, maybe]),
      [
        ['unknown', ['a', 'b']],
        ['unknown', ['c']],
      ],
    )
  },

  'close codes: what is final, what is not'(machine) {
    const verdict = (...codes: number[]) => {
      const duet = createDuet(machine)
      return codes.map(code => duet.connect().leave(code)).at(-1)
    }
    for (const code of [1000, 4403, 4409, 4410, 4426]) equal(verdict(code), false, `${code}`)
    for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 4400, 4408, 4413, 4429, 4503])
      equal(verdict(code), undefined, `${code}`)
    equal(verdict(4401), 0, 'at once, with fresh credentials')
    equal(verdict(4401, 4401), false)
    const { duet, wires } = welcomed(machine)
    duet.send('a')
    equal(wires.leave(4410), false)
    deepEqual(duet.lost, [{ reason: 'gone', certain: [], maybe: ['a'], received: 0 }])
    const stopped = welcomed(machine)
    stopped.duet.send('a')
    stopped.wires.letUp()
    stopped.wires.leave(1000)
    stopped.duet.send('b')
    deepEqual(
      stopped.duet.client.end().map(({ message, certain }) => [message, certain]),
      [
        ['a', false],
        ['b', true],
      ],
    )
    stopped.duet.send('c')
    stopped.duet.connect().flow()
    deepEqual([stopped.duet.server.got, stopped.duet.server.begun.length], [['a', 'c'], 2], 'and begins anew')
  },

  'another version is said so, both ways'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.leave()
    const next = duet.connect()
    next.up.splice(0, 1, '[0,{"v":2}]')
    next.letUp()
    deepEqual(next.codes, [4426])
    next.down.push('[1,{"v":2}]')
    next.letDown()
    deepEqual(duet.closed, [4426])
  },

  'who speaks before hello, or says it twice, is not heard'(machine) {
    const duet = createDuet(machine)
    const wires = duet.connect()
    const [hello = ''] = wires.up
    wires.up.unshift('[2,1,0,"a"]')
    wires.letUp(1)
    deepEqual(wires.codes, [4400])
    const next = duet.connect()
    next.up.push(hello)
    next.letUp()
    deepEqual([next.codes, duet.server.got], [[4400], []])
  },

  'a welcome to another hello is not for us'(machine) {
    const duet = createDuet(machine)
    const wires = duet.connect()
    wires.down.push('[1,{"v":1,"nonce":"old","sid":"s","ack":0,"win":1,"max":1,"ttl":1,"hb":1}]')
    wires.letDown()
    deepEqual([duet.client.sid, duet.said], [undefined, []])
    wires.flow()
    equal(duet.client.sid, 'a1')
  },

  'acks: after 8 at first, later after more, at most 128 or half of the window, or 64 kB'(machine) {
    const acks = (count: number, win: number, size = 1) => {
      const { duet, wires } = welcomed(machine, { win: { client: win } })
      const seen: number[] = []
      for (let n = 1; n <= count; n++) {
        const before = wires.up.length
        duet.client.receive({ kind: 'msg', seq: n, ack: 0, data: 'x'.repeat(size) }, duet.now)
        if (wires.up.length > before) seen.push(n)
      }
      return seen
    }
    deepEqual(acks(515, 256), [8, 20, 38, 65, 106, 167, 259, 387, 515])
    deepEqual(acks(515, 1_024), [8, 20, 38, 65, 106, 167, 259, 387, 515])
    deepEqual(acks(78, 40), [8, 20, 38, 58, 78])
    deepEqual(acks(4, 3), [2, 4])
    deepEqual(acks(3, 2), [1, 2, 3])
    deepEqual(acks(5, 256, 40_000), [2, 4])
  },

  'each connection begins with small acks'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.server.send(...range(100, 'x'))
    wires.flow()
    wires.leave()
    const next = duet.connect()
    next.flow()
    duet.server.send(...range(8, 'y'))
    next.letDown()
    deepEqual(next.up, ['[3,108]'])
  },

  'what may be in flight grows with each ack, up to the window, and old acks take nothing from it'(machine) {
    const { duet, wires } = welcomed(machine, { win: { server: 60 } })
    duet.send(...range(200, 'a'))
    equal(wires.up.length, 16)
    wires.down.push('[3,10]')
    wires.letDown()
    equal(wires.up.length, 10 + 26)
    wires.down.push('[3,36]', '[3,1]', '[3,36]')
    wires.letDown()
    equal(wires.up.length, 36 + 52)
    wires.down.push('[3,88]')
    wires.letDown()
    equal(wires.up.length, 88 + 60)
  },

  'who sends beyond the window is stopped'(machine) {
    const { duet, wires } = welcomed(machine, { win: { client: 2 } })
    duet.isEager = false
    wires.down.push('[2,1,0,x]', '[2,2,0,x]')
    wires.letDown()
    deepEqual(duet.closed, [])
    wires.down.push('[2,3,0,x]')
    wires.letDown()
    deepEqual(duet.closed, [4400])
  },

  'nobody makes us keep more than a thousand messages'(machine) {
    const { duet, wires } = welcomed(machine, { win: { server: 1e9 } })
    for (let n = 0; n < 10; n++) {
      duet.send(...range(290, 'a'))
      wires.flow()
    }
    for (let n = 0; n < 5; n++) duet.send(...range(250, 'b'))
    equal(duet.outbox.numbered.seq - duet.outbox.acked.seq, 1_024)
  },

  'a connection that ends while it is authenticated takes nothing over'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.leave()
    const next = duet.connect()
    next.end()
    next.letUp()
    equal(duet.server.begun[0]?.connection, wires.connection)
  },

  'tombstones are kept for ten minutes'(machine) {
    for (const minutes of [9, 11]) {
      const { duet, wires } = welcomed(machine)
      duet.send('a')
      wires.letUp()
      wires.leave(1001)
      wires.end(1000)
      duet.now += minutes * 60_000
      duet.connect().flow()
      deepEqual(
        duet.lost.map(({ reason, maybe }) => [reason, maybe]),
        [minutes < 10 ? ['closed', []] : ['unknown', ['a']]],
      )
    }
  },

  'a transport that has no room is given nothing but acks'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.isFull = true
    duet.send('a')
    duet.server.send(...range(8, 'x'))
    wires.letDown()
    deepEqual(wires.up, ['[3,8]'])
    duet.isFull = false
    duet.client.session.pump(duet.now)
    deepEqual(wires.up, ['[3,8]', '[2,1,8,a]'])
  },

  'after the end of its connection a session neither hears nor speaks'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.leave()
    duet.client.receive({ kind: 'msg', seq: 1, ack: 0, data: 'x' }, duet.now)
    duet.client.receive('not a frame', duet.now)
    duet.send('a')
    deepEqual([duet.got, duet.closed, duet.outbox.numbered.seq], [[], [], 0])
  },

  'a second welcome is a bad frame'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.down.push('[1,{"v":1,"nonce":"n","sid":"s","ack":0,"win":1,"max":1,"ttl":1,"hb":1}]')
    wires.letDown()
    deepEqual(duet.closed, [4400])
  },

  'what the client has is not sent again, and nobody has to keep it'(machine) {
    const acks: number[] = []
    const store = machine.createStore()
    const watched = {
      ...store,
      ack(...[lease, ack]: Parameters<typeof store.ack>) {
        acks.push(ack)
        return store.ack(lease, ack)
      },
    }
    const tuning = { win: { client: 4, server: 256 } }
    const duet = createDuet(machine, tuning, createServer(machine, 'a', { now: 0 }, {}, watched))
    const wires = duet.connect()
    wires.flow()
    duet.server.send('x', 'y', 'z')
    wires.letDown()
    wires.letUp(1)
    deepEqual([duet.server.settled, acks], [[1, 2], [2]])
    wires.leave()
    const next = duet.connect()
    next.letUp()
    equal(next.down.length, 1, 'hello said that it has the third, too')
    deepEqual(duet.server.settled, [1, 2, 3])
  },

  'the server may end a session; it ends once'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.server.send('x')
    const [session] = duet.server.begun
    if (session) duet.server.registry.end(session, 'bye', 1000, duet.now)
    deepEqual(wires.codes, [1000])
    deepEqual(duet.server.ended, [{ sid: 'a1', reason: 'bye', certain: [], maybe: ['x'] }])
  },

  'what has expired before its turn has no number'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.leave()
    duet.outbox.push(new machine.Entry('late', 'late', 4, undefined, duet.now + 10))
    duet.send('a')
    duet.now += 10
    duet.connect().flow()
    deepEqual(
      [duet.server.got, duet.outbox.numbered.seq, duet.said.includes('expired late')],
      [['a'], 1, true],
    )
  },

  'numbers beyond 32 bits are spelled right'(machine) {
    const frame = { kind: 'msg', seq: 2 ** 40 + 1, ack: 2 ** 33, data: Uint8Array.of(1, 2) } as const
    deepEqual(machine.parseFrame(machine.writeFrame(frame)), frame)
  },

  'an ack travels with what is sent anyway, and is not acknowledged'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.server.send('x')
    wires.letDown()
    duet.send('a')
    deepEqual(wires.up, ['[2,1,1,a]'])
    equal(duet.client.session.until, Infinity)
    wires.letUp()
    duet.server.registry.tick(duet.now + 250)
    wires.letDown()
    deepEqual([wires.up, wires.down], [[], []])
  },

  'volatile messages go now or never, and have no number'(machine) {
    const duet = createDuet(machine)
    equal(duet.client.session.sendVolatile('"v"', 3), false)
    const wires = duet.connect()
    wires.flow()
    equal(duet.client.session.sendVolatile('"v"', 3), true)
    deepEqual(wires.up, ['[6,"v"]'])
    wires.down.push('[6,"w"]', '[77]')
    wires.letDown()
    deepEqual([duet.said.at(-1), duet.client.session.done, duet.closed], ['volatile "w"', 0, []])
  },

  'a volatile message that is too large for the peer is not sent'(machine) {
    const duet = createDuet(machine, { max: { server: 3 } })
    const wires = duet.connect()
    wires.flow()
    equal(duet.client.session.sendVolatile('"vv"', 4), false)
    // Of what is beyond ASCII, bytes count
    equal(duet.client.session.sendVolatile('"é"', 4), false)
    equal(duet.client.session.sendVolatile('"v"', 3), true)
    deepEqual(wires.up, ['[6,"v"]'])
  },

  'ping and pong'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.client.session.ping()
    wires.flow()
    deepEqual(duet.said, ['welcomed', 'pong'])
    wires.down.push('[4]')
    wires.letDown()
    deepEqual(wires.up, ['[5]'])
  },

  'without a connection a session ends when its time is up, or when too much waits'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.leave()
    wires.end()
    duet.server.registry.tick(duet.now + 999)
    deepEqual(duet.server.ended, [])
    duet.server.send(...range(301, 'x'))
    const [{ reason, certain } = { reason: '', certain: [] }] = duet.server.ended
    deepEqual([reason, certain.length], ['overflow', 300])
    duet.connect().flow()
    deepEqual(
      duet.lost.map(({ reason }) => reason),
      ['overflow'],
    )
  },

  'closed by the client with 1000, a session ends at once'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.server.send('x')
    wires.leave(1000)
    wires.end(1000)
    deepEqual(duet.server.ended, [{ sid: 'a1', reason: 'closed', certain: [], maybe: ['x'] }])
  },
}
