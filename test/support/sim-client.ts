/** A client's shell, as small as it can be: it connects, spells, consumes and waits, and tells the laws everything. */

import type { Client } from '../../src/core/client'
import type { Entry } from '../../src/core/outbox'
import type { Inbound, Session } from '../../src/core/session'
import type { Pipe, Wire } from './network'
import { decode, encode, MAX_BYTES, type Stage } from './stage'

const ID = 'client-1'
const KEY = 'secret'

export interface SimClient {
  readonly client: Client<string>
  readonly isDead: boolean
  readonly isLive: boolean
  send(message: string): void
  pump(): void
  drop(): void
  /** From now on consumes without delay and retries soon. */
  calm(): void
}

export const createSimClient = (stage: Stage, connect: () => Pipe, isEcho: boolean): SimClient => {
  const { machine, time, random, laws, scenario } = stage
  const { below, chance } = random
  const sids = new WeakMap<Session<string>, string | undefined>()
  const inbox: Session<string>[] = []
  const down = isEcho ? 'up' : 'down'
  let pipe: Pipe | undefined
  let isLive = false
  let isDead = false
  let isCalm = false
  let isBusy = false
  let lastSeen = 0
  let told = -1
  let armed = Infinity

  const report = (entry: Entry<string>, sid: string | undefined) =>
    laws.undelivered('up', sid, entry.message, entry.certain)
  const outbox = machine.createOutbox<string>(
    {
      maxMessages: 60,
      maxBytes: 100_000,
      highWaterMarkBytes: 1_000,
      overflow: random.pick(['throw', 'drop-oldest']),
    },
    entry => report(entry, undefined),
  )
  const names = (entries: readonly Entry<string>[]) => entries.map(({ message }) => message)

  const client = machine.createClient<string>(
    outbox,
    {
      write(frame) {
        if (!pipe || !isLive) laws.breach('S8 nothing is written before the welcome, or without a connection')
        if (frame.kind === 'msg') laws.written('up', client.sid, frame.seq, decode(frame.data))
        if (frame.kind === 'msg' || frame.kind === 'ack') {
          if (frame.ack < told) laws.breach('S7 acks do not decrease')
          told = frame.ack
        }
        laws.bounds(
          'up',
          outbox.numbered.seq - outbox.acked.seq,
          isEcho ? scenario.win.client : scenario.win.server,
        )
        pipe?.send('client', machine.writeFrame(frame))
      },
      hasRoom() {
        if (isCalm || chance(0.9)) return true
        time.after(20, pump)
        return false
      },
      deliver(data, session) {
        if (!session) return
        laws.delivered(down, sids.get(session), decode(data))
        inbox.push(session)
        laws.bounds(down, session.received - session.done, scenario.win.client)
        consume()
      },
      settled: entries => laws.settled('up', client.sid, names(entries)),
      refused: entry => report(entry, client.sid),
      pong() {},
      close(code) {
        laws.blamed(code)
        end(code)
      },
      lost({ undelivered, reason }) {
        laws.lost(reason, isEcho)
        const again = undelivered.filter(
          ({ certain }) => scenario.resend === 'all' || (scenario.resend === 'certain' && certain),
        )
        for (const entry of undelivered) if (!again.includes(entry)) report(entry, sid)
        outbox.restore(again)
      },
      welcomed() {
        isLive = true
        told = -1
        sids.set(client.session, client.sid)
        sid = client.sid
        laws.welcomed(client.sid)
      },
      preamble() {},
      unsupported() {
        if (!isTimeout) laws.breach('who answers is supported')
      },
    },
    { win: scenario.win.client, max: MAX_BYTES },
  )
  /** The present one, or the last. */
  let sid: string | undefined

  const pump = () => {
    client.session.pump(time.now)
    arm()
  }

  /** In order, one at a time. */
  const consume = () => {
    if (isBusy) return
    const delay = isCalm ? 0 : below(scenario.slow.client + 1)
    const next = () => {
      isBusy = false
      const session = inbox.shift()
      if (!session) return
      laws.consumed(down, sids.get(session))
      session.consumed(time.now)
      arm()
      if (inbox.length) consume()
    }
    isBusy = true
    if (delay) time.after(delay, next)
    else next()
  }

  const arm = () => {
    const { until } = client.session
    if (until >= armed) return
    armed = until
    // Timers fire late now and then
    time.after(until - time.now + (chance(0.1) ? below(5_000) : 0), () => {
      armed = Infinity
      client.session.tick(time.now)
      arm()
    })
  }

  let isTimeout = false
  const end = (code: number, wasTimeout = false) => {
    const was = pipe
    if (!was) return
    isTimeout = wasTimeout
    pipe = undefined
    isLive = false
    was.drop('client', code)
    const verdict = client.dropped(code, isTimeout)
    // Three times in a row nobody answered: that is the network here, and somebody asks again
    if (verdict === false && !isTimeout) {
      isDead = true
      laws.breach(`the end came from nowhere: ${code}`)
      for (const entry of client.end()) report(entry, sid)
    } else time.after(verdict || below(isCalm ? 200 : 3_000), open)
  }

  const open = () => {
    if (pipe || isDead) return
    const mine = connect()
    pipe = mine
    const ear = {
      message(data: Wire) {
        lastSeen = time.now
        const frame: Inbound = machine.parseFrame(data)
        client.receive(frame, time.now)
        arm()
      },
      closed(code: number) {
        if (pipe === mine) end(code)
      },
    }
    time.after(1 + below(50), () => {
      if (pipe !== mine) return
      // Some never open
      if (!isCalm && chance(0.05)) return
      mine.hear('client', ear)
      lastSeen = time.now
      const hello = client.opened(`nonce-${mine.id}`)
      mine.send('client', machine.writeFrame({ kind: 'hello', hello: { v: 1, id: ID, key: KEY, ...hello } }))
    })
    time.after(10_000, () => {
      if (pipe === mine && !isLive) end(4408, true)
    })
    const beat = () => {
      if (pipe !== mine) return
      if (isLive && time.now - lastSeen > 9_000) return end(4408)
      if (isLive && time.now - lastSeen > 4_000) client.session.ping()
      time.after(3_000, beat)
    }
    beat()
  }
  open()

  return {
    client,
    get isDead() {
      return isDead
    },
    get isLive() {
      return isLive
    },
    send(message) {
      if (isDead) return
      const data = encode(message, chance(0.7))
      laws.accepted(message)
      const expiresAt = chance(0.1) ? time.now + below(2_000) : 0
      const key = chance(0.1) ? below(2) : undefined
      const isIn = outbox.push(new machine.Entry(message, data, data.length, key, expiresAt), time.now)
      if (isIn === undefined) laws.fates.delete(message)
      pump()
    },
    pump,
    drop: () => end(1006),
    calm() {
      isCalm = true
      pump()
    },
  }
}
