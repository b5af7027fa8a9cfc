/** Makes the documents lie, in one place at a time, and prints which check noticed and what it said. */

import { readFileSync } from 'node:fs'
import { type Checks, compile, complaints, readme, typed } from './checks'
import { type Mutant, mutants } from './mutants'
import { protocol } from './protocol'
import { protocolMutants } from './protocol-mutants'
import { root } from './source'

interface Document {
  readonly folder: string
  readonly file: string
  readonly checks: Checks
  readonly mutants: (text: string) => readonly Mutant[]
}

const DOCUMENTS: readonly Document[] = [
  { folder: '', file: 'README.md', checks: readme, mutants },
  { folder: 'docs/', file: 'PROTOCOL.md', checks: protocol, mutants: protocolMutants },
]

for (const { folder, file, checks, mutants } of DOCUMENTS) {
  const text = readFileSync(root + folder + file, 'utf8')
  const all = mutants(text)
  compile(all.flatMap(mutant => typed(mutant.text)))

  const genuine = await complaints(checks, text, folder)
  console.log(`${file} as it is:`, Object.keys(genuine).length ? genuine : 'no complaint')

  let survivors = 0
  for (const { what, text, guards } of all) {
    const found = await complaints(checks, text, folder)
    if (guards.some(guard => !found[guard])) survivors++
    console.log(what)
    for (const [check, [first]] of Object.entries(found)) console.log(`    refused by ${check}: ${first}`)
  }
  console.log(`${file}: ${all.length} lies, ${survivors} not refused`)
  if (survivors || Object.keys(genuine).length) process.exitCode = 1
}
