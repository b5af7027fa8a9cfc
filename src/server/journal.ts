/** Hands what happens to the option `log`, with the time at which it did; and leaves out what may be secret. */

import type { Guest } from './connection'
import type { ServerClock } from './deadlines'
import type { ServerLogRecord, ServerLogSubject } from './log'
import type { Session } from './session'

type Untimed<Record> = Record extends unknown ? Omit<Record, 'at'> : never

/** As whoever sees it says it: when it was is added. */
export type Occurrence = Untimed<ServerLogRecord>

export interface Journal {
  /** Told after the step. */
  note(occurrence: Occurrence): void
  /** Told at once: there may be no step. */
  noteNow(occurrence: Occurrence): void
}

export const createJournal = (
  log: ((record: ServerLogRecord) => unknown) | undefined,
  { now }: ServerClock,
  tell: (notice: () => void) => void,
): Journal => {
  if (!log) return { note() {}, noteNow() {} }
  const timed = (occurrence: Occurrence) => ({ at: now(), ...occurrence }) as ServerLogRecord
  return {
    note(occurrence) {
      const record = timed(occurrence)
      tell(() => log(record))
    },
    noteNow: occurrence => void log(timed(occurrence)),
  }
}

export const subjectOf = ({
  id,
  sid,
  principal,
}: Pick<Session, 'id' | 'sid' | 'principal'>): ServerLogSubject => ({ id, sid, principal })

export const subjectOfGuest = ({ number, id, principal, connection }: Guest): ServerLogSubject => ({
  connection: number,
  id,
  sid: connection.session?.lease.sid,
  principal,
})

/** @param error whatever was thrown */
export const named = (error: unknown): { readonly name: string; readonly code?: string } => {
  const { name, code }: { readonly name?: unknown; readonly code?: unknown } = Object(error)
  return { name: typeof name === 'string' ? name : typeof error, ...(typeof code === 'string' && { code }) }
}
