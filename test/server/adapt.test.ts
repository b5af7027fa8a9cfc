import { expect, test, vi } from 'vitest'
import { adapt } from '../../src/server'

const fake = () => ({
  readyState: 1,
  send: vi.fn<(data: string | Uint8Array) => number>(() => 5),
  close: vi.fn(),
  terminate: vi.fn(),
  getBufferedAmount: () => 7,
})

test('what handlers tell is dispatched to those who listen to it', () => {
  const adapted = adapt(fake())
  const heard: unknown[] = []
  adapted.addEventListener('message', ({ type, data }) => heard.push([type, data]))
  adapted.addEventListener('close', ({ type, code, reason }) => heard.push([type, code, reason]))
  adapted.received('hello')
  adapted.closed(4001, 'bye')
  adapted.closed()
  expect(heard).toEqual([
    ['message', 'hello'],
    ['close', 4001, 'bye'],
    ['close', 1006, ''],
  ])
})

test('what is asked of it goes to the WebSocket, and is what it is at that time', () => {
  const webSocket = fake()
  const adapted = adapt(webSocket)
  expect([adapted.readyState, adapted.bufferedAmount]).toEqual([1, 7])
  webSocket.readyState = 2
  expect(adapted.readyState).toBe(2)
  adapted.send('hello')
  adapted.close(4503, 'draining')
  adapted.terminate?.()
  expect(webSocket.send.mock.calls).toEqual([['hello']])
  expect(webSocket.close.mock.calls).toEqual([[4503, 'draining']])
  expect(webSocket.terminate).toHaveBeenCalledOnce()
})

test('one that was dropped by the WebSocket is not sent; one that has to wait is', () => {
  const webSocket = fake()
  const adapted = adapt(webSocket)
  webSocket.send.mockReturnValue(-1)
  adapted.send('waits')
  webSocket.send.mockReturnValue(0)
  expect(() => adapted.send('dropped')).toThrow('dropped')
})

test('one that can do less will do: nothing waits, and terminate is close', () => {
  const close = vi.fn()
  const adapted = adapt({ readyState: 1, send: () => undefined, close })
  adapted.send('hello')
  expect(adapted.bufferedAmount).toBe(0)
  adapted.terminate?.()
  expect(close.mock.calls).toEqual([[]])
})
