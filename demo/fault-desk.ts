/** Takes the orders of the page to break things: JSON by POST, from the page that this very server has served. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Lines } from './lines'

/** How long a server that restarts is away. */
const RESTART_MS = 3_000
const LONGEST_MS = 60_000
const LONGEST_ORDER = 1_000
const LONGEST_REASON_BYTES = 123

interface Order {
  readonly fault: string
  readonly ms: number
  readonly code: number
  readonly reason: string
}

type Fault = (lines: Lines, order: Order) => void

/** All that can be ordered. */
const FAULTS = new Map<string, Fault>([
  ['cut', lines => lines.cut()],
  ['stall', lines => lines.stall()],
  [
    'refuse',
    (lines, { ms }) => {
      lines.refuse(ms)
      lines.cut()
    },
  ],
  ['slow', (lines, { ms }) => lines.slow(ms)],
  ['close', (lines, { code, reason }) => lines.goodbye(code, reason)],
  [
    'restart',
    lines => {
      lines.refuse(RESTART_MS)
      lines.goodbye(1012, 'service restart')
    },
  ],
  ['heal', lines => lines.heal()],
])

export function createFaultDesk(lines: Lines) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = (status: number, body: unknown) =>
      response
        .writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
        .end(`${JSON.stringify(body)}\n`)

    if (!isOwnPage(request)) return void answer(403, { error: 'Only the page of this server may' })
    if (request.method === 'GET') return void answer(200, lines.condition)
    if (request.method !== 'POST') return void answer(405, { error: 'Only GET and POST' })
    const order = readOrder(await read(request))
    const fault = FAULTS.get(order?.fault ?? '')
    if (!order || !fault) return void answer(400, { error: 'Not an order' })
    fault(lines, order)
    answer(200, lines.condition)
  }
}

/**
 * Any web page may send a request to localhost, and one whose name was made to point here may even read the answer:
 * so both names must be ours. A browser tells the origin of each POST, and a page cannot forge it.
 */
function isOwnPage({ headers, method }: IncomingMessage): boolean {
  const { host = '', origin, 'content-type': type = '' } = headers
  const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host)
  const isSame = origin === `http://${host}` || (origin === undefined && method === 'GET')
  return isLocal && isSame && (method === 'GET' || type.startsWith('application/json'))
}

async function read(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > LONGEST_ORDER) return ''
  }
  return body
}

function readOrder(body: string): Order | undefined {
  try {
    const { fault, ms = 0, code = 1000, reason = '' } = JSON.parse(body)
    const isDuration = typeof ms === 'number' && ms >= 0 && ms <= LONGEST_MS
    const isReason = typeof reason === 'string' && Buffer.byteLength(reason) <= LONGEST_REASON_BYTES
    return isDuration && isReason && isCloseCode(code) ? { fault, ms, code, reason } : undefined
  } catch {
    return undefined
  }
}

/** What a server may say in a close frame (RFC 6455 §7.4): 1004 to 1006 and 1015 are never sent. */
const isCloseCode = (code: unknown) =>
  typeof code === 'number' &&
  Number.isInteger(code) &&
  ((code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999))
