/** Frames as exchanges speak of them: JSON arrays, whether they travelled as text or as bytes. */

import { frame as schema } from '../spec'

export type Data = string | Uint8Array<ArrayBuffer>
export type Frame = readonly unknown[]

export const HELLO = 0
export const WELCOME = 1
export const MSG = 2
export const ACK = 3
export const PING = 4
export const PONG = 5
export const VOLATILE = 6
export const FIRST_EXTENSION = 64

/** The payload of a message in bytes is JSON in UTF-8, as the conformance application spells it. */
const payload = (data: unknown): unknown => {
  if (!(data instanceof Uint8Array)) return data
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data))
  } catch {
    return { bytes: Buffer.from(data).toString('hex') }
  }
}

/** @returns `undefined` for what is no frame */
export const read = (data: Data): Frame | undefined => {
  const { data: parsed } = schema.safeParse(data)
  if (!parsed) return undefined
  const [kind, ...rest] = parsed as Frame
  return kind === MSG || kind === VOLATILE
    ? [kind, ...rest.slice(0, -1), payload(rest.at(-1))]
    : [kind, ...rest]
}

/** Of the payload, as it was spelled. */
export const payloadBytes = (data: Data): number => {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
  if (bytes[0] !== 0x5b) {
    // The numbers end where the high bits do
    let at = 1
    for (let numbers = bytes[0] === MSG ? 2 : 0; numbers > 0; at++) if ((bytes[at] ?? 0) < 128) numbers--
    return bytes.length - at
  }
  const text = new TextDecoder().decode(bytes)
  const head = /^\[ *(?:2 *, *\d+ *, *\d+|6) *,/.exec(text)?.[0].length ?? 0
  return bytes.length - head - 1
}

/** For people. */
export const show = (data: Data): string => {
  const text = typeof data === 'string' ? data : data[0] === 0x5b ? new TextDecoder().decode(data) : undefined
  const shown = text ?? `<${Buffer.from(data).toString('hex')}>`
  return shown.length > 200 ? `${shown.slice(0, 200)}… (${data.length})` : shown
}
