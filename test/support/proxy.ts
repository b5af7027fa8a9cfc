/**
 * A TCP proxy that breaks on command, so that a test can have the network it needs: cut, stalled, slow, refusing,
 * or silent. It knows nothing of WebSockets. *Up* is from client to server, *down* is back.
 *
 * What a connection sends is a queue of pieces in either direction: bytes, the end, a reset. They are handed on in
 * order, each when its time has come, and not while the direction is held: so a stalled connection is not closed,
 * not even when its other side is. A full queue stops reading, which the sender feels as backpressure.
 */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

type Direction = 'up' | 'down'

export interface FaultProxy {
  readonly port: number
  readonly url: string
  /** Connections that neither the client nor `cut` has ended. A stalled one counts, a closed one at once does not. */
  readonly connections: number
  /** TCP connections accepted, ever. */
  readonly accepted: number
  /** Ends all present connections, towards both sides, and forgets what was on its way. */
  cut(how: 'fin' | 'rst'): void
  /** Holds back what is sent: on present connections, and on new ones too until `resume`. */
  stall(which: Direction | 'both'): void
  /** Lets go what is held back by `stall` or `zombie`, in order and with nothing lost. */
  resume(): void
  /** Stalls the present connections in both directions, and only them: half-open, as after a change of network. */
  zombie(): void
  /** Bytes take this long from now on, in either direction. */
  delay(ms: number): void
  /** New connections are refused from now on. Present ones live. */
  refuse(): void
  /** New connections are accepted, and never answered: a black hole. They stay so. */
  hang(): void
  /** New connections are forwarded again: ends `refuse` and `hang`. */
  accept(): Promise<void>
  close(): Promise<void>
}

interface Piece {
  readonly size: number
  /** A `performance.now()`. */
  readonly due: number
  /** @returns whether the next may follow at once */
  deliver(): boolean
}

interface Flow {
  hold(held: boolean): void
  /** Delivers nothing more, ever. */
  stop(): void
}

interface Link {
  readonly client: Socket
  /** Both, or the client alone if it was left hanging. */
  readonly sockets: readonly Socket[]
  readonly flows: Partial<Record<Direction, Flow>>
}

/** Bytes in hand per direction at which to stop reading. */
const WINDOW_BYTES = 262_144

/** Hands on what `from` says to `to`. */
function flow(from: Socket, to: Socket, delayMs: () => number): Flow {
  const pieces: Piece[] = []
  let inHand = 0
  let lastDue = 0
  let held = false
  let full = false
  let stopped = false
  let timer: NodeJS.Timeout | undefined

  const take = (size: number, deliver: () => boolean) => {
    if (stopped) return
    // Never before what came earlier, even if the delay has become shorter since
    lastDue = Math.max(lastDue, performance.now() + delayMs())
    pieces.push({ size, due: lastDue, deliver })
    inHand += size
    if (inHand >= WINDOW_BYTES) from.pause()
    advance()
  }

  const advance = () => {
    clearTimeout(timer)
    while (pieces[0] && !held && !full && !stopped) {
      const [piece] = pieces
      const wait = piece.due - performance.now()
      if (wait > 0) {
        timer = setTimeout(advance, wait)
        break
      }
      pieces.shift()
      inHand -= piece.size
      full = !piece.deliver()
    }
    if (inHand < WINDOW_BYTES && from.isPaused()) from.resume()
  }

  from.on('data', chunk => take(chunk.length, () => to.write(chunk)))
  from.on('end', () => take(0, () => !!to.end()))
  from.on('close', wasReset => wasReset && take(0, () => !!to.resetAndDestroy()))
  to.on('drain', () => {
    full = false
    advance()
  })

  return {
    hold(now) {
      held = now
      advance()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Tells the peer, and goes on reading so that what it still says is not answered by a reset. */
function end(socket: Socket, how: 'fin' | 'rst'): void {
  if (how === 'rst') socket.resetAndDestroy()
  else socket.resume().end()
}

const isLive = ({ client }: Link) => !client.readableEnded && !client.destroyed

export async function startProxy(targetPort: number, { host = '127.0.0.1' } = {}): Promise<FaultProxy> {
  const links = new Set<Link>()
  const sockets = new Set<Socket>()
  const stalled: Record<Direction, boolean> = { up: false, down: false }
  let delayMs = 0
  let hanging = false
  let accepted = 0

  const adopt = (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay()
    // `close` follows, and says whether there was an error: without a listener it would be thrown
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    return socket
  }

  const swallow = (client: Socket): Link => {
    client.resume()
    client.on('end', () => client.end())
    return { client, sockets: [client], flows: {} }
  }

  const forward = (client: Socket): Link => {
    const upstream = adopt(connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true }))
    const up = flow(client, upstream, () => delayMs)
    const down = flow(upstream, client, () => delayMs)
    return { client, sockets: [client, upstream], flows: { up, down } }
  }

  const hold = (link: Link, held: Record<Direction, boolean>) => {
    link.flows.up?.hold(held.up)
    link.flows.down?.hold(held.down)
  }

  const server = createServer({ allowHalfOpen: true }, client => {
    accepted++
    adopt(client)
    const link = hanging ? swallow(client) : forward(client)
    links.add(link)
    hold(link, stalled)
    // A held connection is kept although the client has left: there is still something to deliver
    for (const socket of link.sockets)
      socket.on('close', () => link.sockets.every(({ closed }) => closed) && links.delete(link))
  })

  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve()
      })
    })

  await listen(0)
  const { port } = server.address() as AddressInfo

  return {
    port,
    url: `ws://${host}:${port}`,
    get connections() {
      return [...links].filter(isLive).length
    },
    get accepted() {
      return accepted
    },
    cut(how) {
      for (const link of links) {
        link.flows.up?.stop()
        link.flows.down?.stop()
        for (const socket of link.sockets) end(socket, how)
      }
      links.clear()
    },
    stall(which) {
      for (const direction of ['up', 'down'] as const)
        if (which === direction || which === 'both') stalled[direction] = true
      for (const link of links) hold(link, stalled)
    },
    resume() {
      stalled.up = stalled.down = false
      for (const link of links) hold(link, stalled)
    },
    zombie() {
      for (const link of links) hold(link, { up: true, down: true })
    },
    delay(ms) {
      delayMs = ms
    },
    refuse() {
      server.close()
    },
    hang() {
      hanging = true
    },
    async accept() {
      hanging = false
      if (!server.listening) await listen(port)
    },
    close() {
      for (const { flows } of links) {
        flows.up?.stop()
        flows.down?.stop()
      }
      for (const socket of sockets) socket.destroy()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}
