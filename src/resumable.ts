/**
 * Session mode, for the option `session`: order, no loss and no duplicates, both ways, across reconnects, with a server
 * that speaks the protocol. It binds `core/client` to the shell, and is only in the bundle of those who import it.
 */

import { createClient, type SessionLost as Lost } from './core/client'
import { type Close, ended } from './core/lifecycle'
import type { Entry } from './core/outbox'
import type { Session } from './core/session'
import { guarded } from './emitter'
import { SocketError } from './errors'
import type { Resend, ResumableOptions } from './options'
import { amount, choice, group, type Rule } from './rules'
import type { SessionHooks, SessionMode, SessionShell } from './session'
import { parseFrame, writeFrame } from './wire/frames'
import { payload } from './wire/payload'

type Data = string | Uint8Array<ArrayBuffer>

/** Servers take no other numbers, and JSON knows no `Infinity`. */
const whole =
  (usual: number): Rule<number> =>
  (...asked) =>
    Math.floor(amount(usual, 1, 2 ** 53 - 1)(...asked))

const settle = (asked: ResumableOptions) =>
  group<Required<ResumableOptions>>({
    auth: value => value,
    win: whole(256),
    maxMessageBytes: whole(1_048_576),
    onSessionLost: (value, path) =>
      typeof value === 'function'
        ? (value as (reason: string) => Resend)
        : choice<Resend>('report', 'resend-certain', 'resend-all')(value, path),
  })(asked, 'resumable')

const unguessable = (bytes: number): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(bytes))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/**
 * Speaks the protocol `reconnecting-socket.v1` to a server that does too, such as `reconnecting-socket/server`, or to one
 * that echoes. Any other ends in `closed`, with an `error` of the code `peer-not-supported`. A session does not survive
 * the page.
 * @throws SocketError `invalid-option`
 */
export const resumable = (options: ResumableOptions = {}): SessionMode => {
  const { auth, win, maxMessageBytes: max, onSessionLost } = settle(options)

  return <Outgoing>(shell: SessionShell<Outgoing>): SessionHooks<Outgoing> => {
    const { clock, codec, settings, beat, readers, sender, write, fail } = shell
    const { outbox, lose } = sender
    for (const name of ['handshake', 'sequence'] as const)
      if (settings[name]) throw new SocketError('invalid-option', `${name}: expected nothing beside session`)
    /** What waits to be told: messages, and between them the ends of their sessions. */
    let inbox: ((now: number) => void)[] = []
    /** Told, and not yet consumed. */
    let inHand: Session<Outgoing> | undefined
    let isTelling = false
    let isResumed = false
    let timer: unknown
    /** What came last, for errors to show. */
    let latest: Data

    /** The next message is told when the last is consumed: all listeners have returned, all iterators ask for the next. */
    const advance = (now = clock.now()): void => {
      if (isTelling) return
      for (const asks of readers) if (!asks()) return
      const session = inHand
      inHand = undefined
      session?.consumed(now)
      arm()
      inbox.shift()?.(now)
    }

    const tell = (data: Data, now: number, session?: Session<Outgoing>): void => {
      // It waits for somebody to listen
      if (!shell.hears('message')) return void inbox.unshift(now => tell(data, now, session))
      isTelling = true
      const message = shell.decode(data)
      shell.note(() => {
        if (message) shell.emit('message', message[0] as never)
        isTelling = false
        inHand = session
        advance(now)
      })
    }

    /** Ends the connection. With an error, for good. */
    const end = (code: number, reason: string, fatal?: SocketError): void => {
      fail(fatal ?? new SocketError('protocol', `protocol: ${reason}`), latest)
      if (code >= 3000) shell.transport()?.close(code, reason)
      shell.dispatch({ type: 'dropped', close: ended(code, reason), fatal: !!fatal })
    }

    const lost = ({ reason, undelivered, received }: Lost<Outgoing>): void => {
      const policy =
        typeof onSessionLost === 'function' ? guarded(() => onSessionLost(reason)) : onSessionLost
      const isAgain = ({ certain }: Entry<Outgoing>) =>
        policy === 'resend-all' || (policy === 'resend-certain' && certain)
      const told = lose(
        undelivered.filter(entry => !isAgain(entry)),
        'session-lost',
      )
      outbox.restore(undelivered.filter(isAgain))
      // After what had been received, and before anything of the next session
      inbox.push(now => {
        shell.tell('sessionLost', { reason, undelivered: told, received })
        advance(now)
      })
    }

    const start = () =>
      createClient<Outgoing>(
        outbox,
        {
          write: frame => write(writeFrame(frame)),
          hasRoom: () => (shell.transport()?.buffered ?? Infinity) < settings.queue.highWaterMarkBytes,
          deliver(data, session) {
            // What may be lost must not pile up for who reads slowly
            if (session || inbox.length < win) inbox.push(now => tell(data, now, session))
          },
          settled: sender.settle,
          refused: entry => void lose([entry], 'too-large'),
          pong: shell.ponged,
          close: end,
          welcomed(resumed, hb = Infinity) {
            isResumed = resumed
            beat.intervalMs = Math.min(hb, settings.heartbeat.intervalMs)
            shell.dispatch({ type: 'welcomed' })
          },
          preamble: () => fail(new SocketError('unexpected-frame', 'it came before the welcome'), latest),
          unsupported: () =>
            end(
              1002,
              'peer not supported',
              new SocketError('peer-not-supported', 'this is no server of sessions'),
            ),
          lost,
        },
        { win, max },
      )

    let client = start()
    let id = unguessable(12)
    let key = unguessable(16)

    /** The one timer, for acknowledgements. Most go with a message before it ends: then it finds nothing to do. */
    const arm = (): void => {
      const { until } = client.session
      if (timer === undefined && until < Infinity)
        timer = clock.setTimeout(() => {
          timer = undefined
          client.session.tick(clock.now())
          arm()
        }, until - clock.now())
    }

    const disarm = (): void => {
      clock.clearTimeout(timer)
      timer = undefined
    }

    return {
      get isResumed() {
        return isResumed
      },
      codec: payload(codec),
      async hello(context) {
        const asked = typeof auth === 'function' ? await auth(context) : auth
        if (context.signal.aborted) return
        const hello = { v: 1, id, key, ...client.opened(unguessable(9)), auth: asked } as const
        write(writeFrame({ kind: 'hello', hello }))
      },
      received(data, now) {
        latest = data
        client.receive(parseFrame(data), now)
        advance(now)
      },
      pump: now => client.session.pump(now),
      judge: ({ code, reason }: Close) => client.dropped(code, reason === 'connect timeout'),
      unlink() {
        client.session.flush()
        client.session.stop()
        disarm()
      },
      flush: () => client.session.flush(),
      ping: () => client.session.ping(),
      sendVolatile: (...message) => client.session.sendVolatile(...message),
      advance() {
        advance()
        shell.publish()
      },
      end() {
        const rest = client.session.end()
        disarm()
        inbox = []
        inHand = undefined
        client = start()
        id = unguessable(12)
        key = unguessable(16)
        return rest
      },
    }
  }
}
