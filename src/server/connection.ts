/**
 * One accepted WebSocket, until it is gone: waits for hello, has it authenticated, and from then on hands frames over.
 * Whatever happens to it happens once: nothing that comes after `close` is heard, and its end is not waited for.
 *
 * It takes no step in the middle of another: what a WebSocket tells while we write to it waits until that is done.
 */

import type { Connection, Link, Registry } from '../core/registry'
import type { Answer, Inbound } from '../core/session'
import { hello as helloSchema } from '../spec'
import { type Frame, type Hello, parseFrame } from '../wire/frames'
import { createBatch } from './batch'
import { toData } from './data'
import type { Deadlines, Timed } from './deadlines'
import { hash, randomName } from './identity'
import { FORBIDDEN, type ServerOptions, type ServerSettings } from './options'
import { createOutflow } from './outflow'
import { crowded, retrying } from './retry'
import type { ServerWebSocket } from './web-socket'

/** What a connection belongs to. */
export interface Host {
  readonly registry: Registry
  readonly settings: ServerSettings
  readonly deadlines: Deadlines
  /** Takes a step, and tells of it; or, in the middle of another, after that. */
  act(step: () => void): void
  /** How long this client must still not be listened to, in ms. */
  silence(id: string): number
  /** Something came. @returns the same, if that was too much */
  heard(guest: Guest, bytes: number, now: number): number
  /** Whether so much more may wait to be consumed. */
  hasRoom(connection: Connection, bytes: number): boolean
  /** A hello that was authenticated. */
  hello(guest: Guest, hello: Hello, principal: string, newSid: string): void
  /** Something was done to the session of this connection. */
  touched(connection: Connection): void
  connected(guest: Guest): void
  disconnected(guest: Guest, code: number, reason: string): void
  refused(guest: Guest, code: number, reason: string): void
  failed(error: unknown): void
  /** There is nothing left of it. */
  gone(guest: Guest): void
}

export interface Guest {
  readonly connection: Connection
  /** Its number in this server, from 1. */
  readonly number: number
  readonly request: unknown
  /** Of its hello, and who that was authenticated as. */
  readonly id: string | undefined
  readonly principal: string | undefined
  /** Whether it has said nothing yet. */
  readonly isSilent: boolean
  close(code: number, reason: string): void
}

const OPEN = 1
/** Frames that may wait while we authenticate. A client has nothing to say before it is welcome, but for a ping. */
const MAX_EARLY = 8
/** All that may come before the welcome, pings of WebSocket itself and unknown frames included. */
const MAX_BEFORE = 64
/** What may have been on its way when we closed: as many as a WebSocket holds of small frames, and then some. */
const MAX_LATE = 10_000
/** Names are kept: nobody needs longer ones. The protocol's own have 12 to 22 characters. */
const LONGEST_NAME = 128
/** Before a session there is but hello, of 4 096 characters; in UTF-8 each may take three bytes. */
const LONGEST_HELLO = 12_288
/** Kind, numbers and brackets around a payload, with some blanks. */
const HEAD = 64

const isTolerable = (hello: Hello) =>
  helloSchema.safeParse(hello).success &&
  [hello.id, hello.key, hello.nonce, hello.sid ?? ''].every(name => name.length <= LONGEST_NAME)

/** What `ws` should be told as `maxPayload`: what is larger would be refused anyway. */
export const largestFrame = (maxMessageBytes: number): number =>
  Math.max(maxMessageBytes + HEAD, LONGEST_HELLO)

export const createGuest = (
  host: Host,
  webSocket: ServerWebSocket,
  request: unknown,
  number: number,
): Guest => {
  const { registry, settings, deadlines, act } = host
  const { clock, helloTimeoutMs, closeTimeoutMs, heartbeat, queue, maxMessageBytes } = settings
  const silenceMs = Math.max(2 * heartbeat.intervalMs + heartbeat.timeoutMs, 120_000)
  const abort = new AbortController()

  let state: 'silent' | 'authenticating' | 'live' | 'closing' | 'gone' = 'silent'
  /** For all states but `live`. */
  let until = clock.now() + helloTimeoutMs
  let heardAt = 0
  let pingedAt = 0
  /** What came before the welcome, and after the end. */
  let before = 0
  let late = 0
  let id: string | undefined
  let principal: string | undefined
  const early: Inbound[] = []
  const outflow = createOutflow(webSocket, createBatch(request), queue.highWaterMarkBytes, clock.now, () =>
    deadlines.update(timed),
  )

  const write = (frame: Exclude<Frame, { kind: 'unknown' }>) => {
    if (state !== 'live') return
    try {
      outflow.write(frame)
    } catch {
      end(1006, 'cannot be written to')
    }
  }

  /** It is over for us; the WebSocket may take its time. */
  const end = (code: number, reason: string) => {
    const wasLive = state === 'live'
    state = 'closing'
    until = clock.now() + closeTimeoutMs
    early.length = 0
    abort.abort()
    if (wasLive) host.disconnected(guest, code, reason)
    else host.refused(guest, code, reason)
    registry.closed(guest.connection, code, clock.now())
    deadlines.update(timed)
  }

  const close = (code: number, reason: string) => {
    if (state === 'closing' || state === 'gone') return
    end(code, reason)
    try {
      shut(code, reason)
    } catch (error) {
      host.failed(error)
    }
  }

  const shut = (code: number, reason: string) => {
    try {
      webSocket.close(code, reason)
    } catch {
      // One like those of browsers takes codes of applications only
      webSocket.close()
    }
  }

  const forget = () => {
    state = 'gone'
    until = Infinity
    deadlines.remove(timed)
    host.gone(guest)
  }

  const closed = (code: number, reason: string) => {
    if (state === 'gone') return
    if (state !== 'closing') end(code, reason)
    forget()
  }

  const link: Link = {
    write,
    welcome(answer: Answer) {
      state = 'live'
      heardAt = clock.now()
      write({ kind: 'welcome', welcome: { v: 1, ...answer } })
      host.connected(guest)
    },
    hasRoom: outflow.hasRoom,
    close,
  }

  const admit = async (hello: Hello) => {
    const unauthenticated = (error: unknown) => {
      if (state === 'authenticating') host.failed(error)
      return undefined
    }
    const credentials = { auth: hello.auth, request, id: hello.id, signal: abort.signal }
    const authenticate = async () => (settings.authenticate as ServerOptions['authenticate'])(credentials)
    try {
      const [who, key, newSid] = await Promise.all([
        authenticate().catch(unauthenticated),
        hash(hello.key),
        randomName(),
      ])
      act(() => {
        if (state !== 'authenticating') return
        if (who === FORBIDDEN) return close(4403, 'forbidden')
        if (typeof who !== 'string' || !who) return close(4401, 'unauthenticated')
        principal = who
        host.hello(guest, { ...hello, key }, who, newSid)
        for (const frame of early.splice(0)) hear(frame)
      })
    } catch (error) {
      host.failed(error)
      act(() => close(1011, 'internal error'))
    }
  }

  const hear = (frame: Inbound) => {
    if (state !== 'live') return
    const isMessage = typeof frame !== 'string' && frame.kind === 'msg'
    if (isMessage && !host.hasRoom(guest.connection, frame.data.length))
      return close(4429, crowded('not consumed'))
    registry.receive(guest.connection, frame, clock.now())
    host.touched(guest.connection)
  }

  /** Whatever came, it counts. @returns whether it may be looked at */
  const mayCome = (bytes: number) => {
    if (state === 'closing' || state === 'gone') {
      // Who goes on and on after the end need not be waited for
      if (++late === MAX_LATE) webSocket.terminate?.()
      return false
    }
    const now = clock.now()
    heardAt = now
    if (state !== 'live') {
      if (++before > MAX_BEFORE) close(4400, 'too early')
      return before <= MAX_BEFORE
    }
    const waitMs = host.heard(guest, bytes, now)
    if (waitMs) close(4429, retrying('rate limited', waitMs))
    return !waitMs
  }

  const received = (raw: unknown) => {
    const data = toData(raw)
    if (!mayCome(data?.length ?? 0)) return
    // What is too large need not be parsed to be found so
    const isLive = state === 'live'
    if (data && data.length > (isLive ? maxMessageBytes + HEAD : LONGEST_HELLO))
      return close(isLive ? 4413 : 4400, 'too large')
    const frame = data === undefined ? 'not a frame' : parseFrame(data)
    if (state === 'live') return hear(frame)
    if (state === 'authenticating') {
      if (early.push(frame) > MAX_EARLY) close(4400, 'too early')
    } else if (frame === 'version') close(4426, frame)
    else if (typeof frame === 'string') close(4400, frame)
    else if (frame.kind === 'unknown') return
    else if (frame.kind !== 'hello') close(4400, 'hello expected')
    else if (!isTolerable(frame.hello)) close(4400, 'not a hello')
    else {
      id = frame.hello.id
      // Before anybody is asked: it may come again and again
      const waitMs = host.silence(id)
      if (waitMs) return close(4429, retrying('rate limited', waitMs))
      state = 'authenticating'
      void admit(frame.hello)
    }
  }

  const timed: Timed = {
    due() {
      if (state !== 'live') return until
      const isAsked = pingedAt > heardAt
      return Math.min(outflow.until, isAsked ? pingedAt + heartbeat.timeoutMs : heardAt + silenceMs)
    },
    run: now =>
      act(() => {
        if (state === 'closing') {
          forget()
          webSocket.terminate?.()
        } else if (state !== 'live') close(4408, 'hello timeout')
        else if (outflow.until <= now) {
          const half = guest.connection.session?.half
          if (outflow.look() && half) write({ kind: 'ack', ack: half.position().ack })
          half?.pump(now)
          host.touched(guest.connection)
        } else if (pingedAt > heardAt && now < pingedAt + 2 * heartbeat.timeoutMs) close(4408, 'silent')
        else {
          // Or so late that we have slept ourselves: what came meanwhile may not have been read yet
          pingedAt = now
          write({ kind: 'ping' })
        }
      }),
  }

  const guest: Guest = {
    connection: registry.connect(link),
    number,
    request,
    get id() {
      return id
    },
    get principal() {
      return principal
    },
    get isSilent() {
      return state === 'silent'
    },
    close,
  }

  if (webSocket.binaryType !== undefined) webSocket.binaryType = 'arraybuffer'
  webSocket.addEventListener('message', ({ data }) => act(() => received(data)))
  // `close` follows. Without a listener the `ws` package would throw it
  webSocket.addEventListener('error', () => {})
  webSocket.addEventListener('close', ({ code, reason = '' }) => act(() => closed(code || 1006, reason)))
  webSocket.on?.('ping', () => act(() => void mayCome(0)))
  if (webSocket.readyState > OPEN) act(() => closed(1006, 'closed before'))
  else deadlines.update(timed)
  return guest
}
