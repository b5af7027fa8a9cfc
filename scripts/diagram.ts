/** Prints the state diagram from the machine; with --write, puts it into the README. */

import { readFileSync, writeFileSync } from 'node:fs'
import * as machine from '../src/core/lifecycle'
import { diagram } from '../test/support/diagram'

const printed = diagram(machine)
console.log(printed)
if (process.argv.includes('--write')) {
  const readme = readFileSync('README.md', 'utf8')
  writeFileSync(
    'README.md',
    readme.replace(/```mermaid\n[\s\S]*?\n```/, () => printed),
  )
}
