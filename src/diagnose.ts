/**
 * Why a handshake failed. A WebSocket does not tell (WHATWG WebSockets, "fail the WebSocket connection"): whether the
 * token has expired, the server is overloaded or the network is gone, it is 1006 with no reason. HTTP tells.
 *
 * It stands between the socket and its transport: the attempt is over once the answer is there, and the answer is the
 * reason that it ended with. So whatever decides about retrying decides by it, and the core need not know.
 */

import { type OpenTransport, openWebSocket } from './platform/transport'
import { amount, duration, group, optional, refuse } from './rules'

/** What is needed of the answer to a request: that of `fetch` has it. */
export interface DiagnoseResponse {
  /** Of HTTP; 0 for a redirect that was not followed. */
  readonly status: number
  /** Of which `Retry-After` is asked for. */
  readonly headers: Pick<Headers, 'get'>
}

/** What `diagnose` is asked for. */
export interface DiagnoseOptions {
  /**
   * What to ask by `fetch`, on which servers answer as they would to the handshake; or a function that asks itself, told
   * the address of the WebSocket. From another origin CORS has to allow it, and for `Retry-After` to expose it.
   * @default the address of the WebSocket, by http(s)
   */
  readonly url?:
    | string
    | URL
    | ((
        webSocketUrl: string,
        init: { readonly signal: AbortSignal },
      ) => DiagnoseResponse | Promise<DiagnoseResponse>)
    | undefined
  /** Attempts in a row that never opened, from 1: this one, and those that follow, are looked into. @default 2 */
  readonly afterAttempts?: number | undefined
  /** How long to wait for the answer, in ms, from 1; `connectTimeoutMs` goes on meanwhile. @default 5_000 */
  readonly timeoutMs?: number | undefined
  /** What opens connections. @default a WebSocket does */
  readonly transport?: OpenTransport | undefined
}

/** RFC 9110 §15.5.2 and §15.5.4. */
const UNAUTHORIZED = 401
const FORBIDDEN = 403
/** RFC 6455 §7.4.1: what a server closes with that does not want us. It is final. */
const POLICY_VIOLATION = 1008

const settle = group<{
  readonly url: DiagnoseOptions['url']
  readonly afterAttempts: number
  readonly timeoutMs: number
  readonly transport: OpenTransport | undefined
}>({
  url(value, path) {
    const url = value as DiagnoseOptions['url']
    const fits = url === undefined || url instanceof URL || ['string', 'function'].includes(typeof url)
    return fits ? url : refuse(path, 'string, URL or function', value)
  },
  afterAttempts: amount(2),
  timeoutMs: duration(5_000),
  transport: optional('function'),
})

/** RFC 9110 §10.2.3: seconds, or a date. @returns as a hint in the reason of a close, for the machine to read */
const patience = (retryAfter: string | null): string => {
  if (!retryAfter) return ''
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now()
  return ms > 0 ? `; retry=${Math.round(ms)}` : ''
}

/**
 * For the option `platform.transport`, one for each socket: `platform: { transport: diagnose() }`. When attempts fail in
 * a row, `close` says why: `HTTP 403`, which is final, as is the second `HTTP 401` in a row (to the first, a `url` that
 * is a function may answer with a fresh token); `HTTP 503; retry=30000`, where `Retry-After` is obeyed; any other status;
 * `offline`; or `unreachable`, which is also what CORS makes of an answer that it hides.
 * @throws SocketError `invalid-option`
 */
export const diagnose = (options: DiagnoseOptions = {}): OpenTransport => {
  const { url, afterAttempts, timeoutMs, transport = openWebSocket } = settle(options, 'diagnose')
  let failures = 0
  let refusals = 0

  const ask = async (
    address: string,
    refused: number,
    signal: AbortSignal,
  ): Promise<readonly [code: number, reason: string]> => {
    try {
      const response = await (typeof url === 'function'
        ? url(address, { signal })
        : fetch(url ?? address.replace(/^ws/, 'http'), { cache: 'no-store', redirect: 'manual', signal }))
      const { status, headers } = response
      if (status === UNAUTHORIZED) refusals = refused + 1
      const isFinal = status === FORBIDDEN || refusals > 1
      return [
        isFinal ? POLICY_VIOLATION : 1006,
        status ? `HTTP ${status}${patience(headers.get('Retry-After'))}` : 'HTTP redirect',
      ]
    } catch {
      return [1006, globalThis.navigator?.onLine === false ? 'offline' : 'unreachable']
    }
  }

  return (address, protocols, handlers, WebSocket) => {
    const { opened, received, dropped } = handlers
    let stage: 'opening' | 'asking' | 'known' | 'over' = 'opening'
    // Whatever else becomes of this attempt ends the row
    const refused = refusals
    refusals = 0
    const abort = new AbortController()

    const look = async () => {
      stage = 'asking'
      const timer = setTimeout(() => abort.abort(), timeoutMs)
      const [code, reason] = await ask(address, refused, abort.signal)
      clearTimeout(timer)
      if (stage !== 'asking') return
      stage = 'over'
      dropped(code, reason, false)
    }

    const inner = transport(
      address,
      protocols,
      {
        received,
        opened() {
          stage = 'known'
          failures = 0
          opened()
        },
        dropped(code, reason, wasClean) {
          if (stage === 'asking') return
          if (stage === 'opening' && ++failures >= afterAttempts && !reason) return void look()
          stage = 'over'
          dropped(code, reason, wasClean)
        },
      },
      WebSocket,
    )
    return {
      get buffered() {
        return inner.buffered
      },
      get protocol() {
        return inner.protocol
      },
      send: data => inner.send(data),
      close: (...how) => inner.close(...how),
      drop(dead) {
        // A handshake that hangs has failed too
        if (stage === 'opening') failures++
        stage = 'over'
        abort.abort()
        return inner.drop(dead)
      },
    }
  }
}
