/**
 * Prints the frames that any implementation of the session protocol can be tried with; with --write, puts them beside
 * their document. What each means is said here by hand, and not by our parser: a test holds that against them.
 */

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const VECTORS = fileURLToPath(new URL('../docs/protocol/frames.json', import.meta.url))

/** What a payload is, wherever it came: text as it stands in the frame, or the hex of its bytes. */
export type Payload = { readonly text: string } | { readonly hex: string }

export type Meaning =
  /** Without fields: what is in them cannot be said in a file that everybody can read. */
  | { readonly kind: 'hello'; readonly hello?: object }
  | { readonly kind: 'welcome'; readonly welcome: object }
  | { readonly kind: 'msg'; readonly seq: number; readonly ack: number; readonly payload: Payload }
  | { readonly kind: 'ack'; readonly ack: number }
  | { readonly kind: 'ping' | 'pong' | 'unknown' }
  | { readonly kind: 'volatile'; readonly payload: Payload }

export interface Vector {
  readonly name: string
  /** Who may send it. */
  readonly direction: 'client' | 'server' | 'both'
  readonly opcode: 'text' | 'binary'
  /** The text, or the hex of the bytes. */
  readonly data: string
  /** What is read in it, */
  readonly frame?: Meaning
  /** or why it is refused. */
  readonly error?: 'not a frame' | 'version' | 'too large'
  /** What a reader may say instead of `frame`, whose JSON cannot hold it. */
  readonly or?: 'not a frame'
  /** Whether who has that to say writes it so. Of hello and welcome, the order of fields is free. */
  readonly canonical: boolean
}

const ABOUT = [
  'Frames of the session protocol, and how they are read. See PROTOCOL.md.',
  'direction: who sends it. opcode: of the WebSocket message. data: the text; if binary, the bytes in hex.',
  'frame: what has to be read in it. A payload is {"text": as it stands in the frame} or {"hex": its bytes}.',
  'The fields of hello and welcome are listed as they came: those that are null, or unknown, too, and those that are absent not. Where a hello has no fields here, only its kind is to be compared.',
  'error: why it is refused instead. or: what a reader may say in place of frame, if its JSON cannot hold this (half of a surrogate pair; more than 64 arrays and objects in each other).',
  'canonical: this frame is written exactly so (hello, welcome: as JSON).',
]

const LARGEST = 2 ** 53 - 1

const HELLO = {
  v: 1,
  id: 'Wq3mB1y5c0zt8lJk',
  key: 'n0tGu3ssable-x9c8v7b6',
  nonce: 'a1b2c3d4e5f6',
  epoch: 1,
  win: 256,
  max: 1_048_576,
}
const WELCOME = {
  v: 1,
  nonce: 'a1b2c3d4e5f6',
  sid: 'S1',
  ack: 0,
  win: 256,
  max: 1_048_576,
  ttl: 120_000,
  hb: 25_000,
}

type Side = Vector['direction']
const hex = (...bytes: number[]) => Buffer.from(bytes).toString('hex')
const utf8 = (text: string) => Buffer.from(text).toString('hex')
const without = (whole: object, field: string) =>
  Object.fromEntries(Object.entries(whole).filter(([name]) => name !== field))

const reads =
  (opcode: Vector['opcode'], canonical: boolean, direction: Side = 'both') =>
  (name: string, data: string, frame: Meaning): Vector => ({
    name,
    direction,
    opcode,
    data,
    frame,
    canonical,
  })
const refuses =
  (opcode: Vector['opcode'], error: NonNullable<Vector['error']> = 'not a frame', direction: Side = 'both') =>
  (name: string, data: string): Vector => ({ name, direction, opcode, data, error, canonical: false })

/** As it is written. */
const text = reads('text', true)
const binary = reads('binary', true)
/** As it may come as well. */
const also = reads('text', false)
const flipped = reads('binary', false)
const badText = refuses('text')
const badBinary = refuses('binary')

/** As it may come, and as not everybody's JSON can hold it. */
const perhaps = (name: string, data: string, frame: Meaning, direction: Side = 'both'): Vector => ({
  ...reads('text', false, direction)(name, data, frame),
  or: 'not a frame',
})

const msg = (seq: number, ack: number, payload: Payload): Meaning => ({ kind: 'msg', seq, ack, payload })
const inText = (text: string): Payload => ({ text })
const inHex = (hex: string): Payload => ({ hex })
const ack = (ack: number): Meaning => ({ kind: 'ack', ack })

const hellos = (): Vector[] => {
  const side = 'client'
  const written = reads('text', true, side)
  const alsoRead = reads('text', false, side)
  const bad = refuses('text', 'not a frame', side)
  const spelled = (hello: object) => `[0,${JSON.stringify(hello)}]`
  const good = (name: string, hello: object, how = written) =>
    how(`hello: ${name}`, spelled(hello), { kind: 'hello', hello })
  const wrong = (name: string, hello: object) => bad(`hello: ${name}`, spelled(hello))
  const ofLength = (length: number) => {
    const rest = length - spelled({ ...HELLO, auth: '' }).length
    return { ...HELLO, auth: 'x'.repeat(rest) }
  }
  const pairs = (length: number) => {
    const rest = length - spelled({ ...HELLO, auth: '' }).length
    return { ...HELLO, auth: `${'x'.repeat(rest % 2)}${'😀'.repeat(Math.floor(rest / 2))}` }
  }
  return [
    good('the first', HELLO),
    good('with credentials', { ...HELLO, auth: { token: 't', roles: ['a', null] } }),
    good('that resumes', { ...HELLO, epoch: 7, sid: 'S1', ack: 41 }),
    good('that resumes a session in which nothing came', { ...HELLO, epoch: 2, sid: 'S1', ack: 0 }),
    good('with null for what is absent', { ...HELLO, sid: null, ack: null, auth: null }, alsoRead),
    good('a session without an acknowledgement', { ...HELLO, sid: 'S1' }, alsoRead),
    good('an acknowledgement without a session', { ...HELLO, ack: 5 }, alsoRead),
    good('with fields that nobody knows', { ...HELLO, later: { a: 1 }, more: 2 }, alsoRead),
    good('with the largest numbers', { ...HELLO, epoch: LARGEST, win: LARGEST, max: LARGEST }),
    good('with names beyond ASCII', { ...HELLO, id: 'é😀', key: '钥匙', nonce: '\u0000' }),
    alsoRead('hello: with white space', `\n[ 0 ,\t${JSON.stringify(HELLO, null, 1)} ]\r\n`, {
      kind: 'hello',
      hello: HELLO,
    }),
    alsoRead('hello: with numbers as no writer would', spelled(HELLO).replace('"win":256', '"win":2.56e2'), {
      kind: 'hello',
      hello: HELLO,
    }),
    ...['-0', '0.0', '0e7'].map(kind =>
      alsoRead(`hello: its kind is spelled ${kind}`, spelled(HELLO).replace('0', kind), {
        kind: 'hello',
        hello: HELLO,
      }),
    ),
    ...['id', 'key', 'nonce'].map(field =>
      perhaps(
        `hello: ${field} is half of a surrogate pair, as an escape`,
        spelled({ ...HELLO, [field]: 'x\ud800' }),
        { kind: 'hello' },
        side,
      ),
    ),
    bad('hello: win has 3000 digits', spelled(HELLO).replace('256', '9'.repeat(3_000))),
    alsoRead('hello: the last of two fields counts', spelled(HELLO).replace('"v":1', '"v":2,"v":1'), {
      kind: 'hello',
      hello: HELLO,
    }),
    reads('binary', false, side)('hello: in a binary frame', utf8(spelled(HELLO)), {
      kind: 'hello',
      hello: HELLO,
    }),
    good('of 4096 units', ofLength(4_096)),
    good('of 4096 units, and more bytes', pairs(4_096)),
    refuses('text', 'too large', side)('hello: of 4097 units', spelled(ofLength(4_097))),
    refuses('text', 'too large', side)('hello: of 4097 units, fewer characters', spelled(pairs(4_097))),
    refuses('text', 'too large', side)('hello: of 4098 units, with blanks', `[0,${' '.repeat(4_093)}1]`),
    refuses(
      'text',
      'too large',
      side,
    )('hello: too large is found before the version is', spelled({ ...ofLength(4_097), v: 2 })),
    ...['v', 'id', 'key', 'nonce', 'epoch', 'win', 'max'].flatMap(field => [
      wrong(`without ${field}`, without(HELLO, field)),
      wrong(`${field} is null`, { ...HELLO, [field]: null }),
      wrong(`${field} is an array`, { ...HELLO, [field]: [1] }),
    ]),
    ...['id', 'key', 'nonce', 'sid'].flatMap(field => [
      wrong(`${field} is empty`, { ...HELLO, [field]: '' }),
      wrong(`${field} is a number`, { ...HELLO, [field]: 1 }),
    ]),
    ...['epoch', 'win', 'max'].flatMap(field => [
      wrong(`${field} is 0`, { ...HELLO, [field]: 0 }),
      wrong(`${field} is text`, { ...HELLO, [field]: '1' }),
      wrong(`${field} is 1.5`, { ...HELLO, [field]: 1.5 }),
      wrong(`${field} is 2^53`, { ...HELLO, [field]: 2 ** 53 }),
    ]),
    wrong('ack is -1', { ...HELLO, sid: 'S1', ack: -1 }),
    wrong('ack is text', { ...HELLO, sid: 'S1', ack: '0' }),
    wrong('ack is false', { ...HELLO, sid: 'S1', ack: false }),
    wrong('ack is half a number, and there is no session', { ...HELLO, ack: 0.5 }),
    wrong('epoch is true', { ...HELLO, epoch: true }),
    wrong('v is "1"', { ...HELLO, v: '1' }),
    wrong('v is 1.5', { ...HELLO, v: 1.5 }),
    wrong('v is -1', { ...HELLO, v: -1 }),
    wrong('v is true', { ...HELLO, v: true }),
    bad('hello: without a body', '[0]'),
    bad('hello: with a third element', `[0,${JSON.stringify(HELLO)},1]`),
    bad('hello: its body is null', '[0,null]'),
    bad('hello: its body is an array', '[0,[1]]'),
    bad('hello: its body is text', '[0,"hello"]'),
    bad('hello: cut off', spelled(HELLO).slice(0, -1)),
    bad('hello: with something after it', `${spelled(HELLO)}x`),
    ...(
      [
        ['version 2', 2],
        ['version 0', 0],
        ['version 2^53 - 1', LARGEST],
      ] as const
    ).map(([name, v]) => refuses('text', 'version', side)(`hello: ${name}`, spelled({ ...HELLO, v }))),
    refuses('text', 'version', side)('hello: of another version that has nothing else', '[0,{"v":2}]'),
    wrong('of another version, with a number that is too large', { v: 2 ** 53 }),
  ]
}

const welcomes = (): Vector[] => {
  const side = 'server'
  const written = reads('text', true, side)
  const alsoRead = reads('text', false, side)
  const bad = refuses('text', 'not a frame', side)
  const spelled = (welcome: object) => `[1,${JSON.stringify(welcome)}]`
  const good = (name: string, welcome: object, how = written) =>
    how(`welcome: ${name}`, spelled(welcome), { kind: 'welcome', welcome })
  const wrong = (name: string, welcome: object) => bad(`welcome: ${name}`, spelled(welcome))
  return [
    good('to a new session', WELCOME),
    good('to one that goes on', { ...WELCOME, ack: 57 }),
    good('another session, lost and what it had consumed', {
      ...WELCOME,
      lost: { reason: 'expired', ack: 57 },
    }),
    good('another session, lost and nothing known', { ...WELCOME, lost: { reason: 'unknown' } }),
    good('lost is null', { ...WELCOME, lost: null }, alsoRead),
    good('lost.ack is null', { ...WELCOME, lost: { reason: 'unknown', ack: null } }, alsoRead),
    good('a reason that nobody knows', { ...WELCOME, lost: { reason: 'moon', phase: 3 } }, alsoRead),
    good('with fields that nobody knows', { ...WELCOME, later: [] }, alsoRead),
    good('ttl is 0', { ...WELCOME, ttl: 0 }),
    good('longer than a hello may be', { ...WELCOME, sid: 'S'.repeat(5_000) }),
    reads('binary', false, side)('welcome: in a binary frame', utf8(spelled(WELCOME)), {
      kind: 'welcome',
      welcome: WELCOME,
    }),
    ...Object.keys(WELCOME).flatMap(field => [
      wrong(`without ${field}`, without(WELCOME, field)),
      wrong(`${field} is null`, { ...WELCOME, [field]: null }),
    ]),
    ...['win', 'max', 'hb'].map(field => wrong(`${field} is 0`, { ...WELCOME, [field]: 0 })),
    ...['ack', 'ttl'].map(field => wrong(`${field} is -1`, { ...WELCOME, [field]: -1 })),
    wrong('sid is empty', { ...WELCOME, sid: '' }),
    wrong('ttl is half a number', { ...WELCOME, ttl: 0.5 }),
    wrong('lost without a reason', { ...WELCOME, lost: {} }),
    wrong('lost with an empty reason', { ...WELCOME, lost: { reason: '' } }),
    wrong('lost.ack is text', { ...WELCOME, lost: { reason: 'expired', ack: '1' } }),
    wrong('lost is text', { ...WELCOME, lost: 'expired' }),
    bad('welcome: without a body', '[1]'),
    refuses('text', 'version', side)('welcome: of another version', '[1,{"v":2}]'),
  ]
}

const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

const messages = (): Vector[] => [
  text('msg: an object', '[2,1,0,{"a":1}]', msg(1, 0, inText('{"a":1}'))),
  text('msg: null', '[2,1,0,null]', msg(1, 0, inText('null'))),
  text('msg: text', '[2,12,34,"hi"]', msg(12, 34, inText('"hi"'))),
  text('msg: arrays and brackets', '[2,1,0,[[],"]",[1,2]]]', msg(1, 0, inText('[[],"]",[1,2]]'))),
  text('msg: text that ends like a frame', '[2,1,0,"]"]', msg(1, 0, inText('"]"'))),
  text('msg: text that looks like a frame', '[2,1,0,"[2,2,0,1]"]', msg(1, 0, inText('"[2,2,0,1]"'))),
  text('msg: a frame as a payload', '[2,1,0,[2,2,0,1]]', msg(1, 0, inText('[2,2,0,1]'))),
  text('msg: beyond ASCII', '[2,1,0,"é 钥 😀"]', msg(1, 0, inText('"é 钥 😀"'))),
  text(
    'msg: escapes stay as they are',
    '[2,1,0,"\\u00e9\\ud83d\\ude00"]',
    msg(1, 0, inText('"\\u00e9\\ud83d\\ude00"')),
  ),
  text('msg: numbers stay as they are', '[2,1,0,1.50e+400]', msg(1, 0, inText('1.50e+400'))),
  text('msg: 2000 arrays in each other', `[2,1,0,${deep(2_000)}]`, msg(1, 0, inText(deep(2_000)))),
  text('msg: the largest numbers', `[2,${LARGEST},${LARGEST},0]`, msg(LARGEST, LARGEST, inText('0'))),
  text('msg: line breaks in the payload', '[2,1,0,{\n}]', msg(1, 0, inText('{\n}'))),
  text(
    'msg: text of a codec that is not JSON',
    '[2,1,0,"say \\"hi\\""]',
    msg(1, 0, inText('"say \\"hi\\""')),
  ),
  also('msg: blanks in the head', '[ 2 , 300 , 7 ,"x"]', msg(300, 7, inText('"x"'))),
  also('msg: blanks around the payload belong to it', '[2,1,0, "x" ]', msg(1, 0, inText(' "x" '))),
  also('msg: a payload that is not JSON', '[2,1,0,no JSON]', msg(1, 0, inText('no JSON'))),
  also('msg: a payload that is empty', '[2,1,0,]', msg(1, 0, inText(''))),
  also('msg: a payload that would be two', '[2,1,0,1,2]', msg(1, 0, inText('1,2'))),
  also('msg: a payload that is not closed', '[2,1,0,{"a":[1]', msg(1, 0, inText('{"a":[1'))),
  flipped('msg: text in a binary frame', utf8('[2,1,0,"é"]'), msg(1, 0, inText('"é"'))),
  badText('msg: number 0', '[2,0,0,1]'),
  badText('msg: 2^53', '[2,9007199254740992,0,1]'),
  badText('msg: an acknowledgement of 2^53', '[2,1,9007199254740992,1]'),
  badText('msg: 16 digits that are too many', '[2,9999999999999999,0,1]'),
  badText('msg: 17 digits', '[2,10000000000000000,0,1]'),
  badText('msg: a leading zero', '[2,01,0,1]'),
  badText('msg: a leading zero in the acknowledgement', '[2,1,00,1]'),
  badText('msg: a sign', '[2,+1,0,1]'),
  badText('msg: a negative acknowledgement', '[2,1,-1,1]'),
  badText('msg: minus zero', '[2,1,-0,1]'),
  badText('msg: with an exponent', '[2,1e0,0,1]'),
  badText('msg: with a point', '[2,1.0,0,1]'),
  badText('msg: a number as text', '[2,"1",0,1]'),
  badText('msg: without a number', '[2,null,0,1]'),
  badText('msg: without a payload', '[2,1,0]'),
  badText('msg: nothing but a number', '[2,1]'),
  badText('msg: nothing', '[2]'),
  badText('msg: digits beyond ASCII', '[2,١,0,1]'),
  badText('msg: a line break in the head', '[\n2,1,0,1]'),
  badText('msg: a tab in the head', '[2,\t1,0,1]'),
  badText('msg: a blank before it', ' [2,1,0,1]'),
  badText('msg: a blank after it', '[2,1,0,1] '),
  badText('msg: a line break after it', '[2,1,0,1]\n'),
  badText('msg: cut off', '[2,1,0,"x"'),
  badText('msg: the kind is spelled otherwise', '[2.0,1,0,1]'),
  badText('msg: two frames in one', '[2,1,0,1][2,2,0,1'),

  text('volatile: an object', '[6,{"cursor":[10,20]}]', {
    kind: 'volatile',
    payload: inText('{"cursor":[10,20]}'),
  }),
  also('volatile: blanks', '[ 6 , 1 ]', { kind: 'volatile', payload: inText(' 1 ') }),
  also('volatile: a payload that is not JSON', '[6,oops]', { kind: 'volatile', payload: inText('oops') }),
  also('volatile: a payload that is empty', '[6,]', { kind: 'volatile', payload: inText('') }),
  flipped('volatile: text in a binary frame', utf8('[6,1]'), { kind: 'volatile', payload: inText('1') }),
  badText('volatile: without a payload', '[6]'),
  badText('volatile: a line break in the head', '[6\n,1]'),
]

const binaries = (): Vector[] => [
  binary('msg: no bytes', hex(2, 1, 0), msg(1, 0, inHex(''))),
  binary('msg: bytes', hex(2, 1, 0, 0xde, 0xad), msg(1, 0, inHex('dead'))),
  binary('msg: bytes that look like text', hex(2, 1, 0, 0x5b, 0x34, 0x5d), msg(1, 0, inHex('5b345d'))),
  binary('msg: bytes that are no UTF-8', hex(2, 1, 0, 0xff, 0xfe), msg(1, 0, inHex('fffe'))),
  binary('msg: LEB128 of 127', hex(2, 127, 127), msg(127, 127, inHex(''))),
  binary('msg: LEB128 of 128', hex(2, 0x80, 1, 0x80, 1), msg(128, 128, inHex(''))),
  binary('msg: LEB128 of 300, and a payload', hex(2, 0xac, 2, 127, 9, 8), msg(300, 127, inHex('0908'))),
  binary('msg: LEB128 of 16383 and 16384', hex(2, 0xff, 0x7f, 0x80, 0x80, 1), msg(16_383, 16_384, inHex(''))),
  binary(
    'msg: LEB128 of 2^31 - 1 and 2^31',
    hex(2, 0xff, 0xff, 0xff, 0xff, 7, 0x80, 0x80, 0x80, 0x80, 8),
    msg(2 ** 31 - 1, 2 ** 31, inHex('')),
  ),
  binary(
    'msg: LEB128 of 2^32 - 1 and 2^32',
    hex(2, 0xff, 0xff, 0xff, 0xff, 15, 0x80, 0x80, 0x80, 0x80, 16),
    msg(2 ** 32 - 1, 2 ** 32, inHex('')),
  ),
  binary(
    'msg: LEB128 of 2^49 - 1 and 2^49',
    hex(2, 255, 255, 255, 255, 255, 255, 127, 128, 128, 128, 128, 128, 128, 128, 1),
    msg(2 ** 49 - 1, 2 ** 49, inHex('')),
  ),
  binary(
    'msg: LEB128 of 2^53 - 1',
    hex(2, 255, 255, 255, 255, 255, 255, 255, 15, 255, 255, 255, 255, 255, 255, 255, 15),
    msg(LARGEST, LARGEST, inHex('')),
  ),
  binary('msg: a zero that belongs to the payload', hex(2, 1, 0, 0), msg(1, 0, inHex('00'))),
  badBinary('msg: LEB128 of 2^53', hex(2, 128, 128, 128, 128, 128, 128, 128, 16, 0)),
  badBinary('msg: LEB128 of 2^53 as an acknowledgement', hex(2, 1, 128, 128, 128, 128, 128, 128, 128, 16)),
  badBinary('msg: LEB128 of 2^56 - 1', hex(2, 255, 255, 255, 255, 255, 255, 255, 127, 0)),
  badBinary('msg: LEB128 of nine bytes', hex(2, 128, 128, 128, 128, 128, 128, 128, 128, 1, 0)),
  badBinary(
    'msg: LEB128 of nine bytes, though the number is 1',
    hex(2, 129, 128, 128, 128, 128, 128, 128, 128, 0, 0),
  ),
  badBinary('msg: 0 in two bytes', hex(2, 0x80, 0, 0)),
  badBinary('msg: 1 in two bytes', hex(2, 0x81, 0, 0)),
  badBinary('msg: an acknowledgement of 0 in two bytes', hex(2, 1, 0x80, 0)),
  badBinary('msg: 128 in three bytes', hex(2, 0x80, 0x81, 0, 0)),
  badBinary('msg: number 0 in binary', hex(2, 0, 0)),
  badBinary('msg: cut off before the numbers', hex(2)),
  badBinary('msg: cut off in the number', hex(2, 0x80)),
  badBinary('msg: cut off between the numbers', hex(2, 1)),
  badBinary('msg: cut off in the acknowledgement', hex(2, 1, 0x80)),
  binary('volatile: bytes', hex(6, 1, 2), { kind: 'volatile', payload: inHex('0102') }),
  binary('volatile: no bytes', hex(6), { kind: 'volatile', payload: inHex('') }),
  badBinary('nothing, in binary', ''),
  ...[0, 1, 3, 4, 5, 7, 0x20, 0x2a, 63].map(kind => badBinary(`kind ${kind} in binary`, hex(kind, 1, 0))),
  ...[64, 90, 92, 0x7b, 127, 128, 255].map(kind =>
    flipped(`kind ${kind} in binary, of an extension`, hex(kind), { kind: 'unknown' }),
  ),
  badBinary('an opening bracket alone', hex(0x5b)),
  badBinary('brackets around no UTF-8', hex(0x5b, 0xff, 0x5d)),
  badBinary('a ping with an overlong byte', hex(0x5b, 0xc0, 0xb4, 0x5d)),
  badBinary('a payload that is no UTF-8', `${utf8('[2,1,0,"')}ff${utf8('"]')}`),
  badBinary('a payload with half a pair', `${utf8('[2,1,0,"')}eda080${utf8('"]')}`),
  flipped('a byte order mark before a frame is a kind of an extension', `efbbbf${utf8('[4]')}`, {
    kind: 'unknown',
  }),
  badBinary('a blank before a frame, in binary', utf8(' [4]')),
]

const others = (): Vector[] => [
  text('ack: 0', '[3,0]', ack(0)),
  text('ack: 57', '[3,57]', ack(57)),
  text('ack: 2^53 - 1', `[3,${LARGEST}]`, ack(LARGEST)),
  also('ack: white space', ' [\n3 ,\t5 ]\r\n', ack(5)),
  also('ack: a number as no writer would', '[3.0,5e0]', ack(5)),
  also('ack: minus zero', '[3,-0]', ack(0)),
  also('ack: a fraction that no double holds', '[3,3.0000000000000000001]', ack(3)),
  also('ack: 2^53 - 1 and a fraction that no double holds', `[3,${LARGEST}.4]`, ack(LARGEST)),
  also('ack: too small for a double', '[3,1e-400]', ack(0)),
  also('ack: 5000 zeros after the point', `[3,5.${'0'.repeat(5_000)}]`, ack(5)),
  badText('ack: a fraction that as a double is 2^53', `[3,${LARGEST}.5]`),
  badText('ack: 5000 digits', `[3,${'9'.repeat(5_000)}]`),
  flipped('ack: in a binary frame', utf8('[3,5]'), ack(5)),
  badText('ack: 2^53', '[3,9007199254740992]'),
  badText('ack: negative', '[3,-1]'),
  badText('ack: half a number', '[3,0.5]'),
  badText('ack: text', '[3,"5"]'),
  badText('ack: null', '[3,null]'),
  badText('ack: true', '[3,true]'),
  badText('ack: without a number', '[3]'),
  badText('ack: with two', '[3,5,6]'),
  badText('ack: with a leading zero', '[3,05]'),
  text('ping', '[4]', { kind: 'ping' }),
  text('pong', '[5]', { kind: 'pong' }),
  also('ping: white space', ' [ 4 ] ', { kind: 'ping' }),
  also('ping: a number as no writer would', '[4.0]', { kind: 'ping' }),
  flipped('ping: in a binary frame', utf8('[4]'), { kind: 'ping' }),
  flipped('pong: in a binary frame', utf8('[5]'), { kind: 'pong' }),
  badText('ping: with something', '[4,0]'),
  badText('pong: with something', '[5,null]'),
  badText('ping: as text', '["4"]'),
  also('kind 64, of an extension', '[64]', { kind: 'unknown' }),
  also('kind 64, with anything', '[64,{"later":true},1,null]', { kind: 'unknown' }),
  also('kind 91', '[91]', { kind: 'unknown' }),
  also('kind 64, as no writer would spell it', '[6.4e1]', { kind: 'unknown' }),
  also('kind 64, with an integer of 5000 digits', `[64,${'9'.repeat(5_000)}]`, { kind: 'unknown' }),
  also('kind 64, with 63 arrays in each other', `[64,${deep(63)}]`, { kind: 'unknown' }),
  perhaps('kind 64, with 64 arrays in each other', `[64,${deep(64)}]`, { kind: 'unknown' }),
  perhaps('kind 64, with 5000 arrays in each other', `[64,${deep(5_000)}]`, { kind: 'unknown' }),
  perhaps('kind 64, with half of a surrogate pair, as an escape', '[64,"\\ud800"]', { kind: 'unknown' }),
  badText('a kind of 5000 digits', `[${'9'.repeat(5_000)}]`),
  also('kind 2^53 - 1', `[${LARGEST},1]`, { kind: 'unknown' }),
  flipped('kind 64, text in a binary frame', utf8('[64]'), { kind: 'unknown' }),
  ...[7, 8, 62, 63].flatMap(kind => [
    badText(`kind ${kind}, yet to be defined`, `[${kind}]`),
    badText(`kind ${kind}, with something`, `[${kind},{}]`),
  ]),
  badText('kind 2^53', '[9007199254740992]'),
  badText('kind 64.5', '[64.5]'),
  badText('kind -1', '[-1]'),
  badText('kind as text', '["64"]'),
  badText('kind null', '[null]'),
  badText('kind true', '[true,1]'),
  badText('an extension that is no JSON', '[64,oops]'),
  badText('nothing', ''),
  badText('a blank', ' '),
  badText('text that is no JSON', 'hello'),
  badText('an object', '{"kind":4}'),
  badText('a number', '4'),
  badText('null', 'null'),
  badText('a frame as text', '"[4]"'),
  badText('an empty array', '[]'),
  badText('an array of a frame', '[[4]]'),
  badText('an array that is not closed', '[4'),
  badText('a comma too many', '[4,]'),
  badText('two frames', '[4][4]'),
  badText('not a number', '[3,NaN]'),
  badText('infinity', '[64,Infinity]'),
  badText('a byte order mark', '\ufeff[4]'),
  badText('a space that JSON does not know', '\u00a0[4]'),
  badText('quotes that JSON does not know', "[64,'x']"),
  badText('a comment', '[4/**/]'),
]

export const vectors: readonly Vector[] = [
  ...hellos(),
  ...welcomes(),
  ...messages(),
  ...binaries(),
  ...others(),
]

/** One line for each: so a difference shows what it is about. */
export const printed = (): string =>
  `{\n"protocol": "reconnecting-socket.v1",\n"about": ${JSON.stringify(ABOUT)},\n"vectors": [\n${vectors.map(vector => JSON.stringify(vector)).join(',\n')}\n]\n}\n`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) writeFileSync(VECTORS, printed())
  else process.stdout.write(printed())
}
