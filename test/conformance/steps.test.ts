/** The format of exchanges: what is shipped is valid, and what nobody could play is not. */

import { expect, test } from 'vitest'
import server from '../../docs/protocol/exchanges.json'
import { serverExchanges } from '../../src/conformance/steps'

const file = (...steps: unknown[]) => ({
  protocol: 'reconnecting-socket.v1',
  exchanges: [{ rule: 'a/b', sentence: 'It does.', steps }],
})

test('what is shipped is valid, and names each rule once', () => {
  const { exchanges } = serverExchanges.parse(server)
  expect(exchanges.length).toBeGreaterThan(90)
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
