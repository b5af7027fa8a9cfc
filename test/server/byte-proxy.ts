/**
 * A TCP proxy whose connections each live for a number of bytes, and not one more: wherever that is, in a handshake, in
 * a header, in a message. Then they are reset; or half-open: silent, while what was on its way comes late, when there
 * has long been another.
 */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Fate {
  /** In both directions together. */
  readonly bytes: number
  readonly isZombie: boolean
  /** When a zombie's bytes come after all, in ms; half of them. */
  readonly lateMs: number
}

export const startByteProxy = async (target: { readonly port: number }, fate: () => Fate) => {
  const sockets = new Set<Socket>()
  const ended = { reset: 0, zombies: 0 }
  const adopt = (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay()
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    return socket
  }

  const server = createServer(client => {
    const upstream = adopt(connect({ port: target.port, host: '127.0.0.1' }))
    adopt(client)
    let { bytes, isZombie, lateMs } = fate()
    let isOver = false
    const pipe = (from: Socket, to: Socket) => {
      from.on('data', chunk => {
        if (isOver) return
        if (chunk.length < bytes) {
          bytes -= chunk.length
          return void to.write(chunk)
        }
        isOver = true
        if (isZombie) {
          ended.zombies++
          to.write(chunk.subarray(0, Math.floor(bytes / 2)))
          setTimeout(() => to.write(chunk.subarray(Math.floor(bytes / 2))), lateMs)
        } else {
          ended.reset++
          to.write(chunk.subarray(0, bytes), () => {
            to.resetAndDestroy()
            from.resetAndDestroy()
          })
        }
      })
      // A zombie's other side is not told
      from.on('close', () => isOver || to.destroy())
    }
    pipe(client, upstream)
    pipe(upstream, client)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}`,
    ended,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise(resolve => server.close(resolve))
    },
  }
}
