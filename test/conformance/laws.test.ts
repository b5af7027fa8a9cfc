/** Each law is broken once, and by nothing else. */

import { expect, test } from 'vitest'
import { read } from '../../src/conformance/frame'
import { createLaws, type LineLaws } from '../../src/conformance/laws'

const HELLO = { v: 1, id: 'i', key: 'k', nonce: 'n', epoch: 1, win: 2, max: 5 }
const WELCOME = { v: 1, nonce: 'n', sid: 's', ack: 0, win: 2, max: 5, ttl: 1, hb: 1 }

const hello = (fields: object = {}) => JSON.stringify([0, { ...HELLO, ...fields }])
const welcome = (fields: object = {}) => JSON.stringify([1, { ...WELCOME, ...fields }])

/** What came, after `>` what was sent. @returns the laws that were broken */
const broken = (line: LineLaws, ...frames: string[]): string[] =>
  frames.flatMap(frame => {
    if (frame.startsWith('>')) line.sent(frame.slice(1))
    else return line.received(frame, read(frame))?.replace(/:.*/, '') ?? []
    return []
  })

const begun = [`>${hello()}`, welcome()]

test.each<[string, string[], string[]]>([
  [
    'nothing',
    [...begun, '>[2,1,0,1]', '[2,1,0,1]', '[2,2,1,1]', '>[3,1]', '[2,3,1,1]', '[3,1]', '[4]', '[77]'],
    [],
  ],
  ['what is no frame', [...begun, 'hi'], ['frames']],
  ['a hello', [...begun, hello()], ['hello']],
  ['two welcomes', [...begun, welcome()], ['welcome']],
  ['a welcome to another hello', [`>${hello()}`, welcome({ nonce: 'm' })], ['welcome']],
  ['a message before the welcome', [`>${hello()}`, '[2,1,0,1]', '[3,0]', '[4]'], ['welcome', 'welcome']],
  ['an ack that goes down', [...begun, '>[2,1,0,1]', '[3,1]', '[3,0]'], ['ack']],
  ['an ack of what was not sent', [...begun, '[3,1]'], ['ack']],
  ['a welcome that acknowledges what was not sent', [`>${hello()}`, welcome({ ack: 1 })], ['ack']],
  ['a number left out', [...begun, '[2,2,0,1]'], ['numbers']],
  ['a number twice', [...begun, '[2,1,0,1]', '[2,1,0,1]'], ['numbers']],
  ['too many messages', [...begun, '[2,1,0,1]', '[2,2,0,1]', '[2,3,0,1]'], ['window']],
  ['too large a message', [...begun, '[2,1,0,"1234"]'], ['max']],
  ['too large a message by its bytes', [...begun, '[2,1,0,"ää"]'], ['max']],
])('a server that says %s', (_, frames, laws) => {
  expect(broken(createLaws('server').line(), ...frames)).toEqual(laws)
})

test('a server numbers from what the client has, on the connection that resumes', () => {
  const { line } = createLaws('server')
  expect(broken(line(), ...begun, '>[2,1,0,1]', '[2,1,0,1]', '[2,2,1,1]')).toEqual([])
  const resumed = [`>${hello({ sid: 's', ack: 1, nonce: 'm' })}`, welcome({ nonce: 'm', ack: 1 })]
  expect(broken(line(), ...resumed, '[2,2,1,1]', '[2,3,1,1]')).toEqual([])
  expect(broken(line(), ...resumed, '[2,1,1,1]')).toEqual(['numbers'])
  expect(broken(line(), ...resumed, '[2,2,0,1]')).toEqual(['ack'])
  // Another session knows nothing of what was sent in this
  const other = [`>${hello({ sid: 's', ack: 1, nonce: 'm' })}`, welcome({ nonce: 'm', sid: 't' })]
  expect(broken(line(), ...other, '[2,1,0,1]', '[3,1]')).toEqual(['ack'])
})

test.each<[string, string[], string[]]>([
  ['nothing', [hello(), `>${welcome()}`, '>[2,1,0,1]', '[2,1,1,1]', '[2,2,1,1]', '>[3,2]', '[2,3,1,1]'], []],
  ['a message before hello', ['[2,1,0,1]', hello()], ['hello']],
  ['two hellos', [hello(), hello()], ['hello']],
  ['a welcome', [hello(), welcome()], ['welcome']],
  ['a message before the welcome', [hello(), '[2,1,0,1]'], ['welcome']],
  [
    'a message after a welcome to another hello',
    [hello(), `>${welcome({ nonce: 'm' })}`, '[2,1,0,1]'],
    ['welcome'],
  ],
  ['an ack of what was not sent', [hello(), `>${welcome()}`, '[3,1]'], ['ack']],
  ['a number that is not the next', [hello(), `>${welcome()}`, '[2,2,0,1]'], ['numbers']],
  ['too many messages', [hello(), `>${welcome({ win: 1 })}`, '[2,1,0,1]', '[2,2,0,1]'], ['window']],
  ['too large a message', [hello(), `>${welcome()}`, '[2,1,0,"1234"]'], ['max']],
])('a client that says %s', (_, frames, laws) => {
  expect(broken(createLaws('client').line(), ...frames)).toEqual(laws)
})

test.each<[string, object, string[]]>([
  ['a higher epoch and another nonce', { epoch: 2, nonce: 'm' }, []],
  ['the same epoch', { epoch: 1, nonce: 'm' }, ['epoch']],
  ['the same nonce', { epoch: 2 }, ['nonce']],
  ['another id', { epoch: 2, nonce: 'm', id: 'j' }, ['identity']],
  ['another key', { epoch: 2, nonce: 'm', key: 'l' }, ['identity']],
])('a client that comes again with %s', (_, again, laws) => {
  const { line } = createLaws('client')
  expect(broken(line(), hello())).toEqual([])
  expect(broken(line(), hello(again))).toEqual(laws)
})

test('to an echo a client is welcomed by its own hello', () => {
  const line = createLaws('client').line()
  expect(broken(line, hello(), `>${hello()}`, '[2,1,0,1]', '>[2,1,0,1]', '[2,2,1,1]', '[2,4,1,1]')).toEqual([
    'numbers',
  ])
})

test('what is in bytes is measured without its head', () => {
  const line = createLaws('server').line()
  broken(line, ...begun)
  const frame = (...bytes: number[]) => {
    const data = Uint8Array.from([2, ...bytes])
    return line.received(data, read(data))
  }
  expect(frame(1, 0, 34, 49, 50, 51, 34)).toBeUndefined()
  expect(frame(2, 0, 34, 49, 50, 51, 52, 34)).toMatch(/^max: 6 bytes/)
})
