/** Messages as a session carries them: JSON text, or bytes. Other text becomes a JSON string, on both sides. */

import type { Codec } from './codec'

export const payload = <Incoming, Outgoing>(codec: Codec<Incoming, Outgoing>): Codec<Incoming, Outgoing> =>
  codec.isJson
    ? codec
    : {
        encode(message) {
          const data = codec.encode(message)
          return typeof data === 'string' ? JSON.stringify(data) : data
        },
        decode(data) {
          if (typeof data !== 'string') return codec.decode(data)
          const text: unknown = JSON.parse(data)
          if (typeof text === 'string') return codec.decode(text)
          throw new TypeError('expected a JSON string')
        },
      }
