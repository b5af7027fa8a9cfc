/** A WebSocket that is like one in a browser, as Deno's: it may close with 1000 and 3000 to 4999, and throws for others. */

import { expect, test, vi } from 'vitest'
import { SessionServer } from '../../src/server'
import { writeFrame } from '../../src/wire/frames'
import { FakeServerSocket } from './fake-socket'
import { cleanup, HELLO, until } from './rig'

class Picky extends FakeServerSocket {
  override close(code?: number): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999))
      throw new DOMException(`${code} is not allowed`, 'InvalidAccessError')
    super.close(code)
  }
}

test('that refuses the code of an internal error is closed without one, and not left open', async () => {
  vi.spyOn(crypto.subtle, 'digest').mockRejectedValue(new Error('no chance today'))
  cleanup(() => vi.restoreAllMocks())
  const errors: unknown[] = []
  const server = new SessionServer({ authenticate: () => 'somebody' })
  server.on('error', error => errors.push(`${error}`))
  const socket = new Picky()
  server.accept(socket, undefined)
  socket.say(writeFrame({ kind: 'hello', hello: HELLO }))
  await until(() => errors.length)
  expect([socket.readyState, socket.code]).toEqual([2, 1005])
  expect(errors[0]).toBe('Error: no chance today')
  await server.close()
  expect(server.stats().connections).toBe(0)
})
