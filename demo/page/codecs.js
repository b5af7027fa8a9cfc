// @ts-check
/** How what was typed becomes a message, by codec; and what a message measures on the wire. */

import { ReconnectingSocket } from './library.js'

/** @typedef {import('./library.js').Codec} Codec */
/** @typedef {'json' | 'text' | 'bytes' | 'msgpack'} CodecName */

/**
 * @typedef {object} Dialect
 * @property {CodecName} name
 * @property {Codec} codec
 * @property {(typed: string) => unknown} compose
 * @property {(message: unknown) => string} show
 */

/** @param {string} typed */
function readValue(typed) {
  try {
    return JSON.parse(typed)
  } catch {
    return typed
  }
}

/** @param {unknown} message */
const asJson = message =>
  JSON.stringify(message, (_, value) => (typeof value === 'bigint' ? `${value}` : value)) ?? `${message}`

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** @type {Record<Exclude<CodecName, 'msgpack'>, () => Dialect>} */
const DIALECTS = {
  json: () => ({ name: 'json', codec: ReconnectingSocket.json(), compose: readValue, show: asJson }),
  text: () => ({
    name: 'text',
    codec: /** @type {Codec} */ (ReconnectingSocket.text()),
    compose: typed => typed,
    show: message => `${message}`,
  }),
  bytes: () => ({
    name: 'bytes',
    codec: /** @type {Codec} */ (ReconnectingSocket.bytes()),
    compose: typed => encoder.encode(typed),
    show: message => [.../** @type {Uint8Array} */ (message)].slice(0, 100).map(hex).join(' '),
  }),
}

/** @param {number} byte */
const hex = byte => byte.toString(16).padStart(2, '0')

/**
 * @param {CodecName} name
 * @returns {Promise<Dialect>}
 */
export async function dialect(name) {
  if (name !== 'msgpack') return DIALECTS[name]()
  // Not a literal: it exists once the server has bundled it
  const path = './msgpack.js'
  const { msgpack } = /** @type {typeof import('../../src/msgpack')} */ (await import(path))
  return { name, codec: /** @type {Codec} */ (msgpack()), compose: readValue, show: asJson }
}

/**
 * What last went through a codec. Sending encodes at once, and a message is told just after it was decoded.
 * @typedef {object} Scale
 * @property {Codec} codec
 * @property {string} key the same for the same bytes, even if text comes back as binary
 * @property {number} size
 */

/**
 * @param {Codec} codec
 * @returns {Scale}
 */
export function scale(codec) {
  /** @param {string | ArrayBufferView<ArrayBuffer> | ArrayBuffer} data */
  const weigh = data => {
    self.key = typeof data === 'string' ? data : decoder.decode(data)
    self.size = typeof data === 'string' ? encoder.encode(data).length : data.byteLength
  }
  /** @type {Scale} */
  const self = {
    codec: {
      encode(message) {
        const data = codec.encode(message)
        weigh(/** @type {string | ArrayBuffer} */ (data))
        return data
      },
      decode(data) {
        weigh(/** @type {string | ArrayBuffer} */ (data))
        return codec.decode(data)
      },
    },
    key: '',
    size: 0,
  }
  return self
}
