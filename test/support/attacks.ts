/**
 * What somebody does who wants a server of sessions down, or another's session: each with real sockets, and as hard as
 * it is told. They answer what became of them, by close code. None is kept waiting by a server that says nothing.
 */

import { randomBytes } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { writeFrame } from '../../src/wire/frames'
import { random } from './random'

export interface Target {
  readonly url: string
  readonly port: number
  /** The honest client's, as far as others may know it; and its key, for those who stole that, too. */
  readonly victim: { readonly id: string; readonly key: string }
}

/** How many of what: close codes, and what else is worth counting. */
export type Toll = Record<string, number>

/** @param scale 1 is as hard as `npm run attack` does it */
export type Attack = (target: Target, scale: number) => Promise<Toll>

/** Beyond this nobody waits for a server's answer, in ms. */
const PATIENCE_MS = 15_000

const helloOf = (more: object) =>
  writeFrame({
    kind: 'hello',
    hello: {
      v: 1,
      id: randomBytes(12).toString('base64url'),
      key: randomBytes(16).toString('base64url'),
      nonce: 'n',
      epoch: 1,
      win: 1_024,
      max: 1_048_576,
      auth: 'eve',
      ...more,
    },
  })

/** The first of these events. An error is none: who attacks is cut off now and then. */
const heard = (source: EventEmitter, ...events: readonly string[]): Promise<void> =>
  new Promise(resolve => {
    source.on('error', () => {})
    for (const event of events) source.once(event, () => resolve())
  })

const open = async (url: string): Promise<WebSocket> => {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await heard(socket, 'open', 'close')
  return socket
}

const closed = (socket: WebSocket): Promise<string> =>
  new Promise(resolve => {
    const patience = setTimeout(() => {
      socket.terminate()
      resolve('patience')
    }, PATIENCE_MS)
    const done = (code: number) => {
      clearTimeout(patience)
      resolve(String(code))
    }
    if (socket.readyState === WebSocket.CLOSED) done(1006)
    else socket.on('close', done)
  })

const add = (toll: Toll, what: string, count = 1): Toll => {
  toll[what] = (toll[what] ?? 0) + count
  return toll
}

const times = (count: number, scale: number) => Math.max(1, Math.round(count * scale))

/** So many in all, so many at a time. */
const crowd = async (count: number, abreast: number, one: (n: number) => Promise<string>): Promise<Toll> => {
  const toll: Toll = {}
  let next = 0
  const worker = async () => {
    while (next < count) add(toll, await one(next++))
  }
  await Promise.all(Array.from({ length: Math.min(abreast, count) }, worker))
  return toll
}

/** Says hello, waits for a welcome, does something rude, and waits for the end. */
const welcomed = async (url: string, rude: (socket: WebSocket) => void, more: object = {}) => {
  const socket = await open(url)
  const end = closed(socket)
  if (socket.readyState === WebSocket.OPEN) {
    socket.once('message', () => rude(socket))
    socket.send(helloOf(more))
  }
  return end
}

/** Says the same until the server has had enough. */
const flood = (socket: WebSocket, say: (n: number) => void) => {
  let n = 0
  const more = () => {
    if (socket.readyState !== WebSocket.OPEN) return
    // What our own kernel does not take is no attack
    if (socket.bufferedAmount < 1_000_000) for (let i = 0; i < 500; i++) say(++n)
    setImmediate(more)
  }
  more()
}

/** A connection of bytes that does what it likes after the upgrade, and is dropped by whom? */
const byteByByte = async (port: number): Promise<string> => {
  const socket = connect(port, '127.0.0.1')
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  const bytes = Buffer.concat([Buffer.from([129, 254, 1, 0, 0, 0, 0, 0]), Buffer.alloc(256, '[')])
  let at = 0
  const drip = setInterval(() => socket.write(bytes.subarray(at, ++at)), 100)
  const patience = setTimeout(() => socket.destroy(), PATIENCE_MS)
  const begun = Date.now()
  await heard(socket, 'close')
  clearInterval(drip)
  clearTimeout(patience)
  return Date.now() - begun < PATIENCE_MS ? 'cut off' : 'patience'
}

export const attacks: { readonly [name: string]: Attack } = {
  'slow hello': ({ url, port }, scale) =>
    crowd(times(2_000, scale), times(2_000, scale), async n => {
      if (n % 2) return byteByByte(port)
      const socket = await open(url)
      const pings = setInterval(() => {
        if (socket.readyState === WebSocket.OPEN) socket.ping()
      }, 500)
      const code = await closed(socket)
      clearInterval(pings)
      return code
    }),

  '10 000 hellos': ({ url }, scale) =>
    crowd(times(10_000, scale), 100, async () => {
      const socket = await open(url)
      const end = closed(socket)
      if (socket.readyState === WebSocket.OPEN) socket.send(helloOf({}))
      const welcome = heard(socket, 'message').then(() => {
        socket.terminate()
        return 'welcomed'
      })
      return Promise.race([welcome, end])
    }),

  'oversize frames': ({ url }, scale) =>
    crowd(times(200, scale), 8, n =>
      n % 2
        ? welcomed(url, socket => socket.send(`[2,1,0,"${'x'.repeat(3_000_000)}"]`))
        : open(url).then(socket => {
            const end = closed(socket)
            socket.send('x'.repeat(3_000_000))
            return end
          }),
    ),

  'message flood': ({ url }, scale) =>
    crowd(times(20, scale), 5, n =>
      // Those who heed the window are as fast
      welcomed(url, socket =>
        flood(socket, i => socket.send(n % 2 ? `[2,${i},0,${i}]` : n % 4 ? '[6,0]' : '[3,0]')),
      ),
    ),

  'ping flood': ({ url }, scale) =>
    crowd(times(20, scale), 5, n =>
      welcomed(url, socket => flood(socket, () => (n % 2 ? socket.ping() : socket.send('[4]')))),
    ),

  'hijack, by id': ({ url, victim: { id } }, scale) =>
    crowd(times(500, scale), 20, n =>
      welcomed(url, socket => socket.terminate(), { id, epoch: 1e6 + n, auth: n % 2 ? 'honest' : 'eve' }),
    ),

  'hijack, by id and key': ({ url, victim }, scale) =>
    crowd(times(500, scale), 20, n =>
      welcomed(url, socket => socket.terminate(), { ...victim, epoch: 1e6 + n }),
    ),

  'replayed hellos': async ({ url }, scale) => {
    const hello = helloOf({})
    const owner = await open(url)
    owner.send(hello)
    await heard(owner, 'message')
    const toll = await crowd(times(1_000, scale), 20, async () => {
      const socket = await open(url)
      const end = closed(socket)
      if (socket.readyState === WebSocket.OPEN) socket.send(hello)
      return end
    })
    add(toll, owner.readyState === WebSocket.OPEN ? 'owner is still there' : 'owner is gone')
    owner.terminate()
    return toll
  },

  garbage: ({ url }, scale) => {
    const { below } = random(9)
    const mutated = (frame: string): string | Buffer => {
      const bytes = Buffer.from(frame)
      for (let n = 1 + below(3); n > 0; n--) bytes[below(bytes.length)] = below(256)
      return below(2) ? bytes : bytes.toString('latin1')
    }
    const frames = ['[2,1,0,{"a":[1]}]', '[3,0]', '[4]', '[6,"v"]', '[0,{"v":1}]', '[99,[[[[]]]]]']
    return crowd(times(1_000, scale), 20, n => {
      const rude = (socket: WebSocket) => {
        for (let i = 0; i < 20; i++) {
          const frame = mutated(frames[below(frames.length)] ?? '')
          socket.send(frame, { binary: below(2) === 0 })
        }
        socket.close(1001)
      }
      if (n % 2) return welcomed(url, rude)
      return open(url).then(socket => {
        const end = closed(socket)
        socket.send(mutated(String(helloOf({}))))
        rude(socket)
        return end
      })
    })
  },

  'never reads': ({ url }, scale) =>
    crowd(times(20, scale), 20, async () => {
      const socket = await open(url)
      const end = closed(socket)
      socket.send(helloOf({}))
      await heard(socket, 'message', 'close')
      socket.pause()
      // Each asks for an answer of 100 kB
      let n = 0
      const ask = setInterval(() => {
        if (n < 1_000 && socket.readyState === WebSocket.OPEN)
          for (let i = 0; i < 10; i++) socket.send(`[2,${++n},0,"much"]`)
      }, 10)
      await new Promise(resolve => setTimeout(resolve, 2_000))
      clearInterval(ask)
      socket.terminate()
      return end.then(() => 'gave up')
    }),
}
