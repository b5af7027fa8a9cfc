/** More adversarial schedules: peers that are slow, short-lived, poisonous, or somebody else. */

import { deepEqual, equal, ok } from 'node:assert/strict'
import { createDuet, createServer } from './duet'
import { range, type Schedule, welcomed } from './schedules'

export const peerSchedules: { readonly [name: string]: Schedule } = {
  '10. slow consumers, both sides, at the edge of the window'(machine) {
    const { duet, wires } = welcomed(machine, { win: { client: 4, server: 4 } })
    duet.server.isEager = duet.isEager = false
    duet.send(...range(9, 'a'))
    duet.server.send(...range(9, 'x'))
    for (let n = 0; n < 9; n++) {
      wires.flow()
      ok(duet.waiting.length <= 4 && duet.server.waiting.length <= 4)
      ok(duet.waiting.length >= Math.min(3, 9 - n), 'and the window is used')
      duet.waiting.shift()?.()
      duet.server.waiting.shift()?.()
    }
    deepEqual([duet.got, duet.server.got], [range(9, 'x'), range(9, 'a')])
    deepEqual([duet.closed, wires.codes], [[], []])
  },

  '11. connections that live for a few frames only (for a few bytes: the proxy of the Node tests)'(machine) {
    const duet = createDuet(machine)
    duet.send(...range(100, 'a'))
    let connections = 0
    while (duet.settled.length < 100 && connections < 100) {
      connections++
      const wires = duet.connect()
      // Hello, welcome; then what was written meets the end of it
      wires.letUp(1)
      wires.letDown(1)
      ok(wires.up.length <= 16, 'so that there is something left for the ack')
      wires.letUp(6)
      wires.letDown(2)
      wires.leave()
    }
    deepEqual(duet.server.got, range(100, 'a'))
    ok(connections <= 20, `${connections} connections`)
  },

  '13. suspended: a timer that fires late acknowledges what was not (probes: the shell)'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.server.send('x')
    wires.letDown()
    equal(wires.up.length, 0, 'one message is not acknowledged at once')
    equal(duet.client.session.until, duet.now + 250)
    duet.client.session.tick(duet.now + 249)
    equal(wires.up.length, 0)
    duet.client.session.tick(duet.now + 60_000)
    deepEqual(wires.up, ['[3,1]'])
    equal(duet.client.session.until, Infinity)
    duet.server.send('y')
    wires.letDown()
    duet.client.session.flush()
    duet.client.session.flush()
    deepEqual(wires.up, ['[3,1]', '[3,2]'], 'and a page that goes away says at once how far it has got')
  },

  '14. two tabs with one identity: the later attempt has the session, the copy is told to stop'(machine) {
    const { duet, wires } = welcomed(machine)
    const copy = createDuet(machine, {}, duet.server)
    const theirs = copy.connect()
    theirs.letUp()
    deepEqual([theirs.codes, wires.codes], [[4409], []])
    equal(theirs.leave(4409), false)
    duet.send('a')
    wires.flow()
    deepEqual(duet.server.got, ['a'])
  },

  '14b. somebody else with our id is refused, and we are not disturbed'(machine) {
    const { duet, wires } = welcomed(machine)
    const { registry } = duet.server
    const codes: number[] = []
    const link = { write() {}, welcome() {}, hasRoom: () => true, close: (code: number) => codes.push(code) }
    const hello = { id: 'id', key: 'key', nonce: 'n', epoch: 99, win: 9, max: 9 }
    registry.hello(registry.connect(link), { ...hello, key: 'guessed' }, 'principal', duet.now)
    registry.hello(registry.connect(link), hello, 'another', duet.now)
    deepEqual(codes, [4403, 4403])
    duet.send('a')
    wires.flow()
    deepEqual(duet.server.got, ['a'])
  },

  '15a. a poison frame: resumed, and after the third time without progress the session is given up'(machine) {
    const { duet } = welcomed(machine)
    duet.server.isEager = false
    for (let n = 0; n < 3; n++) {
      const wires = duet.connect()
      wires.flow()
      duet.send(`a${n}`)
      wires.letUp()
      deepEqual(duet.lost, [])
      wires.down.push('[2,1,0')
      wires.letDown()
      equal(duet.closed.length, n + 1)
      equal(wires.leave(4400), undefined)
      wires.end(1006)
    }
    deepEqual(duet.lost, [{ reason: 'poison', certain: [], maybe: ['a0', 'a1', 'a2'], received: 0 }])
    duet.connect().flow()
    equal(duet.server.begun.length, 2)
    deepEqual(
      duet.server.ended.map(({ reason }) => reason),
      ['unknown'],
    )
  },

  '15b. with progress in between, poison is bad luck'(machine) {
    const { duet } = welcomed(machine)
    for (let n = 0; n < 5; n++) {
      const wires = duet.connect()
      wires.flow()
      duet.send(`a${n}`)
      duet.server.send(`x${n}`)
      wires.flow()
      wires.up.push('[2,9,0,0]')
      wires.letUp()
      deepEqual(wires.codes, [4400])
      wires.leave(4400)
    }
    deepEqual([duet.lost, duet.server.ended, duet.got.length], [[], [], 5])
  },

  '15c. the server gives a session up too'(machine) {
    const { duet } = welcomed(machine)
    for (let n = 0; n < 3; n++) {
      const wires = duet.connect()
      wires.flow()
      wires.up.push('[3,7]')
      wires.letUp()
      deepEqual(wires.codes, [4400])
      wires.leave()
    }
    deepEqual(
      duet.server.ended.map(({ reason }) => reason),
      ['poison'],
    )
    duet.connect().flow()
    deepEqual(
      duet.lost.map(({ reason }) => reason),
      ['poison'],
    )
  },

  '15d. too large: refused before it has a number, or else the end of the session'(machine) {
    const { duet, wires } = welcomed(machine, { max: { server: 5 } })
    duet.send('a', 'toolarge', 'b')
    wires.flow()
    deepEqual([duet.server.got, duet.said.includes('refused toolarge')], [['a', 'b'], true])
    wires.up.push('[2,3,0,toolarge]')
    wires.letUp()
    deepEqual([wires.codes, duet.server.ended.map(({ reason }) => reason)], [[4413], ['too large']])
    equal(wires.leave(4413), undefined)
    duet.connect().flow()
    deepEqual(duet.lost, [{ reason: 'too large', certain: [], maybe: [], received: 0 }])
  },

  '16. two nodes over one store: the old owner can do nothing any more'(machine) {
    const { duet, wires } = welcomed(machine)
    const a = duet.server
    a.isEager = false
    duet.send('a', 'b')
    a.send('x', 'y')
    wires.letUp()
    wires.letDown(1)
    a.waiting.shift()?.()
    wires.leave()
    duet.server = createServer(machine, 'b', duet, {}, a.store)
    const next = duet.connect()
    next.flow()
    deepEqual([duet.server.got, duet.got], [['b'], ['x', 'y']])
    equal(a.waiting.shift()?.(), false, 'what it had received is not its any more')
    deepEqual(wires.codes, [4409])
    deepEqual(a.ended, [{ sid: 'a1', reason: 'moved', certain: [], maybe: ['x', 'y'] }])
    next.leave()
    duet.server = a
    duet.connect().flow()
    deepEqual([duet.got, duet.lost], [['x', 'y'], []])
    equal(a.begun.length, 2, 'when it comes back, what the old owner remembers is not trusted')
  },

  '16b. an old owner that sends finds out by that'(machine) {
    const { duet, wires } = welcomed(machine)
    const a = duet.server
    wires.leave()
    duet.server = createServer(machine, 'b', duet, {}, a.store)
    duet.connect().flow()
    a.send('x')
    deepEqual(wires.down, [])
    deepEqual(a.ended, [{ sid: 'a1', reason: 'moved', certain: ['x'], maybe: [] }])
  },

  '17. a consumer that never settles holds back the sender, and nobody else (throws: the shell)'(machine) {
    const { duet, wires } = welcomed(machine, { win: { client: 2 } })
    duet.isEager = false
    duet.server.send(...range(5, 'x'))
    duet.send('a')
    for (let n = 0; n < 9; n++) {
      duet.now += 1_000
      duet.client.session.tick(duet.now)
      duet.server.registry.tick(duet.now)
      wires.flow()
    }
    deepEqual([duet.waiting.length, duet.server.got, duet.settled], [2, ['a'], ['a']])
    deepEqual(duet.server.settled, [])
  },
}
