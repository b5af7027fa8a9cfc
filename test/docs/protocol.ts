/** What the document of the session protocol says of tables, fields, codes, limits and reasons is what the code does. */

import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { createClient } from '../../src/core/client'
import { IDLE, type Policy, transition } from '../../src/core/lifecycle'
import { createOutbox } from '../../src/core/outbox'
import { createRegistry, type RegistryOutput } from '../../src/core/registry'
import type { Outbound } from '../../src/core/session'
import { createStore } from '../../src/core/store'
import { settleServer, settleServerClose } from '../../src/server/options'
import { settle } from '../../src/settle'
import { frames, hello, frame as spec, welcome } from '../../src/spec'
import { parseFrame, writeFrame } from '../../src/wire/frames'
import { type Check, type Checks, differences, everywhere } from './checks'
import { blocks, plain, table } from './markdown'
import { properties, root } from './source'

const read = (file: string) => readFileSync(`${root}src/${file}.ts`, 'utf8')
const CORE = ['core/session', 'core/client', 'core/registry', 'core/store']
const SERVER = ['server/connection', 'server/shell', 'server/assemble', 'server/door']
const sources = [...CORE, ...SERVER].map(read).join('\n')

const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap(([, ...groups]) => groups.filter(group => group !== undefined))

/** Two columns against each other: rows by the first, and what the others say. */
const rows = (text: string, heading: string, ...columns: number[]): [string, string][] =>
  table(text, heading).map(cells => [plain(cells[0]), columns.map(at => cells[at] ?? '').join(' | ')])

interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly minimum?: number
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly prefixItems?: readonly Schema[]
}

const schemaOf = (type: z.ZodType) => z.toJSONSchema(type, { io: 'input' }) as Schema

const typeOf = ({ type, const: value, minimum, anyOf }: Schema): string => {
  if (anyOf) return typeOf(anyOf.find(each => each.type !== 'null') ?? {})
  if (value !== undefined) return `${value}`
  if (type === 'integer') return minimum === 1 ? 'positive integer' : 'integer'
  return type === 'string' ? 'text' : (type ?? 'any JSON')
}

/** Each field with its type, and whether it is required. */
const fieldsOf = ({ properties = {}, required = [] }: Schema, path = ''): [string, string][] =>
  Object.entries(properties).flatMap(([name, field]) => {
    const must = required.includes(name) ? (path ? 'in `lost`' : 'yes') : 'no'
    const inner = field.anyOf?.find(each => each.properties)
    return [[path + name, `${typeOf(field)} | ${must}`], ...(inner ? fieldsOf(inner, `${name}.`) : [])]
  })

const fields =
  (heading: string, type: z.ZodType): Check =>
  text =>
    differences(rows(text, heading, 1, 2), new Map(fieldsOf(schemaOf(type))))

/** How an interface in the document writes a field. */
const typed = (schema: Schema): string => {
  const { anyOf, properties, required = [] } = schema
  if (anyOf)
    return `${anyOf
      .map(typed)
      .sort((a, b) => (a === 'null' ? 1 : b === 'null' ? -1 : 0))
      .join(' | ')}`
  if (properties)
    return `{ ${Object.entries(properties)
      .map(([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${typed(field)}`)
      .join('; ')} }`
  const type = typeOf(schema)
  if (type === 'any JSON') return 'unknown'
  return type === 'text' ? 'string' : /integer/.test(type) ? 'number' : type
}

const asInterface = (name: string, type: z.ZodType): string => {
  const { properties = {}, required = [] } = schemaOf(type)
  const lines = Object.entries(properties).map(
    ([name, field]) => `  ${name}${required.includes(name) ? '' : '?'}: ${typed(field)}\n`,
  )
  return `interface ${name} {\n${lines.join('')}}`
}

const NO_FRAME = { hello: {}, welcome: {}, seq: 'seq', ack: 'ack', data: 'payload' }

/** Each kind, its number, and how it is written as text. */
const kinds = (): Map<string, string> =>
  new Map(
    Object.entries(frames).flatMap(([kind, frame]) => {
      const number = schemaOf(frame).prefixItems?.[0]?.const
      const written = writeFrame({ kind, ...NO_FRAME } as never)
      return kind === 'unknown' ? [] : [[`${number}`, `\`${kind}\` | \`${written}\``.replace('{}', '{…}')]]
    }),
  )

/** A session at a client that was welcomed, with nothing sent or received. */
const clientOf = () => {
  const nothing = () => {}
  const losses: string[] = []
  const outbox = createOutbox<undefined>(
    { maxMessages: 1, maxBytes: 1, highWaterMarkBytes: 1, overflow: 'throw' },
    nothing,
  )
  const client = createClient<undefined>(
    outbox,
    {
      write: nothing,
      hasRoom: () => true,
      deliver: nothing,
      settled: nothing,
      refused: nothing,
      pong: nothing,
      close: nothing,
      welcomed: nothing,
      preamble: nothing,
      unsupported: nothing,
      lost: ({ reason }) => void losses.push(reason),
    },
    { win: 1, max: 1 },
  )
  const greet = () => {
    client.opened('n')
    const answer = { v: 1, nonce: 'n', sid: 's', ack: 0, win: 1, max: 1, ttl: 1, hb: 1 } as const
    client.receive({ kind: 'welcome', welcome: answer }, 0)
  }
  greet()
  return { client, losses, greet }
}

const POLICY: Policy = {
  ...settle({}),
  heartbeat: { intervalMs: Infinity, timeoutMs: 1 },
  maxAttempts: Infinity,
  maxElapsedMs: Infinity,
  shouldRetry: () => undefined,
}

/** The close codes of WebSocket itself that an endpoint may see (RFC 6455 §7.4.1, and the registry of IANA). */
const STANDARD = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013].map(String)

/** What a client does about a close code, in the words of the table. */
const clientDoes = (code: number): string => {
  const { client, losses, greet } = clientOf()
  const retry = () =>
    transition(
      { ...IDLE, name: 'open' },
      { type: 'dropped', close: { code, reason: '', wasClean: true, local: false } },
      { now: 0, random: 0, lastSeen: 0, online: true },
      { ...POLICY, shouldRetry: () => client.dropped(code) },
    )
  const { name, until } = retry()
  const isLost = losses.includes('gone')
  if (isLost) return 'reports it as lost, `gone`; ends for good'
  if (name === 'closed') return 'ends for good'
  const again = retry()
  if (again.name === 'closed' && until === 0) return 'retries once, at once; ends for good'
  greet()
  retry()
  const poison = losses.includes('poison') ? '; counts as poison' : ''
  return `retries${until >= 5_000 ? ', after 5 s at least' : ''}${poison}`
}

/** What becomes of a session whose connection was closed with a code, at once and at the third time. */
const serverDoes = (code: number): string => {
  const ended: string[] = []
  const nothing = () => {}
  const output: RegistryOutput = {
    deliver: nothing,
    settled: nothing,
    undelivered: nothing,
    begun: nothing,
    ended: (_, reason) => void ended.push(reason),
    crowded: nothing,
  }
  const registry = createRegistry(createStore(), output, {
    node: 'a',
    queue: { maxMessages: 1, maxBytes: 1, highWaterMarkBytes: 1, overflow: 'throw' },
    ttlMs: 1,
    heartbeatMs: 1,
    win: 1,
    max: 1,
    newSid: () => 's',
    maxInFlightBytes: Infinity,
    limits: { sessions: 1, sessionsPerPrincipal: 1, detachedBytes: 1 },
  })
  const connect = (epoch: number) => {
    const connection = registry.connect({
      write: nothing as (frame: Outbound) => void,
      welcome: nothing,
      hasRoom: () => true,
      close: nothing,
    })
    const who = { id: 'i', key: 'k', nonce: 'n', win: 1, max: 1, epoch }
    registry.hello(connection, epoch > 1 ? { ...who, sid: 's', ack: 0 } : who, 'p', 0)
    registry.closed(connection, code, 0)
    return ended.length
  }
  if (connect(1)) return 'ended'
  connect(2)
  return connect(3) ? 'kept; the third time without progress ended' : 'kept'
}

const count = (value: number) => value.toLocaleString('en-US')

/** `const NAME = 1_000` */
const constant = (file: string, name: string): number => {
  const [value = ''] = all(read(file), new RegExp(`const ${name} = ([\\d_]+)$`, 'gm'))
  return Number(value.replaceAll('_', ''))
}

const limits = (): Map<string, string> => {
  const server = settleServer({ authenticate: () => 'x' })
  const client = settle({ heartbeat: {} })
  const session = Object.fromEntries(
    properties('src/options.ts', 'ResumableOptions').map(each => [each.name, each.default]),
  )
  const both = (...values: (number | string | undefined)[]) => {
    const [first, ...rest] = values.map(value => Number(`${value}`.replaceAll('_', '')))
    return rest.every(value => value === first) ? count(first ?? NaN) : values.join(' and ')
  }
  const [silence] = all(read('server/connection'), /heartbeat\.timeoutMs, ([\d_]+)\)/g)
  const going = settleServerClose({})
  const grave = (name: string) => all(read('core/store'), new RegExp(`^  ${name} = ([\\d_]+),$`, 'gm'))[0]
  const source: Record<string, string> = {
    'length of a `hello` frame, in units': both(
      constant('wire/frames', 'LONGEST_HELLO'),
      constant('spec', 'HELLO_LENGTH'),
    ),
    'length of any frame before the `welcome`, in units or bytes': both(
      constant('server/connection', 'LONGEST_HELLO'),
    ),
    'length of `id`, `key`, `nonce` and `sid`, in units': both(constant('server/connection', 'LONGEST_NAME')),
    'frames before the `welcome`, pings of WebSocket itself included': both(
      constant('server/connection', 'MAX_BEFORE'),
    ),
    'frames that wait during authentication': both(constant('server/connection', 'MAX_EARLY')),
    'strays before the `welcome`': both(constant('core/client', 'MAX_STRAYS')),
    'unanswered hellos in a row': both(constant('core/client', 'MAX_TIMEOUTS')),
    'time for `hello` and authentication, in ms': both(server.helloTimeoutMs),
    'time to connect and be welcomed, in ms': both(client.connectTimeoutMs),
    'window (`win`), in messages': both(server.win, session.win),
    'largest payload (`max`), in bytes': both(server.maxMessageBytes, session.maxMessageBytes),
    'framing around the largest payload, in units or bytes': both(constant('server/connection', 'HEAD')),
    'messages in flight, whatever the window says': both(constant('core/session', 'LARGEST_WINDOW')),
    'first `allowance`, in messages': both(constant('core/session', 'FIRST_WINDOW')),
    'messages that may be unacknowledged at first': both(constant('core/session', 'FIRST_ACK_MESSAGES')),
    'messages that may be unacknowledged later, or half of the window': both(
      constant('core/session', 'ACK_MESSAGES'),
    ),
    'bytes that may be unacknowledged': both(constant('core/session', 'ACK_BYTES')),
    'delay of an acknowledgement, in ms': both(constant('core/session', 'ACK_DELAY_MS')),
    'connections that end at the same position': both(constant('core/session', 'STRIKES')),
    'messages that wait without a number': both(server.queue.maxMessages, client.queue.maxMessages),
    'bytes that wait without a number': both(server.queue.maxBytes, client.queue.maxBytes),
    'high-water mark of the transport, in bytes': both(
      server.queue.highWaterMarkBytes,
      client.queue.highWaterMarkBytes,
    ),
    'bytes in flight to one client; one message always may be': both(server.queue.maxInFlightBytes),
    'bytes that came in one session and are not consumed': both(server.limits.unconsumedBytes),
    'bytes that are kept for all who are away': both(server.limits.detachedBytes),
    connections: both(server.limits.connections),
    'connections that are not welcomed yet': both(server.limits.waiting),
    sessions: both(server.limits.sessions),
    'sessions of one principal': both(server.limits.sessionsPerPrincipal),
    'hellos of one principal, in a second': both(server.limits.hellosPerSecond),
    'frames of one client, in a second': both(server.rate.messagesPerSecond),
    'how long a session is kept without a connection (`ttl`), in ms': both(server.ttlMs),
    'how long a tombstone is kept, in ms': both(constant('core/store', 'TOMB_MS')),
    'tombstones of one `id`': both(grave('tombs')),
    'ids with nothing but tombstones, of one principal': both(grave('deadPerPrincipal')),
    'ids with nothing but tombstones': both(grave('dead')),
    'silence until the client pings (`hb`), in ms': both(
      server.heartbeat.intervalMs,
      client.heartbeat.intervalMs,
    ),
    'time for an answer to a ping, in ms': both(server.heartbeat.timeoutMs, client.heartbeat.timeoutMs),
    'silence until the server pings, in ms, if 2 · `hb` + 10,000 is not more': both(silence),
    'largest `retry=` that is obeyed, in ms': both(constant('core/lifecycle', 'LONGEST_HINT_MS')),
    'smallest `retry=` if there is no room, in ms': both(constant('server/retry', 'CROWDED_MS')),
    'smallest `retry=` of a server that goes away, in ms': both(going.retryMs),
    'time to go away, in ms': both(going.timeoutMs),
    'closing handshake, in ms': both(server.closeTimeoutMs, client.closeTimeoutMs),
  }
  return new Map(Object.entries(source))
}

/** Why a session may end, and who says so. What an application chooses itself is by default one of these. */
const reasons = (): Map<string, string> => {
  const server = [
    ...all(read('core/registry'), /\bend\((?:session|heavy|inTheWay), '([^']+)'/g),
    ...all(read('core/store'), /(?:bury\(stored, |reason: )'([^']+)'/g),
    ...all(read('server/shell'), /reason \?\? '([^']+)'/g),
    settleServerClose({}).reason,
  ]
  const client = all(read('core/client'), /reason: (?:far < 0 \? '(\w+)' : )?'(\w+)'/g)
  const said = [...new Set([...server, ...client])]
  return new Map(
    said.map(reason => [
      reason,
      [server.includes(reason) && 'server', client.includes(reason) && 'client'].filter(Boolean).join(', '),
    ]),
  )
}

/** What a server says when there is too much of something, and the code. */
const refusals = (): Map<string, string> =>
  new Map(
    [...sources.matchAll(/close\((\d{4}), (?:crowded|retrying)\('([^']+)'/g)].map(
      ([, code = '', reason = '']) => [reason, code],
    ),
  )

/** What we say when we close a connection. */
const words = (): string[] => [
  ...all(sources, /\bbad\('([^']+)'/g),
  ...all(sources, /\bclose\((?:[^()']|'[^']*')*?, '([^']+)'\)/g),
  ...all(sources, /: '(hello expected)'/g),
  ...all(sources, /\b(?:crowded|retrying)\('([^']+)'/g),
  ...all(read('wire/frames'), /^export type Malformed = '([^']+)' \| '([^']+)' \| '([^']+)'/gm),
  ...all(sources, /isOurs \? \w+ : '(superseded)'/g),
  ...all(read('server/shell'), /reason \?\? '([^']+)'/g),
  settleServerClose({}).reason,
]

export const protocol: Checks = {
  ...everywhere,

  kinds: text => {
    const said = table(text, 'Frames').map(([kind, name, , written]): [string, string] => [
      plain(kind),
      `${name} | ${written}`,
    ])
    return differences(said, kinds())
  },

  'fields of hello': fields('Fields of hello', hello),
  'fields of welcome': fields('Fields of welcome', welcome),

  /** The types of hello and welcome say the same. */
  interfaces: text =>
    [asInterface('Hello', hello), asInterface('Welcome', welcome)].flatMap(code =>
      text.includes(code) ? [] : [`it has not:\n${code}`],
    ),

  /** Each frame that is shown is one, of the kind that it is shown for, and as it is written. */
  frames: text =>
    blocks(text).flatMap(({ language, code, line }) => {
      if (language !== 'json') return []
      const before = text.split('\n').slice(0, line).join('\n')
      const kind = before.match(/^### `(\w+)`$(?![\s\S]*^### )/m)?.[1]
      const frame = parseFrame(code.trimEnd())
      if (typeof frame === 'string') return [`line ${line}: ${frame}`]
      if (!spec.safeParse(code.trimEnd()).success) return [`line ${line}: the spec refuses it`]
      const isWritten = frame.kind !== 'unknown' && writeFrame(frame) === code.trimEnd()
      return frame.kind === kind && isWritten ? [] : [`line ${line}: this is a ${frame.kind}`]
    }),

  /** The codes of the source are there, and what is done about each is what is done. */
  'close codes': text => {
    const found = table(text, 'Close codes').map(([code = '', , sender = '', session = '', client = '']) => ({
      code: plain(code),
      sender,
      session,
      client,
    }))
    const codes = new Set([...STANDARD, ...all(sources, /\b(4[0-5]\d\d)\b/g)])
    const shown = found.map(({ code }): [string, string] => [code, ''])
    return [
      ...differences(shown, new Map([...codes].map(code => [code, '']))),
      ...found.flatMap(({ code, sender, session, client }) => {
        const does = clientDoes(Number(code))
        const said = client.replaceAll(/\[(\w+)\]\([^)]*\)/g, '$1')
        const isRight =
          does === 'retries' ? said === does : does.split('; ').every(part => said.includes(part))
        const isOurs = sender !== 'server'
        const keeps = serverDoes(Number(code))
        return [
          ...(isRight ? [] : [`${code}: the client ${does}`]),
          ...(isOurs && !(session === keeps || session.endsWith(keeps))
            ? [`${code}: the session is ${keeps}`]
            : []),
        ]
      }),
    ]
  },

  'when there is no room': text =>
    differences(
      table(text, 'When there is no room').map(([, code, reason]): [string, string] => [
        plain(reason),
        plain(code),
      ]),
      refusals(),
    ),

  reasons: text => differences(rows(text, 'Reasons of a lost session', 1), reasons()),

  limits: text => {
    const said = table(text, 'Limits').map(([limit = '', value]): [string, string] => [limit, value ?? ''])
    return differences(said, limits())
  },

  /** A large number that is named elsewhere is one of the limits. */
  'limits in the text': text => {
    const known = [...limits().values()]
    const elsewhere = text.replace(/\n## Limits\n[\s\S]*?(?=\n## )/, '')
    return all(elsewhere, /(?<![\d,])(\d{1,3}(?:,\d{3})+)(?![\d,])/g).flatMap(value =>
      known.includes(value) ? [] : [`${value} is no limit`],
    )
  },

  /** What we say when we close. */
  words: text => {
    const list = text.match(/this project says (.*)\.\)/)?.[1] ?? ''
    const said = all(list, /`([^`]+)`/g).map((word): [string, string] => [word, ''])
    return differences(said, new Map(words().map(word => [word, ''])))
  },
}
