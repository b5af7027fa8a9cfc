/** What happens, as plain objects: for log lines, metrics and traces. No key and nothing of `auth` is in them. */

/** Who an occurrence is about, as far as that is known by then. */
export interface ServerLogSubject {
  /** The connection, by its number in this server, from 1. */
  readonly connection?: number | undefined
  /** The client, by the public name it gave itself. It comes from outside: any text, of 128 characters at most. */
  readonly id?: string | undefined
  /** The session. */
  readonly sid?: string | undefined
  /** What `authenticate` answered. */
  readonly principal?: string | undefined
}

/** One occurrence. */
export type ServerLogRecord = ServerLogSubject & {
  /** On the clock of the server: in ms since the epoch. */
  readonly at: number
} & (
    | {
        /** A session has begun. */
        readonly type: 'begun'
      }
    | {
        /** A connection speaks for a session; `resumed`: it is not the first. */
        readonly type: 'connected'
        readonly resumed: boolean
      }
    | {
        /** It does not any more. */
        readonly type: 'disconnected'
        readonly code: number
        readonly reason: string
      }
    | {
        /** A connection ended before it spoke for a session. */
        readonly type: 'refused'
        readonly code: number
        readonly reason: string
      }
    | {
        /** A session is over; so many messages were not acknowledged. */
        readonly type: 'ended'
        readonly reason: string
        readonly undelivered: number
      }
    | {
        /** What the event `error` tells, by name and code: what it says may be secret. */
        readonly type: 'error'
        readonly name: string
        readonly code?: string | undefined
      }
    | {
        /** The server is closing, or is closed. */
        readonly type: 'closing' | 'closed'
      }
  )
