import { expect, test } from 'vitest'
import { type Codec, json, text } from '../../src/index'
import { collect, until } from '../support/events'
import { connect, serve } from './rig'

const FRAMES = 100_000
const BATCH = 1_000

/** The same sequence for the same seed: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Frames of every kind: noise in text and in bytes, JSON that is whole, and JSON that is cut short or spoilt. */
function frames(random: () => number): () => string | Uint8Array {
  const below = (n: number) => Math.floor(random() * n)
  const noise = () => Uint8Array.from({ length: below(48) }, () => below(256))
  const letters = () =>
    String.fromCodePoint(...Array.from({ length: below(24) }, () => below(below(2) ? 128 : 0xd800)))
  const value = (depth: number): unknown => {
    const leaves = [null, true, -0, below(1e9), random(), letters()]
    if (!depth || below(3)) return leaves[below(leaves.length)]
    const list = Array.from({ length: below(4) }, () => value(depth - 1))
    return below(2) ? list : { ...list, ['__proto__']: value(0), type: letters() }
  }
  const whole = () => JSON.stringify(value(3))
  const kinds = [
    noise,
    letters,
    whole,
    () => new TextEncoder().encode(whole()),
    () => whole().slice(below(8)),
    () => '',
    () => new Uint8Array(),
    () => ['ping', '{"type":"pong"}', 'NaN', '\u2028', '\uFEFF{}', '{"__proto__":1}'][below(6)] ?? '',
  ]
  return () => kinds[below(kinds.length)]?.() ?? ''
}

test.each<[string, Codec]>([
  ['json', json()],
  ['text', text() as Codec],
])(
  `of 100 000 frames of anything each is delivered by %s or told of as an error, and the connection stays`,
  async (_, codec) => {
    const server = await serve('sink')
    const socket = connect(server.url, { codec })
    const closes = collect(socket, 'close')
    let delivered = 0
    let refused = 0
    let told: () => void = () => {}
    socket.on('message', () => {
      delivered++
      told()
    })
    socket.on('error', ({ code }) => {
      if (code === 'decode') refused++
      told()
    })
    await until(socket, 'open')

    const frame = frames(seeded(20_251_121))
    for (let sent = BATCH; sent <= FRAMES; sent += BATCH) {
      const arrived = new Promise<void>(resolve => {
        told = () => delivered + refused >= sent && resolve()
      })
      for (let i = 0; i < BATCH; i++) server.send(frame())
      await arrived
    }
    expect(delivered + refused).toBe(FRAMES)
    expect(delivered).toBeGreaterThan(FRAMES / 10)
    expect(refused).toBeGreaterThan(FRAMES / 20)
    expect(closes).toEqual([])
    expect(socket.state.name).toBe('open')
    expect(server.clients).toBe(1)
  },
  30_000,
)
