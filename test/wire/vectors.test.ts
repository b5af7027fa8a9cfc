/** The vectors that are published: parser, writer and spec agree with them, and a parser that errs does not. */

import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { type Meaning, type Payload, printed, VECTORS, type Vector } from '../../scripts/vectors'
import { frame as spec } from '../../src/spec'
import * as wire from '../../src/wire/frames'

type Data = string | Uint8Array<ArrayBuffer>
type Wire = Pick<typeof wire, 'parseFrame' | 'writeFrame'>

const published = readFileSync(VECTORS, 'utf8')
const { vectors } = JSON.parse(published) as { vectors: readonly Vector[] }

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const raw = ({ opcode, data }: Vector): Data => (opcode === 'text' ? data : bytes(data))
const payload = (payload: Payload): Data => ('text' in payload ? payload.text : bytes(payload.hex))

/** As our parser answers it. */
const asFrame = (meaning: Meaning): wire.Frame => {
  if (!('payload' in meaning)) return meaning as wire.Frame
  const { payload: said, ...rest } = meaning
  return { ...rest, data: payload(said) } as wire.Frame
}

/** -0 is as good as 0, and bytes are bytes, whatever buffer they are a part of. */
const plain = (value: unknown): unknown => {
  if (value === 0) return 0
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || !value) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}
const same = (a: unknown, b: unknown) => isDeepStrictEqual(plain(a), plain(b))

/** What is not as the vector says, if anything. */
const complaint = ({ parseFrame, writeFrame }: Wire, vector: Vector): string | undefined => {
  const { name, frame: meaning, error, canonical } = vector
  const parsed = parseFrame(raw(vector))
  if (meaning?.kind === 'hello' && !meaning.hello)
    return typeof parsed !== 'string' && parsed.kind === 'hello' ? undefined : `${name}: is refused`
  if (!same(parsed, meaning ? asFrame(meaning) : error)) return `${name}: reads ${JSON.stringify(parsed)}`
  if (!canonical || !meaning) return undefined
  const frame = asFrame(meaning)
  if (frame.kind === 'unknown') return `${name}: nobody writes what is unknown`
  const written = writeFrame(frame)
  const isObject = frame.kind === 'hello' || frame.kind === 'welcome'
  const isSame = isObject
    ? same(JSON.parse(String(written)), JSON.parse(vector.data))
    : same(written, raw(vector))
  return isSame ? undefined : `${name}: writes ${written}`
}

/** What the spec says of it: of messages, only if the payload is JSON. */
const arrayOf = (meaning: Meaning): readonly unknown[] | undefined => {
  const value = (said: Payload): unknown => ('text' in said ? JSON.parse(said.text) : bytes(said.hex))
  switch (meaning.kind) {
    case 'hello':
      return meaning.hello && [0, meaning.hello]
    case 'welcome':
      return [1, meaning.welcome]
    case 'msg':
      return [2, meaning.seq, meaning.ack, value(meaning.payload)]
    case 'ack':
      return [3, meaning.ack]
    case 'ping':
      return [4]
    case 'pong':
      return [5]
    case 'volatile':
      return [6, value(meaning.payload)]
    case 'unknown':
      return undefined
  }
}
const isReadable = ({ frame }: Vector): boolean => {
  try {
    if (frame) arrayOf(frame)
    return !!frame
  } catch {
    return false
  }
}

test('the file is what `npm run vectors` writes', () => expect(published).toBe(printed()))

test('no two have one name, and none is there twice', () => {
  const unique = (of: (vector: Vector) => string) => new Set(vectors.map(of)).size
  expect(vectors.length).toBeGreaterThan(200)
  expect(unique(({ name }) => name)).toBe(vectors.length)
  expect(unique(({ opcode, data }) => `${opcode} ${data}`)).toBe(vectors.length)
  for (const { name, frame, error, or } of vectors) {
    expect([name, !frame !== !error]).toEqual([name, true])
    expect([name, !or || !!frame]).toEqual([name, true])
  }
})

test('they have each kind, as it is written, and each way to be refused', () => {
  const kinds = vectors.flatMap(({ frame, canonical, opcode }) =>
    frame && canonical ? `${opcode} ${frame.kind}` : [],
  )
  expect([...new Set(kinds)].sort()).toEqual(
    ['binary msg', 'binary volatile', ...Object.keys(TEXT).map(kind => `text ${kind}`)].sort(),
  )
  const errors = new Set(vectors.flatMap(({ error }) => error ?? []))
  expect([...errors].sort()).toEqual(['not a frame', 'too large', 'version'])
})

const TEXT: Record<Exclude<Meaning['kind'], 'unknown'>, true> = {
  hello: true,
  welcome: true,
  msg: true,
  ack: true,
  ping: true,
  pong: true,
  volatile: true,
}

test('parser and writer do what they say', () => {
  expect(vectors.flatMap(vector => complaint(wire, vector) ?? [])).toEqual([])
})

test('so does the spec, but for payloads, which it looks at', () => {
  for (const vector of vectors) {
    const { name, frame } = vector
    const said = spec.safeParse(raw(vector))
    expect([name, said.success]).toEqual([name, isReadable(vector)])
    if (!frame || !said.success) continue
    const expected = arrayOf(frame)
    if (expected) expect([name, plain(said.data)]).toEqual([name, plain(expected)])
    else if (frame.kind === 'hello') expect([name, said.data[0]]).toEqual([name, 0])
    else expect([name, Number(said.data[0]) >= 64]).toEqual([name, true])
  }
})

describe('a planted bug does not pass', () => {
  const path = fileURLToPath(new URL('../../src/wire/frames.ts', import.meta.url))
  const source = readFileSync(path, 'utf8')

  const load = async (contents: string): Promise<Wire> => {
    const { outputFiles } = await build({
      stdin: { contents, loader: 'ts', resolveDir: dirname(path) },
      bundle: true,
      format: 'esm',
      write: false,
    })
    const code = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64')
    return import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)
  }

  /** An implementation that throws has failed as well. */
  const fails = (wire: Wire) =>
    vectors.some(vector => {
      try {
        return complaint(wire, vector) !== undefined
      } catch {
        return true
      }
    })

  test('but the source as it is does', async () => expect(fails(await load(source))).toBe(false))

  test.each([
    ['text in a binary frame is not looked for', 'data[0] !== BRACKET', 'true'],
    ['a hello may be longer', 'LONGEST_HELLO = 4_096', 'LONGEST_HELLO = 4_097'],
    ['a hello may be less long', 'text.length > LONGEST_HELLO', 'text.length >= LONGEST_HELLO'],
    ['extensions begin later', 'FIRST_EXTENSION = 64', 'FIRST_EXTENSION = 65'],
    ['extensions begin earlier', 'FIRST_EXTENSION = 64', 'FIRST_EXTENSION = 63'],
    ['LEB128 by shifts of 32 bits', 'value += (byte % 128) * scale', 'value |= (byte % 128) * scale'],
    ['LEB128 may be longer than it need be', 'return byte || scale === 1 ? value : NaN', 'return value'],
    ['LEB128 may have seven bytes only', 'scale <= 128 ** 7', 'scale <= 128 ** 6'],
    ['LEB128 that is cut off is 0', 'bytes[at++] ?? NaN', 'bytes[at++] ?? 0'],
    ['LEB128 of 128 is written in one byte', 'value < 128 ? [value]', 'value <= 128 ? [value]'],
    ['LEB128 is written by shifts', 'Math.floor(value / 128)', 'value >>> 7'],
    ['a number may be 2 ** 53', 'Number.isSafeInteger(value)', 'Number.isInteger(value)'],
    ['a message may have the number 0', 'isCount(seq, 1) && isCount(ack)', 'isCount(seq) && isCount(ack)'],
    ['heads may have leading zeros', '2 *, *(0|[1-9]\\d{0,15})', '2 *, *(\\d{1,16})'],
    ['heads may have any white space', '/^\\[ *(?:6|2', '/^\\s*\\[\\s*(?:6|2'],
    ['a payload ends at the first bracket', 'head[0].length, -1)', "head[0].length, text.indexOf(']'))"],
    ['blanks of a payload are cut', 'head[0].length, -1)', 'head[0].length, -1).trim()'],
    ['a message need not end', "text.endsWith(']') && HEAD", 'HEAD'],
    ['more elements do no harm', 'frame.length}`', 'Math.min(frame.length, kind < 4 ? 2 : 1)}`'],
    ['the version is not looked at', "isCount(v) && v !== 1 ? 'version'", "false ? 'version'"],
    ['any version is another', "isCount(v) && v !== 1 ? 'version'", "v !== 1 ? 'version'"],
    ['null is not as good as absent', 'sid ?? key]', 'sid === undefined ? key : sid]'],
    ['an acknowledgement in hello is not looked at', 'isCount(ack ?? 0)', 'true'],
    ['a name may be empty', "!!value && typeof value === 'string'", "typeof value === 'string'"],
    [
      'a window may be 0',
      '[epoch, win, max].every(isPositive)',
      '[epoch, win, max].every(each => isCount(each))',
    ],
    ['lost need not have a reason', '[nonce, sid, reason]', '[nonce, sid]'],
    ['what lost had consumed is not looked at', 'consumed ?? 0]', '0]'],
    ['a ping has a nonce', "return '[4]'", "return '[4,1]'"],
    [
      'a payload is encoded twice',
      'const { seq, ack, data } = frame',
      'const { seq, ack } = frame; const data = JSON.stringify(frame.data)',
    ],
    ['minus zero is no kind', 'if (!isCount(kind))', 'if (!isCount(kind) || Object.is(kind, -0))'],
    ['a number of many digits is none', 'JSON.parse(text)', 'JSON.parse(text.replace(/\\d{999}/, "x"))'],
    ['63 arrays in each other are too many', 'JSON.parse(text)', 'JSON.parse(text.replace(/\\[{63}/, "x"))'],
    ['malformed UTF-8 throws', "} catch {\n    return 'not a frame'", '} catch (error) {\n    throw error'],
    ['a volatile message is none in binary', 'if (kind === 6) return', 'if (kind === 66) return'],
  ])('%s', { timeout: 30_000 }, async (_, find, replace) => {
    expect(source.split(find), 'the planted bug still has its place in the source').toHaveLength(2)
    expect(fails(await load(source.replace(find, () => replace)))).toBe(true)
  })
})
