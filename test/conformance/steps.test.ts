/** The format of exchanges: what is shipped is valid, and what nobody could play is not. */

import { expect, test } from 'vitest'
import client from '../../docs/protocol/client-exchanges.json'
import server from '../../docs/protocol/exchanges.json'
import { clientExchanges, serverExchanges } from '../../src/conformance/steps'

const file = (...steps: unknown[]) => ({
  protocol: 'reconnecting-socket.v1',
  exchanges: [{ rule: 'a/b', sentence: 'It does.', steps }],
})

test('what is shipped is valid, and names each rule once', () => {
  const { exchanges } = serverExchanges.parse(server)
  expect(exchanges.length).toBeGreaterThan(90)
  expect(clientExchanges.parse(client).exchanges.length).toBeGreaterThan(60)
  expect(serverExchanges.safeParse({ ...server, exchanges: [...exchanges, exchanges[0]] }).success).toBe(
    false,
  )
})

test.each([
  [{ connect: 'a' }, { conect: 'a' }],
  [
    { expect: [5], within: 100 },
    { expect: [5], within: 'soon' },
  ],
  [{ sendBinary: '02 ff' }, { sendBinary: '2' }],
  [{ wait: '$ttl+1' }, { wait: '$ttl+1', on: 'a' }],
  [
    { close: 'a', code: 1000 },
    { close: 'a', code: '1000' },
  ],
])('%j is a step, %j is none', (step, none) => {
  expect(serverExchanges.safeParse(file(step)).success).toBe(true)
  expect(serverExchanges.safeParse(file(none)).success).toBe(false)
})

test('who is judged decides what can be played', () => {
  expect(clientExchanges.safeParse(file({ accept: 'a', welcome: {} })).success).toBe(true)
  expect(serverExchanges.safeParse(file({ accept: 'a', welcome: {} })).success).toBe(false)
  expect(clientExchanges.safeParse(file({ connect: 'a' })).success).toBe(false)
})
