/** What an editor tells somebody who writes: by the packed types, without a look at the README. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { members, properties } from '../docs/source'
import { type Consumer, createConsumer } from './consumer'
import { type Editor, startEditor } from './editor'

const PATIENCE_MS = 60_000

let consumer: Consumer
let editor: Editor

beforeAll(async () => {
  consumer = await createConsumer()
  await consumer.add('zod')
  editor = await startEditor(consumer)
}, PATIENCE_MS)

afterAll(async () => {
  await editor.stop()
  await consumer.remove()
})

const socket = `import { ReconnectingSocket } from 'reconnecting-socket'
const socket = new ReconnectingSocket<{ price: number }, { subscribe: string }>('wss://example.com')
`
const options = (inside: string) =>
  `import { ReconnectingSocket } from 'reconnecting-socket'\nnew ReconnectingSocket('/feed', { ${inside} })\n`

const names = (hints: readonly { readonly name: string }[]) => hints.map(({ name }) => name).sort()
const namesIn = (type: string) => names(properties('src/options.ts', type))
const undocumented = (hints: Awaited<ReturnType<Editor['complete']>>) =>
  hints.filter(({ documentation }) => !documentation).map(({ name }) => name)

test.each([
  ['the options', '|', 'Options'],
  ['those of the heartbeat', 'heartbeat: { | }', 'HeartbeatOptions'],
  ['those of the backoff', 'backoff: { | }', 'BackoffOptions'],
  ['those of the queue', 'queue: { | }', 'QueueOptions'],
])(
  'completes %s, each with what it does and its default',
  async (_, inside, type) => {
    const hints = await editor.complete(options(inside))
    expect(names(hints)).toEqual(namesIn(type))
    expect(undocumented(hints)).toEqual([])
    const defaults = properties('src/options.ts', type).flatMap(({ name, default: fallback }) =>
      fallback === undefined ? [] : [[name, fallback]],
    )
    const shown = hints.flatMap(({ name, tags }) => ('default' in tags ? [[name, tags.default]] : []))
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(defaults))
  },
  PATIENCE_MS,
)

test('completes the words that an option may be', async () => {
  const hints = await editor.complete(options("queue: { overflow: '|' }"))
  expect(names(hints)).toEqual(['drop-newest', 'drop-oldest', 'throw'])
})

test.each([
  ['an option that there is not', 'retries: 3', "'retries'"],
  ['an option in the wrong place', 'queue: { baseMs: 1 }', "'baseMs'"],
  ['a word where there is to be a number', "minUptimeMs: '5s'", "'string'"],
])('underlines %s', async (_, inside, name) => {
  expect(await editor.errors(options(inside))).toEqual([expect.stringContaining(name)])
})

test('shows what an option does, and its default, when the mouse rests on it', async () => {
  const { name, documentation, tags } = await editor.hover(options('minUpti|meMs: 5_000'))
  expect(name).toContain('minUptimeMs?: number')
  expect(documentation).toContain('in ms')
  expect(tags).toEqual({ default: '10_000' })
})

test('completes the methods of a socket, each with what it does, and nothing private', async () => {
  const hints = await editor.complete(`${socket}socket.|\n`)
  const symbols = /^\[/
  expect(names(hints)).toEqual(
    members('src/reconnecting-socket.ts', 'ReconnectingSocket')
      .filter(name => !symbols.test(name))
      .sort(),
  )
  expect(undocumented(hints)).toEqual([])
})

test.each(['on', 'once'])('completes the names of the events in %s', async method => {
  const hints = await editor.complete(`${socket}socket.${method}('|')\n`)
  expect(names(hints)).toEqual(names(properties('src/events.ts', 'EventMap')))
})

test('knows the type of a message in its listener', async () => {
  const { name } = await editor.hover(`${socket}socket.on('message', mess|age => {})\n`)
  expect(name.replace(/\s+/g, ' ')).toBe('(parameter) message: { price: number; }')
})

test('shows the type of what may be sent', async () => {
  const [message] = await editor.signature(`${socket}socket.send(|)\n`)
  expect(message).toBe('message: { subscribe: string; }')
})

const typed = `import { ReconnectingSocket } from 'reconnecting-socket'
import * as z from 'zod'
const socket = new ReconnectingSocket('/feed', {
  incoming: z.object({ at: z.number().transform(ms => new Date(ms)) }),
  outgoing: z.object({ at: z.string().transform(Number) }),
})
`

test('knows the type of a message by what the schema makes of it', async () => {
  const { name } = await editor.hover(`${typed}socket.on('message', mess|age => {})\n`)
  expect(name.replace(/\s+/g, ' ')).toBe('(parameter) message: { at: Date; }')
  const hints = await editor.complete(`${typed}socket.on('message', message => message.|)\n`)
  expect(names(hints)).toEqual(['at'])
})

test('shows the type of what may be sent by what the schema takes', async () => {
  const [message] = await editor.signature(`${typed}socket.send(|)\n`)
  expect(message).toBe('message: { at: string; }')
  expect(await editor.errors(`${typed}socket.send({ at: 1 })\n`)).toHaveLength(1)
})

test('completes the codes of an error', async () => {
  const hints = await editor.complete(`${socket}socket.on('error', error => error.code === '|')\n`)
  expect(names(hints)).toContain('queue-full')
})

test('completes what the package exports', async () => {
  const hints = await editor.complete("import { | } from 'reconnecting-socket'\n")
  expect(names(hints)).toEqual(
    expect.arrayContaining(['FatalError', 'ReconnectingSocket', 'SocketError', 'bytes', 'json', 'text']),
  )
  expect(undocumented(hints.filter(({ name }) => name !== 'type'))).toEqual([])
})
