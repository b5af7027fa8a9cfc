/**
 * The annex `reconnecting-socket/server`: the other half of `session: resumable()`. It takes WebSockets that somebody
 * else has accepted, and makes sessions of them that survive their connections.
 */

import { createServer } from './server/assemble'
import type { ServerEvents, ServerStats } from './server/events'
import type { ServerCloseOptions, ServerOptions } from './server/options'
import type { Session } from './server/session'
import type { ServerWebSocket } from './server/web-socket'

export type { Lease, Payload, SessionStore, Taken, TakeRequest } from './core/store'
export { SocketError, type SocketErrorCode } from './errors'
export { type AdaptedWebSocket, adapt, type HandledWebSocket } from './server/adapt'
export type { ServerClock } from './server/deadlines'
export type { Refused, ServerEvents, ServerStats } from './server/events'
export type { ServerLogRecord, ServerLogSubject } from './server/log'
export {
  type Credentials,
  FORBIDDEN,
  type ServerCloseOptions,
  type ServerLimits,
  type ServerOptions,
  type ServerQueueOptions,
  type ServerRate,
  type SessionCloseOptions,
  type SessionSendOptions,
} from './server/options'
export type { OriginCheck } from './server/origin'
export type { Session, SessionCloseResult, SessionEvents, SessionUndelivered } from './server/session'
export type { ServerWebSocket, ServerWebSocketEvent } from './server/web-socket'
export type { Codec } from './wire/codec'

/**
 * Sessions for clients that come back.
 *
 * @example
 * const server = new SessionServer({ authenticate: ({ auth }) => userOf(auth) })
 * server.on('session', async session => {
 *   for await (const message of session) session.send({ echo: message })
 * })
 * webSocketServer.on('connection', (webSocket, request) => server.accept(webSocket, request))
 */
export class SessionServer<Incoming = unknown, Outgoing = unknown, Request = unknown>
  implements AsyncIterable<Session<Incoming, Outgoing, Request>, undefined, undefined>
{
  readonly #server: ReturnType<typeof createServer>

  /** @throws SocketError `invalid-option` names the option and what was expected */
  constructor(options: ServerOptions<Incoming, Outgoing, Request>) {
    this.#server = createServer(options)
  }

  /**
   * The largest frame that anybody may send, in bytes: for the option `maxPayload` of `ws`, which otherwise takes
   * frames of 100 MiB into memory before we see them.
   */
  get maxPayload(): number {
    return this.#server.maxPayload
  }

  /** The sessions that live, whether connected or not. */
  get sessions(): ReadonlySet<Session<Incoming, Outgoing, Request>> {
    return this.#server.sessions() as ReadonlySet<unknown> as ReadonlySet<never>
  }

  /**
   * Takes over a WebSocket that is open: nobody else may read it, write to it or close it. Never throws.
   * @param request whatever `authenticate` and `origins` may need of the request that it came with
   */
  accept(webSocket: ServerWebSocket, request: Request): void {
    this.#server.accept(webSocket, request)
  }

  /** @returns unsubscribes */
  on<Event extends keyof ServerEvents>(
    event: Event,
    listener: ServerEvents<Incoming, Outgoing, Request>[Event],
  ): () => void {
    return this.#server.on(event, listener)
  }

  /** The sessions that begin from now on. It ends when the server is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<
    Session<Incoming, Outgoing, Request>,
    undefined,
    undefined
  > {
    return this.#server.iterate() as AsyncIterableIterator<never, undefined, undefined>
  }

  /** Counted when asked. */
  stats(): ServerStats {
    return this.#server.stats()
  }

  /**
   * Takes no more connections. Each session ends once everything that came is consumed and everything that was sent is
   * acknowledged, answers included, at the latest after `timeoutMs`; those whose clients are away, at once. After half of
   * that time nothing more is consumed, so that who never stops talking is answered nevertheless. Clients are closed with
   * 4503 and come back after `retryMs` to `retryMs + spreadMs`, maybe to another server. What was not acknowledged is
   * undelivered.
   * Fulfilled when nothing is left, `closeTimeoutMs` later at most, and never rejected. Again: the same promise.
   * @throws SocketError `invalid-option`
   */
  close(options: ServerCloseOptions = {}): Promise<void> {
    return this.#server.close(options)
  }
}
