/** What can go wrong, by name. Codes are stable: they may be compared; messages are for people. */

/** What can go wrong, by name. */
export type SocketErrorCode =
  /** Thrown by the constructor, or a method: the message names the option and what was expected. */
  | 'invalid-option'
  /** Thrown by `send`: the codec could not encode the message. See `cause`. */
  | 'encode'
  /**
   * Thrown by `send`, or an `error` event: a message is not what `outgoing` or `incoming` accepts. The error is a
   * {@link ValidationError}.
   */
  | 'invalid-message'
  /** Thrown by `send`, or an `error` event: the schema answered with a promise. */
  | 'async-schema'
  /** Thrown by `send`: the queue is at its limit and `overflow` is `'throw'`. Rejected by `deliver`: by `overflow`. */
  | 'queue-full'
  /** Thrown by `send`, rejected by `deliver`, `opened` and `drained`: the socket is closed, or closing. */
  | 'closed'
  /** Rejected by `deliver`: it waited for longer than its `ttlMs`. */
  | 'expired'
  /** Rejected by `deliver`: a later message with its `key` took its place. */
  | 'replaced'
  /** Thrown by `send`, rejected by `deliver`: its `signal` aborted; or the queue was cleared. See `cause`. */
  | 'aborted'
  /** Rejected by `deliver`: it could not go at once. */
  | 'volatile'
  /** Rejected by `deliver`: the connection was lost while its WebSocket still held the message. It may have arrived. */
  | 'uncertain'
  /** Rejected by `deliver`: the session that it was sent in is lost. */
  | 'session-lost'
  /** Rejected by `deliver`: it is larger than the server of the session accepts. */
  | 'too-large'
  /** An `error` event: the peer broke the protocol of sessions, and the connection was ended. See `data`. */
  | 'protocol'
  /** An `error` event: something came before the welcome of the session, and was ignored. See `data`. */
  | 'unexpected-frame'
  /** An `error` event: the server does not speak the protocol of sessions. The socket is closed: use plain mode. */
  | 'peer-not-supported'
  /** An `error` event: the codec could not decode what came. See `cause` and `data`. */
  | 'decode'
  /** An `error` event: what came is larger than `maxMessageBytes` and was not delivered. See `data`. */
  | 'message-too-large'
  /**
   * Thrown by an iterator of messages, or an `error` event, by its `overflow`: it was read too slowly. See `data`
   * for what was dropped.
   */
  | 'inbound-full'
  /**
   * An `error` event: `of` or `stream` of the option `sequence` threw, or answered nonsense. The message was delivered as
   * if it had no number. See `cause` and `data`.
   */
  | 'sequence'
  /**
   * An `error` event: `url` or `protocols` threw, rejected, or answered nonsense; or there is no
   * `WebSocket`. See `cause`.
   */
  | 'provider'
  /** An `error` event: `handshake` threw or rejected. See `cause`. */
  | 'handshake'
  /** The code of a {@link FatalError}. */
  | 'fatal'

/** What may go wrong has a `code`, and often a `cause`. */
export class SocketError extends Error {
  override name = 'SocketError'
  /** Stable: compare this, not the message. */
  declare readonly code: SocketErrorCode
  /** What was thrown by whatever we asked, where that is what the error is about. */
  declare cause?: unknown
  /** What came from the peer, where that is what the error is about. */
  declare data: unknown

  constructor(code: SocketErrorCode, message: string, cause?: unknown, data?: unknown) {
    super(message, { cause })
    this.code = code
    this.data = data
  }
}

/** One thing that is wrong with a message: as in Standard Schema. */
export interface ValidationIssue {
  /** For people. */
  readonly message: string
  /** Where in the message: the keys that lead there. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A message is not what `outgoing` or `incoming` accepts. */
export class ValidationError extends SocketError {
  override name = 'ValidationError'
  /** All that the schema had to say. */
  readonly issues: readonly ValidationIssue[]

  constructor(issues: readonly ValidationIssue[]) {
    const [{ path = [], message } = { message: 'refused' }]: readonly ValidationIssue[] = issues
    const where = Array.from(path, step => String(Object(step).key ?? step)).join('.')
    super('invalid-message', `invalid-message: ${where && `${where}: `}${message}`)
    this.issues = issues
  }
}

/**
 * Thrown *by you* in a `url` or `protocols` provider or in `handshake` to say that retrying is pointless: the
 * socket becomes `closed`. Anything else thrown there is a failed attempt like any other.
 */
export class FatalError extends SocketError {
  override name = 'FatalError'

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('fatal', message, options?.cause)
  }
}

/** By name, so that an error from another copy of this module, or another realm, counts too. */
export const isFatal = (error: unknown): boolean =>
  (error as Partial<Error> | undefined)?.name === 'FatalError'
