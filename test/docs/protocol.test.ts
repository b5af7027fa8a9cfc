/** The document of the session protocol says what the code does. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { complaints } from './checks'
import { protocol } from './protocol'
import { protocolMutants } from './protocol-mutants'
import { root } from './source'

const text = readFileSync(`${root}docs/PROTOCOL.md`, 'utf8')

test.each(Object.entries(protocol))('the protocol is as it says: %s', async (_, check) => {
  expect(await check(text, 'docs')).toEqual([])
})

describe('a document of the protocol that lies in one place', () => {
  const all = protocolMutants(text)
  // Its types are compiled, which takes too long for so many
  const { types: _, ...quick } = protocol

  test.each(Object.keys(quick).filter(name => all.some(({ guards }) => guards.includes(name))))(
    'is refused, and by the right checks: %s',
    async name => {
      for (const { what, text, guards } of all.filter(({ guards }) => guards.includes(name))) {
        const found = Object.keys(await complaints(quick, text, 'docs'))
        expect([what, ...found.sort()]).toEqual([what, ...[...guards].sort()])
      }
    },
    120_000,
  )

  test('is known for each check of its own', () => {
    const own = Object.keys(protocol).slice(Object.keys(protocol).indexOf('kinds'))
    expect(own.filter(name => !all.some(({ guards }) => guards.includes(name)))).toEqual([])
  })
})
