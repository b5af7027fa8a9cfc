/**
 * The adversarial schedules of the protocol, each by hand and to the point. What is left of them for the shell (bytes
 * cut within a frame, timers that run late, listeners that throw) is said at each. Here: connections, and what is lost
 * with them.
 */

import { deepEqual, equal } from 'node:assert/strict'
import { createDuet, createServer, type Duet, type Tuning, type Wires } from './duet'
import type { Machine } from './stage'

export type Schedule = (machine: Machine) => void

export const range = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, n) => `${prefix}${n + 1}`)

/** Connected and welcomed. */
export const welcomed = (machine: Machine, tuning?: Tuning): { duet: Duet; wires: Wires } => {
  const duet = createDuet(machine, tuning)
  const wires = duet.connect()
  wires.flow()
  return { duet, wires }
}

const begunAnew = (duet: Duet, wires: Wires, code?: number): Wires => {
  wires.leave(code)
  wires.end()
  const next = duet.connect()
  next.flow()
  return next
}

export const connectionSchedules: { readonly [name: string]: Schedule } = {
  '1. cut at every frame boundary, handshake included (within a frame: the transport knows only whole ones)'(
    machine,
  ) {
    for (let cut = 0; cut < 16; cut++)
      for (let second = 0; second < 6; second++) {
        const duet = createDuet(machine, { win: { client: 3, server: 3 } })
        const pass = (wires: Wires, count: number) => {
          for (let n = 0; n < count; n++) {
            if (n % 2 && wires.down.length) wires.letDown(1)
            else if (wires.up.length) wires.letUp(1)
            else wires.letDown(1)
          }
        }
        duet.send('a', 'b', 'c')
        const first = duet.connect()
        first.letUp(1)
        duet.server.send('x', 'y', 'z')
        pass(first, cut)
        first.leave()
        const next = duet.connect()
        pass(next, second)
        next.leave()
        first.end()
        duet.connect().flow()
        deepEqual(duet.server.got, ['a', 'b', 'c'])
        deepEqual(duet.got, ['x', 'y', 'z'])
        deepEqual(duet.lost, [])
        equal(duet.server.begun.length, 1)
      }
  },

  '2a. half-open: the client is gone, and the server goes on writing'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.leave()
    duet.server.send(...range(40, 'x'))
    equal(wires.down.length, 16, 'no more than the first window goes into the void')
    wires.letDown()
    const next = duet.connect()
    next.flow()
    deepEqual(duet.got, range(40, 'x'))
    deepEqual(wires.codes, [4409])
  },

  '2b. half-open: the server is gone, and the client goes on writing'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.end()
    duet.send(...range(40, 'a'))
    equal(wires.up.length, 16)
    wires.letUp()
    deepEqual(duet.server.got, [], 'a connection that has ended is not heard')
    begunAnew(duet, wires)
    deepEqual(duet.server.got, range(40, 'a'))
  },

  '3. a zombie delivers while its successor does'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.send('a', 'b', 'c')
    wires.letUp(1)
    wires.leave()
    const next = duet.connect()
    next.letUp(1)
    wires.letUp(1)
    next.letDown()
    next.letUp(1)
    wires.letUp()
    wires.end()
    next.flow()
    deepEqual(duet.server.got, ['a', 'b', 'c'])
    deepEqual(next.codes, [])
    duet.server.send('x')
    next.flow()
    deepEqual(duet.got, ['x'], 'the late end of the zombie ends nothing')
  },

  '4. the hello of an attempt that was overtaken is refused'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.leave()
    const slow = duet.connect()
    slow.leave()
    const next = duet.connect()
    next.flow()
    slow.letUp()
    deepEqual(slow.codes, [4409])
    duet.send('a')
    duet.server.send('x')
    next.flow()
    deepEqual([duet.server.got, duet.got, next.codes], [['a'], ['x'], []])
  },

  '5a. the first welcome is lost, many times: one session'(machine) {
    const duet = createDuet(machine)
    for (let n = 0; n < 5; n++) {
      const wires = duet.connect()
      wires.letUp()
      if (n === 0) duet.server.send('x', 'y')
      wires.leave()
      wires.end()
    }
    const wires = duet.connect()
    wires.flow()
    equal(duet.server.begun.length, 1)
    deepEqual([duet.got, duet.server.ended], [['x', 'y'], []])
  },

  '5b. the welcome to a session that replaced another is lost, many times: the loss is told nevertheless'(
    machine,
  ) {
    const { duet, wires } = welcomed(machine)
    duet.send('a')
    wires.letUp()
    wires.leave()
    wires.end()
    duet.now += 2_000
    duet.server.registry.tick(duet.now)
    for (let n = 0; n < 3; n++) {
      const next = duet.connect()
      next.letUp()
      next.leave()
      next.end()
    }
    duet.connect().flow()
    deepEqual(duet.lost, [{ reason: 'expired', certain: [], maybe: [], received: 0 }])
    deepEqual(duet.settled, ['a'], 'the tombstone says that it was consumed')
    equal(duet.server.begun.length, 2)
  },

  '6. acks are lost, come twice, and come late, during a replay'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.server.isEager = false
    duet.send(...range(6, 'a'))
    wires.letUp()
    for (const consume of duet.server.waiting.splice(0, 2)) consume()
    wires.leave()
    const next = duet.connect()
    next.letUp()
    for (const consume of duet.server.waiting.splice(0, 2)) consume()
    duet.server.registry.tick(duet.now + 250)
    next.letDown()
    deepEqual(duet.settled, range(4, 'a'), 'the welcome says 2, the ack after it overtakes the replay')
    const frames = next.down.splice(0)
    next.flow()
    for (const consume of duet.server.waiting.splice(0)) consume()
    next.down.push('[3,5]', ...frames, '[3,1]', '[3,5]')
    next.flow()
    duet.server.registry.tick(duet.now + 1_000)
    next.flow()
    deepEqual([duet.settled, duet.server.got, duet.closed], [range(6, 'a'), range(6, 'a'), []])
  },

  '7. the application sends at each step of the handshake'(machine) {
    const duet = createDuet(machine)
    duet.send('a')
    const wires = duet.connect()
    duet.send('b')
    equal(wires.up.length, 1, 'nothing but hello')
    wires.letUp(1)
    duet.server.send('x')
    duet.send('c')
    equal(wires.up.length, 0)
    wires.letDown(1)
    duet.send('d')
    wires.flow()
    deepEqual([duet.server.got, duet.got], [['a', 'b', 'c', 'd'], ['x']])
  },

  '8. expired, with messages received but not consumed: the tombstone is exact, both ways'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.server.isEager = duet.isEager = false
    duet.send('a', 'b', 'c')
    duet.server.send('x', 'y')
    wires.letUp()
    wires.letDown()
    duet.server.waiting.shift()?.()
    duet.waiting.shift()?.()
    wires.leave()
    wires.end()
    duet.now += 2_000
    duet.server.registry.tick(duet.now)
    equal(duet.server.waiting.shift()?.(), false, 'what ended consumes no more')
    deepEqual(duet.server.ended, [{ sid: 'a1', reason: 'expired', certain: [], maybe: ['x', 'y'] }])
    duet.server.isEager = true
    duet.send('d')
    const next = duet.connect()
    next.flow()
    deepEqual(duet.lost, [{ reason: 'expired', certain: ['b', 'c'], maybe: [], received: 2 }])
    duet.waiting.shift()?.()
    next.flow()
    deepEqual([duet.settled[0], duet.server.got], ['a', ['a', 'd']], 'what had no number stays queued')
    equal(duet.client.session.done, 0, 'what is consumed late belongs to the old session')
  },

  '8b. what had a number may be sent again, before what had none'(machine) {
    const { duet, wires } = welcomed(machine, { resend: true })
    duet.server.isEager = false
    duet.send('a', 'b')
    wires.letUp()
    wires.leave()
    wires.end()
    duet.now += 2_000
    duet.server.registry.tick(duet.now)
    duet.server.waiting.length = 0
    duet.server.isEager = true
    duet.send('c')
    duet.connect().flow()
    deepEqual(duet.server.got, ['a', 'b', 'c'])
  },

  '9a. a server that forgot everything'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.server.isEager = false
    duet.send('a')
    wires.letUp()
    duet.server = createServer(machine, 'b', duet)
    begunAnew(duet, wires)
    deepEqual(duet.lost, [{ reason: 'unknown', certain: [], maybe: ['a'], received: 0 }])
  },

  '9b. a store that was rolled back'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.send('a', 'b', 'c')
    wires.flow()
    duet.server.registry.tick(duet.now + 1_000)
    wires.flow()
    deepEqual(duet.settled, ['a', 'b', 'c'])
    wires.leave()
    const next = duet.connect()
    const nonce = /"nonce":"([^"]+)"/.exec(`${next.up}`)?.[1] ?? ''
    next.down.push(
      machine.writeFrame({
        kind: 'welcome',
        welcome: { v: 1, nonce, sid: 'a1', ack: 1, win: 9, max: 9, ttl: 9, hb: 9 },
      }),
    )
    next.letDown()
    deepEqual(
      [duet.lost.map(({ reason }) => reason), duet.closed, duet.client.sid],
      [['regressed'], [4400], undefined],
    )
  },

  '9d. a server whose store was rolled back finds a client that is ahead of it'(machine) {
    const { duet, wires } = welcomed(machine)
    wires.leave()
    const next = duet.connect()
    next.up.splice(0, 1, `${next.up[0]}`.replace('"ack":0', '"ack":5'))
    next.flow()
    deepEqual(
      [duet.lost.map(({ reason }) => reason), duet.server.ended.map(({ reason }) => reason)],
      [['invalid'], ['invalid']],
    )
  },

  '9c. a server that acknowledges what it cannot have'(machine) {
    const { duet, wires } = welcomed(machine)
    duet.send('a')
    wires.down.push('[3,2]', '[3,2]')
    wires.letDown()
    deepEqual(duet.closed, [4400], 'and nothing that comes after it is heard')
    const next = begunAnew(duet, wires, 4400)
    deepEqual([duet.server.got, duet.lost, next.codes], [['a'], [], []])
  },
}
