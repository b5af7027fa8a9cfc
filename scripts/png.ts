/** Makes a screenshot small: an interface has few colours, so the 256 most frequent will do for all of them. */

import { crc32, deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const MOST_COLOURS = 256

interface Pixels {
  readonly width: number
  readonly height: number
  /** 0xRRGGBB, row by row. */
  readonly colours: Uint32Array
}

/** @param png as browsers write it: 8 bits per channel, with or without alpha, not interlaced */
export function compact(png: Buffer): Buffer {
  return encode(decode(png))
}

function* chunks(png: Buffer): Generator<readonly [type: string, data: Buffer]> {
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at)
    yield [png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length)]
    at += length + 12
  }
}

function decode(png: Buffer): Pixels {
  const all = [...chunks(png)]
  const header = all[0]?.[1] ?? Buffer.alloc(13)
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)]
  const channels = header[9] === 6 ? 4 : 3
  const raw = inflateSync(Buffer.concat(all.filter(([type]) => type === 'IDAT').map(([, data]) => data)))
  const stride = width * channels
  const colours = new Uint32Array(width * height)
  let above = new Uint8Array(stride)
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1)
    const row = unfilter(raw[start] ?? 0, raw.subarray(start + 1, start + 1 + stride), above, channels)
    for (let x = 0; x < width; x++) {
      const [red = 0, green = 0, blue = 0] = row.subarray(x * channels, x * channels + 3)
      colours[y * width + x] = (red << 16) | (green << 8) | blue
    }
    above = row
  }
  return { width, height, colours }
}

/** PNG §9: each byte is told as the difference from its neighbours. */
function unfilter(filter: number, data: Uint8Array, above: Uint8Array, channels: number) {
  const row = new Uint8Array(data)
  for (let x = 0; x < row.length; x++) {
    const left = x < channels ? 0 : (row[x - channels] ?? 0)
    const up = above[x] ?? 0
    const corner = x < channels ? 0 : (above[x - channels] ?? 0)
    const guesses = [0, left, up, (left + up) >> 1, paeth(left, up, corner)]
    row[x] = (data[x] ?? 0) + (guesses[filter] ?? 0)
  }
  return row
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [byLeft, byUp, byCorner] = [left, up, corner].map(value => Math.abs(guess - value)) as [
    number,
    number,
    number,
  ]
  return byLeft <= byUp && byLeft <= byCorner ? left : byUp <= byCorner ? up : corner
}

function encode({ width, height, colours }: Pixels): Buffer {
  const frequency = new Map<number, number>()
  for (const colour of colours) frequency.set(colour, (frequency.get(colour) ?? 0) + 1)
  const byFrequency = [...frequency].sort(([, a], [, b]) => b - a).map(([colour]) => colour)
  const palette = byFrequency.slice(0, MOST_COLOURS)
  const index = new Map(byFrequency.map(colour => [colour, nearest(palette, colour)]))

  const rows = Buffer.alloc((width + 1) * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rows[y * (width + 1) + x + 1] = index.get(colours[y * width + x] ?? 0) ?? 0

  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits per pixel, by palette
  header[8] = 8
  header[9] = 3
  const entries = Buffer.from(palette.flatMap(colour => [colour >> 16, (colour >> 8) & 0xff, colour & 0xff]))
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', entries),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function nearest(palette: readonly number[], colour: number): number {
  const distances = palette.map(other =>
    [16, 8, 0].reduce((sum, shift) => sum + (((colour >> shift) & 0xff) - ((other >> shift) & 0xff)) ** 2, 0),
  )
  return distances.indexOf(Math.min(...distances))
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
