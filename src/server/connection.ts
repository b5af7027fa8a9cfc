/**
 * One accepted WebSocket, until it is gone: waits for hello, has it authenticated, and from then on hands frames over.
 * Whatever happens to it happens once: nothing that comes after `close` is heard, and its end is not waited for.
 *
 * It takes no step in the middle of another: what a WebSocket tells while we write to it waits until that is done.
 */

import type { Connection, Link, Registry } from '../core/registry'
import type { Answer, Inbound } from '../core/session'
import { hello as helloSchema } from '../spec'
import { type Frame, type Hello, parseFrame, writeFrame } from '../wire/frames'
import { createBatch } from './batch'
import { toData } from './data'
import type { Deadlines, Timed } from './deadlines'
import { hash, randomName } from './identity'
import { FORBIDDEN, type ServerOptions, type ServerSettings } from './options'

/** What is needed of a WebSocket on a server: that of the `ws` package, or anything that is like one in a browser. */
export interface ServerWebSocket {
  readonly readyState: number
  /** If there is none, nothing ever waits. */
  readonly bufferedAmount?: number
  binaryType?: string
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  /** Of the `ws` package: without a closing handshake. */
  terminate?(): void
  addEventListener(type: 'message' | 'close' | 'error', listener: (event: ServerWebSocketEvent) => void): void
}

/** What is needed of the events of a WebSocket: `data` of `message`, `code` and `reason` of `close`. */
export interface ServerWebSocketEvent {
  readonly type: string
  readonly data?: unknown
  readonly code?: number
  readonly reason?: string
}

/** A connection was refused: it never came to speak for a session. */
export interface Refused<Request = unknown> {
  /** That it was closed with: 4400, 4401, 4403, 4408, 4409, 4426, 4503 or 1011. */
  readonly code: number
  /** Why, in a word or two. */
  readonly reason: string
  /** As it was given to `accept`. */
  readonly request: Request
}

/** What a connection belongs to. */
export interface Host {
  readonly registry: Registry
  readonly settings: ServerSettings
  readonly deadlines: Deadlines
  /** Takes a step, and tells of it; or, in the middle of another, after that. */
  act(step: () => void): void
  /** A hello that was authenticated. */
  hello(connection: Connection, hello: Hello, principal: string, newSid: string): void
  /** Something was done to the session of this connection. */
  touched(connection: Connection): void
  connected(guest: Guest): void
  disconnected(guest: Guest, code: number, reason: string): void
  refused(event: Refused): void
  failed(error: unknown): void
  /** There is nothing left of it. */
  gone(guest: Guest): void
}

export interface Guest {
  readonly connection: Connection
  readonly request: unknown
  /** Whether it has not been welcomed yet. */
  readonly isWaiting: boolean
  close(code: number, reason: string): void
}

const OPEN = 1
/** Frames that may wait while we authenticate. A client has nothing to say before it is welcome, but for a ping. */
const MAX_EARLY = 8
/** Before a session there is but hello, of 4 096 characters; in UTF-8 each may take three bytes. */
const LONGEST_HELLO = 12_288
/** Kind, numbers and brackets around a payload, with some blanks. */
const HEAD = 64
/** A WebSocket does not tell when it has room again. */
const POLL_MS = 20

export const createGuest = (host: Host, webSocket: ServerWebSocket, request: unknown): Guest => {
  const { registry, settings, deadlines, act } = host
  const { clock, helloTimeoutMs, closeTimeoutMs, heartbeat, queue, maxMessageBytes } = settings
  const silenceMs = Math.max(2 * heartbeat.intervalMs + heartbeat.timeoutMs, 120_000)
  const abort = new AbortController()

  let state: 'silent' | 'authenticating' | 'live' | 'closing' | 'gone' = 'silent'
  /** For all states but `live`. */
  let until = clock.now() + helloTimeoutMs
  let heardAt = 0
  let pingedAt = 0
  /** When to look again whether there is room. */
  let roomAt = Infinity
  const early: Inbound[] = []
  const batch = createBatch(request)

  const hasRoom = () => {
    const isFree = (webSocket.bufferedAmount ?? 0) < queue.highWaterMarkBytes
    if (!isFree && roomAt === Infinity) {
      roomAt = clock.now() + POLL_MS
      deadlines.update(timed)
    }
    return isFree
  }

  const write = (frame: Exclude<Frame, { kind: 'unknown' }>) => {
    // Who asks and does not read the answers must not fill our memory with them
    if (state !== 'live' || (frame.kind === 'pong' && !hasRoom())) return
    try {
      batch()
      webSocket.send(writeFrame(frame))
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
    else host.refused({ code, reason, request })
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
    hasRoom,
    close,
  }

  const admit = async (hello: Hello) => {
    try {
      const authenticate = async () =>
        (settings.authenticate as ServerOptions['authenticate'])({
          auth: hello.auth,
          request,
          id: hello.id,
          signal: abort.signal,
        })
      const unauthenticated = (error: unknown) => {
        if (state === 'authenticating') host.failed(error)
        return undefined
      }
      const [principal, key, newSid] = await Promise.all([
        authenticate().catch(unauthenticated),
        hash(hello.key),
        randomName(),
      ])
      act(() => {
        if (state !== 'authenticating') return
        if (principal === FORBIDDEN) return close(4403, 'forbidden')
        if (typeof principal !== 'string' || !principal) return close(4401, 'unauthenticated')
        host.hello(guest.connection, { ...hello, key }, principal, newSid)
        for (const frame of early.splice(0)) hear(frame)
      })
    } catch (error) {
      host.failed(error)
      act(() => close(1011, 'internal error'))
    }
  }

  const hear = (frame: Inbound) => {
    if (state !== 'live') return
    registry.receive(guest.connection, frame, clock.now())
    host.touched(guest.connection)
  }

  const received = (raw: unknown) => {
    if (state === 'closing' || state === 'gone') return
    heardAt = clock.now()
    const data = toData(raw)
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
    else if (!helloSchema.safeParse(frame.hello).success) close(4400, 'not a hello')
    else {
      state = 'authenticating'
      void admit(frame.hello)
    }
  }

  const timed: Timed = {
    due() {
      if (state !== 'live') return until
      const isAsked = pingedAt > heardAt
      return Math.min(roomAt, isAsked ? pingedAt + heartbeat.timeoutMs : heardAt + silenceMs)
    },
    run: now =>
      act(() => {
        if (state === 'closing') {
          forget()
          webSocket.terminate?.()
        } else if (state !== 'live') close(4408, 'hello timeout')
        else if (roomAt <= now) {
          roomAt = Infinity
          guest.connection.session?.half.pump(now)
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
    request,
    get isWaiting() {
      return state === 'silent' || state === 'authenticating'
    },
    close,
  }

  if (webSocket.binaryType !== undefined) webSocket.binaryType = 'arraybuffer'
  webSocket.addEventListener('message', ({ data }) => act(() => received(data)))
  // `close` follows. Without a listener the `ws` package would throw it
  webSocket.addEventListener('error', () => {})
  webSocket.addEventListener('close', ({ code, reason = '' }) => act(() => closed(code || 1006, reason)))
  if (webSocket.readyState > OPEN) act(() => closed(1006, 'closed before'))
  else deadlines.update(timed)
  return guest
}
