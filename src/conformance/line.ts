/** One WebSocket, as whoever judges sees it: what came waits until it is asked for, and everything is written down. */

import type { WebSocket } from 'ws'
import { ACK, type Data, FIRST_EXTENSION, type Frame, PING, read, show } from './frame'
import type { LineLaws } from './laws'

/** One line of what was played. */
export interface Entry {
  /** Since the exchange began, in ms. */
  readonly at: number
  readonly connection: string
  /** As whoever judges sees it. */
  readonly direction: 'sent' | 'received' | 'opened' | 'closed'
  readonly text: string
}

export interface Ended {
  readonly code: number
  readonly reason: string
}

export interface Line {
  readonly name: string
  readonly webSocket: WebSocket
  readonly laws: LineLaws
  /** How it was closed. */
  readonly ended: Ended | undefined
  /** What is at the head. */
  peek(): Frame | undefined
  shift(): void
  send(data: Data): void
  /** A law that was broken. */
  readonly broken: string | undefined
}

/** Frames that may come at any time, and that nobody has to wait for. */
export const isSmallTalk = ([kind]: Frame): boolean =>
  kind === ACK || kind === PING || Number(kind) >= FIRST_EXTENSION

/**
 * @param silence how many frames have to be said before pings are answered: whoever has only said hello may not even
 * have seen the welcome, for all that a server knows, and no answer may tell it otherwise
 * @param note writes down what happens
 * @param changed something came, or it was closed
 */
export const createLine = (
  name: string,
  webSocket: WebSocket,
  laws: LineLaws,
  silence: number,
  note: (entry: Omit<Entry, 'at'>) => void,
  changed: () => void,
): Line => {
  const frames: Frame[] = []
  let ended: Ended | undefined
  let broken: string | undefined
  let said = 0

  const write = (data: Data) => {
    note({ connection: name, direction: 'sent', text: show(data) })
    laws.sent(data)
    said++
    // It may be closed by now: what comes too late is lost, as on any connection
    webSocket.send(data, () => {})
  }

  webSocket.on('message', (raw: Buffer, isBinary: boolean) => {
    const data = isBinary ? new Uint8Array(raw) : raw.toString()
    note({ connection: name, direction: 'received', text: show(data) })
    const frame = read(data)
    const law = laws.received(data, frame)
    if (law) broken ??= `the law of ${law}`
    if (frame) frames.push(frame)
    if (frame?.[0] === PING && said >= silence) write('[5]')
    changed()
  })
  webSocket.on('error', () => {})
  webSocket.on('close', (code, reason) => {
    ended = { code, reason: `${reason}` }
    note({ connection: name, direction: 'closed', text: `${code} ${reason}`.trim() })
    changed()
  })

  return {
    name,
    webSocket,
    laws,
    get ended() {
      return ended
    },
    get broken() {
      return broken
    },
    peek: () => frames[0],
    shift: () => void frames.shift(),
    send: write,
  }
}
