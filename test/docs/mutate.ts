/** Makes the README lie, in one place at a time, and prints which check noticed and what it said. */

import { readFileSync } from 'node:fs'
import { compile, complaints, readme, typed } from './checks'
import { mutants } from './mutants'
import { root } from './source'

const text = readFileSync(`${root}README.md`, 'utf8')
const all = mutants(text)
compile(all.flatMap(mutant => typed(mutant.text)))

const genuine = await complaints(readme, text)
console.log('the README as it is:', Object.keys(genuine).length ? genuine : 'no complaint')

let survivors = 0
for (const { what, text, guards } of all) {
  const found = await complaints(readme, text)
  if (guards.some(guard => !found[guard])) survivors++
  console.log(what)
  for (const [check, [first]] of Object.entries(found)) console.log(`    refused by ${check}: ${first}`)
}
console.log(`${all.length} lies, ${survivors} not refused`)
if (survivors || Object.keys(genuine).length) process.exitCode = 1
