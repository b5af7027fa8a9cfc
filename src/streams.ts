/** A socket as WHATWG streams, with backpressure both ways: what `pipeTo` and `pipeThrough` want. */

import { SocketError } from './errors'
import type { MessagesOptions } from './options'
import type { ReconnectingSocket } from './reconnecting-socket'

/** A socket as two streams of the platform. */
export interface SocketStreams<Incoming, Outgoing> {
  /**
   * The messages from now on. What waits to be read is bounded by the options, for a browser cannot slow down who sends.
   * It ends when the socket is closed for good. `cancel()` stops reading, and leaves the socket open.
   */
  readonly readable: ReadableStream<Incoming>
  /**
   * Sends. A write is done when there is room for the next, so that a slow peer slows down the source.
   * `close()` closes the socket once all is sent. `abort()` closes it at once. It errors when the socket is closed.
   */
  readonly writable: WritableStream<Outgoing>
}

/**
 * A socket as a readable and a writable stream.
 * @throws SocketError `invalid-option`
 */
export const streams = <Incoming, Outgoing>(
  socket: ReconnectingSocket<Incoming, Outgoing>,
  options?: MessagesOptions,
): SocketStreams<Incoming, Outgoing> => {
  const messages = socket.messages(options)
  let off = () => {}

  const readable = new ReadableStream<Incoming>(
    {
      async pull(controller) {
        const { done, value } = await messages.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await messages.return?.()
      },
    },
    // The buffer of the messages is enough
    { highWaterMark: 0 },
  )

  const writable = new WritableStream<Outgoing>({
    start(controller) {
      off = socket.on('state', ({ name }) => {
        if (name !== 'closed') return
        off()
        controller.error(new SocketError('closed', 'the socket is closed'))
      })
      if (socket.state.name === 'closed') controller.error(new SocketError('closed', 'the socket is closed'))
    },
    async write(message) {
      if (!socket.send(message)) await socket.drained()
    },
    async close() {
      off()
      await socket.close({ drain: true })
    },
    async abort() {
      off()
      await socket.close()
    },
  })

  return { readable, writable }
}
