/** What others may do otherwise than we do: changes that no rule may find. */

import type { Plant } from './rig'

export interface Freedom {
  readonly how: string
  readonly plants: readonly Plant[]
}

const change =
  (file: string) =>
  (find: string, replace: string): Plant => ({ file, find, replace })

const session = change('core/session')
const connection = change('server/connection')
const resumable = change('resumable')

const freedom = (how: string, ...plants: Plant[]): Freedom => ({ how, plants })

const write = (otherwise: string) => change('server/outflow')('webSocket.send(writeFrame(frame))', otherwise)

export const ofServers: readonly Freedom[] = [
  freedom(
    'each message is acknowledged at once',
    session(
      'const threshold = Math.min(FIRST_ACK_MESSAGES + (told - base) / 2, ACK_MESSAGES, win / 2)',
      'const threshold = 1',
    ),
  ),
  freedom(
    'pings and extensions come all the time',
    connection(
      "write({ kind: 'welcome', welcome: { v: 1, ...answer } })",
      `write({ kind: 'welcome', welcome: { v: 1, ...answer } })
      const chatter = setInterval(() => {
        if (state !== 'live') return clearInterval(chatter)
        for (const frame of ['[4]', '[99,{"more":"later"}]', Uint8Array.of(64, 1)]) webSocket.send(frame)
      }, 20)`,
    ),
  ),
  freedom(
    'messages are answered in bytes, and all else as text in bytes',
    write(
      `webSocket.send(
        frame.kind === 'msg' && typeof frame.data === 'string'
          ? writeFrame({ ...frame, data: new TextEncoder().encode(frame.data) })
          : new TextEncoder().encode(writeFrame(frame) as string))`,
    ),
  ),
  freedom(
    'a welcome says more than it must, and null for what there is not',
    connection(
      '{ v: 1, ...answer }',
      '{ lost: null, v: 1, ...JSON.parse(JSON.stringify(answer)), region: "north" }',
    ),
  ),
  freedom(
    'what comes is looked at a little later',
    connection(
      '({ data }) => act(() => received(data)))',
      '({ data }) => setTimeout(() => act(() => received(data)), 15))',
    ),
    connection(
      '=> act(() => closed(code || 1006, reason)))',
      '=> setTimeout(() => act(() => closed(code || 1006, reason)), 15))',
    ),
  ),
]

export const ofClients: readonly Freedom[] = [
  freedom(
    'each message is acknowledged at once, and the server asked whenever it is silent for a moment',
    session(
      'const threshold = Math.min(FIRST_ACK_MESSAGES + (told - base) / 2, ACK_MESSAGES, win / 2)',
      'const threshold = 1',
    ),
    resumable('Math.min(hb, settings.heartbeat.intervalMs)', 'Math.min(hb, 50)'),
  ),
]
