/** The annex `reconnecting-socket/msgpack`: MessagePack in binary messages, by the package `@msgpack/msgpack`. */

import { Decoder, type DecoderOptions, Encoder, type EncoderOptions } from '@msgpack/msgpack'
import type { Codec } from './index'

/** Those of the encoder and of the decoder of `@msgpack/msgpack`. */
export type MessagePackOptions = EncoderOptions<undefined> & DecoderOptions<undefined>

/**
 * MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md). More than JSON: `Date`, `Uint8Array` and
 * `bigint` come back as what they were. `encode` throws for functions and symbols, `decode` for text messages.
 *
 * @param options of `@msgpack/msgpack`. `useBigInt64` is true unless given: 64-bit integers are `bigint`, both ways,
 * and a `number` beyond 32 bits travels as a float, which loses nothing.
 */
export function msgpack(options?: MessagePackOptions): Codec {
  const settings = { useBigInt64: true, ...options }
  // Reused: up to twice as fast as an encoder for each message
  const encoder = new Encoder(settings)
  const decoder = new Decoder(settings)
  return {
    encode: message => encoder.encode(message),
    decode(data) {
      if (typeof data === 'string') throw new TypeError('MessagePack comes in binary messages')
      return decoder.decode(data)
    },
  }
}
