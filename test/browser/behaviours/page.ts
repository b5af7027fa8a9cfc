/**
 * What the page of a behaviour has: sockets of ours and the browser's own beside each other, and notes of what happened
 * to them by the wall clock, which Node has too. Bundled, and loaded after the package's UMD.
 */

import type * as built from '../../../dist/index.js'

export interface Note {
  /** A `Date.now()`. */
  readonly at: number
  /** The name that the test gave the socket. */
  readonly who: string
  /** Of ours: the name of a state, `lost`, or what the log says of. Of a WebSocket: the type of its event. */
  readonly what: string
  readonly detail?: unknown
}

type Socket = built.ReconnectingSocket<unknown, unknown>
type Options = NonNullable<ConstructorParameters<typeof built.ReconnectingSocket<unknown, unknown>>[1]>

const { ReconnectingSocket } = globalThis as unknown as {
  ReconnectingSocket: typeof built.ReconnectingSocket & typeof built
}

/** What of a WebSocket's life is noted. */
const EVENTS = ['open', 'error', 'close'] as const

const notes: Note[] = []
const sockets: Record<string, Socket> = {}
const raws: Record<string, WebSocket> = {}
const received: Record<string, unknown[]> = {}

const note = (who: string, what: string, detail?: unknown): void => {
  notes.push({ at: Date.now(), who, what, detail })
}

const observe = (who: string, socket: WebSocket): void => {
  for (const type of EVENTS)
    socket.addEventListener(type, event => {
      const { code, reason, wasClean } = event as CloseEvent
      note(who, type, type === 'close' ? { code, reason, wasClean } : undefined)
    })
}

const own = {
  /** Another after each load. */
  id: Math.random(),
  notes,
  note,
  sockets,
  raws,
  /** By the name of the socket. */
  received,

  /** One of ours. The WebSockets that it makes are called `<who> 1`, `<who> 2`… */
  ours(
    who: string,
    url: string | (() => string),
    {
      session,
      diagnose,
      ...options
    }: Omit<Options, 'session'> & { session?: boolean; diagnose?: boolean } = {},
  ) {
    let made = 0
    const messages: unknown[] = []
    received[who] = messages
    const socket: Socket = new ReconnectingSocket<unknown, unknown>(url, {
      WebSocket: class extends WebSocket {
        constructor(url: string, protocols?: string[]) {
          super(url, protocols)
          raws[`${who} ${++made}`] = this
          observe(`${who} ${made}`, this)
        }
      },
      log: record => {
        if (record.type !== 'transition') note(who, record.type, record)
      },
      ...(session && { session: ReconnectingSocket.resumable() }),
      ...(diagnose && { platform: { transport: ReconnectingSocket.diagnose() } }),
      ...options,
    })
    sockets[who] = socket
    // It began to connect before it could be listened to
    note(who, socket.state.name)
    socket.on('state', state => note(who, state.name))
    socket.on('close', close => note(who, 'lost', close))
    socket.on('message', message => messages.push(message))
    return socket
  },

  /** The browser's own. */
  raw(who: string, url: string) {
    const socket = new WebSocket(url)
    const messages: unknown[] = []
    received[who] = messages
    raws[who] = socket
    socket.addEventListener('message', ({ data }) => messages.push(data))
    observe(who, socket)
    return socket
  },

  socket(who: string): Socket {
    const socket = sockets[who]
    if (!socket) throw new Error(`no socket is called ${who}`)
    return socket
  },

  webSocket(who: string): WebSocket {
    const socket = raws[who]
    if (!socket) throw new Error(`no WebSocket is called ${who}`)
    return socket
  },
}

declare global {
  var lab: Lab
}

export type Lab = typeof own

globalThis.lab = own
