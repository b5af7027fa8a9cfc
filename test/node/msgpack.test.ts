import { expect, test } from 'vitest'
import { msgpack } from '../../src/msgpack'
import { next } from '../support/events'
import { connect, serve } from './rig'

test('MessagePack goes to a server and back, queued before it was open', async () => {
  const server = await serve('echo')
  const message = { at: new Date(5), bytes: new Uint8Array([1, 2]), big: 2n ** 60n, text: 'é' }
  const socket = connect(server.url, { codec: msgpack() })
  socket.send(message)
  expect(await next(socket, 'message')).toEqual(message)
})
