/** A client of sessions over real WebSockets, as small as it can be: it comes back as soon as it can, and tells all. */

import { randomBytes } from 'node:crypto'
import { WebSocket } from 'ws'
import { type Client, createClient } from '../../src/core/client'
import { createOutbox, Entry } from '../../src/core/outbox'
import type { Session } from '../../src/core/session'
import { parseFrame, writeFrame } from '../../src/wire/frames'

type Data = string | Uint8Array<ArrayBuffer>

export interface SessionClient {
  readonly client: Client<unknown>
  /** Times that a session was begun or resumed, and lost. */
  readonly welcomes: number
  readonly losses: readonly string[]
  /** The codes that connections ended with. */
  readonly codes: readonly number[]
  /** What was sent and is settled: consumed by the server. */
  readonly settled: readonly unknown[]
  readonly undelivered: readonly unknown[]
  readonly isDead: boolean
  send(message: unknown): void
  /** Drops the present connection without a word, and makes another. */
  drop(): void
  close(): void
}

export interface SessionClientOptions {
  readonly encode?: (message: unknown) => Data
  readonly auth?: unknown
  readonly win?: number
  /** Silence after which a connection is given up, and half of which after which it pings, in ms. */
  readonly silenceMs?: number
  readonly retryMs?: number
}

export const connectSession = (
  url: string,
  deliver: (data: Data) => void,
  { encode = JSON.stringify, auth, win = 256, silenceMs = 300, retryMs = 5 }: SessionClientOptions = {},
): SessionClient => {
  const id = randomBytes(12).toString('base64url')
  const key = randomBytes(16).toString('base64url')
  const losses: string[] = []
  const codes: number[] = []
  const settled: unknown[] = []
  const undelivered: unknown[] = []
  let welcomes = 0
  let isDead = false
  let socket: WebSocket | undefined
  let heardAt = 0
  let timer: NodeJS.Timeout | undefined
  const now = () => performance.now()

  const outbox = createOutbox<unknown>(
    { maxMessages: Infinity, maxBytes: Infinity, highWaterMarkBytes: 1e6, overflow: 'throw' },
    () => {},
  )
  const inbox: { readonly data: Data; readonly session: Session<unknown> }[] = []

  const client = createClient<unknown>(
    outbox,
    {
      write: frame => socket?.send(writeFrame(frame)),
      hasRoom: () => !!socket && socket.bufferedAmount < 65_536,
      deliver(data, session) {
        if (session) inbox.push({ data, session })
        else deliver(data)
      },
      settled(entries) {
        for (const { message } of entries) settled.push(message)
      },
      refused: ({ message }) => undelivered.push(message),
      pong() {},
      close: (code, reason) => end(code, reason),
      lost(event) {
        losses.push(event.reason)
        for (const { message } of event.undelivered) undelivered.push(message)
      },
      welcomed() {
        welcomes++
      },
      preamble() {},
      unsupported: () => end(1002),
    },
    { win, max: 1_048_576 },
  )

  const settle = () => {
    for (let next = inbox.shift(); next; next = inbox.shift()) {
      deliver(next.data)
      next.session.consumed(now())
    }
  }

  const end = (code: number, reason?: string) => {
    const old = socket
    if (!old) return
    socket = undefined
    codes.push(code)
    // Left to itself: a zombie, if the network holds it
    old.removeAllListeners()
    old.on('error', () => {})
    if (code === 4400 || code === 4408 || code === 1000) old.close(code, reason)
    else old.terminate()
    const verdict = client.dropped(code)
    if (verdict === false) {
      isDead = true
      clearInterval(timer)
      undelivered.push(...outbox.clear().map(({ message }) => message))
    } else setTimeout(open, retryMs)
  }

  const open = () => {
    if (isDead || socket) return
    const mine = new WebSocket(url, { perMessageDeflate: false })
    socket = mine
    heardAt = now()
    mine.binaryType = 'arraybuffer'
    mine.on('error', () => {})
    mine.on('open', () => {
      heardAt = now()
      const hello = { v: 1, id, key, ...client.opened(randomBytes(9).toString('base64url')), auth } as const
      mine.send(writeFrame({ kind: 'hello', hello }))
    })
    mine.on('message', (raw: ArrayBuffer | Buffer, isBinary: boolean) => {
      heardAt = now()
      client.receive(parseFrame(isBinary ? new Uint8Array(raw as ArrayBuffer) : raw.toString()), now())
      settle()
    })
    mine.on('close', code => socket === mine && end(code))
  }

  timer = setInterval(() => {
    client.session.tick(now())
    client.session.pump(now())
    if (!socket) return
    if (now() - heardAt > silenceMs) end(4408)
    else if (now() - heardAt > silenceMs / 2) client.session.ping()
  }, 20)
  open()

  return {
    client,
    losses,
    codes,
    settled,
    undelivered,
    get welcomes() {
      return welcomes
    },
    get isDead() {
      return isDead
    },
    send(message) {
      const data = encode(message)
      outbox.push(new Entry<unknown>(message, data, data.length))
      client.session.pump(now())
    },
    drop: () => end(1006),
    close() {
      client.session.flush()
      end(1000)
    },
  }
}
