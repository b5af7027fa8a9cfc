/**
 * What is written to one WebSocket, and how much it may hold. Who does not read, but goes on to ask or to send, must
 * not fill our memory with answers: what can be said later, or once for many times, waits until there is room.
 */

import { type Frame, writeFrame } from '../wire/frames'
import type { ServerWebSocket } from './web-socket'

type Outbound = Exclude<Frame, { kind: 'unknown' }>

export interface Outflow {
  /** When to look again whether there is room, in ms. A WebSocket does not tell. */
  readonly until: number
  hasRoom(): boolean
  /** @returns whether an acknowledgement is owed, now that it is time to look */
  look(): boolean
  /** What the WebSocket throws is thrown. */
  write(frame: Outbound): void
}

const POLL_MS = 20

/**
 * @param batch to be called before each write
 * @param waits `until` has come nearer
 */
export const createOutflow = (
  webSocket: ServerWebSocket,
  batch: () => void,
  mostBytes: number,
  now: () => number,
  waits: () => void,
): Outflow => {
  let until = Infinity
  let isOwed = false

  const hasRoom = () => {
    const isFree = (webSocket.bufferedAmount ?? 0) < mostBytes
    if (!isFree && until === Infinity) {
      until = now() + POLL_MS
      waits()
    }
    return isFree
  }

  return {
    get until() {
      return until
    },
    hasRoom,
    look() {
      until = Infinity
      const isDue = isOwed && hasRoom()
      if (isDue) isOwed = false
      return isDue
    },
    write(frame) {
      const { kind } = frame
      if ((kind === 'pong' || kind === 'ack') && !hasRoom()) {
        isOwed ||= kind === 'ack'
        return
      }
      // Both say all that is consumed
      if (kind === 'msg' || kind === 'ack') isOwed = false
      batch()
      webSocket.send(writeFrame(frame))
    },
  }
}
