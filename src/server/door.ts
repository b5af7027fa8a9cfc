/** Who is here, and who may come in: by the page that they come from, and as long as there is room. */

import { SocketError } from '../errors'
import type { Guest } from './connection'
import type { Drain } from './drain'
import type { ServerSettings } from './options'
import { mayEnter, originOf } from './origin'
import { crowded } from './retry'

export interface Door {
  /** All, those who are on their way out included. */
  readonly guests: ReadonlySet<Guest>
  /** Those who are not authenticated yet. */
  readonly waiting: ReadonlySet<Guest>
  enter(guest: Guest): void
  /** It speaks for a session. */
  welcomed(guest: Guest): void
  /** It is over for us, and its WebSocket may take its time. */
  leaving(guest: Guest): void
  gone(guest: Guest): void
}

export const createDoor = (
  { origins, limits }: Pick<ServerSettings, 'origins' | 'limits'>,
  drain: Pick<Drain, 'isOn' | 'reason'>,
  failed: (error: unknown) => void,
): Door => {
  const guests = new Set<Guest>()
  /** In the order in which they came. */
  const waiting = new Set<Guest>()
  let open = 0

  const isFromHere = ({ request }: Guest) => {
    try {
      if (Array.isArray(origins) && originOf(request) === false)
        throw new SocketError('invalid-option', 'origins: expected accept to be given a request with headers')
      return mayEnter(origins, request)
    } catch (error) {
      failed(error)
      return false
    }
  }

  return {
    guests,
    waiting,
    enter(guest) {
      guests.add(guest)
      waiting.add(guest)
      open++
      if (!isFromHere(guest)) guest.close(4403, 'origin')
      else if (drain.isOn) guest.close(4503, drain.reason())
      else if (open > limits.connections) guest.close(4503, crowded('full'))
      else if (waiting.size > limits.waiting) {
        // An honest client says hello within a round trip: who has been silent for the longest is the least likely one
        for (const other of waiting) if (other.isSilent) return other.close(4503, crowded('crowded'))
      }
    },
    welcomed(guest) {
      waiting.delete(guest)
    },
    leaving(guest) {
      waiting.delete(guest)
      open--
    },
    gone(guest) {
      guests.delete(guest)
    },
  }
}
