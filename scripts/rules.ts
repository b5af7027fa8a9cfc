/** The rules of the judge as docs/CONFORMANCE.md lists them, from what is played. Run, it writes them there. */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const DOCUMENT = `${root}docs/CONFORMANCE.md`

const FILES: Readonly<Record<string, string>> = {
  server: 'exchanges',
  client: 'client-exchanges',
}

const between = (judged: string) =>
  new RegExp(`(?<=<!-- ${judged} rules.*-->\\n)[\\s\\S]*?(?=<!-- /${judged} rules -->)`)

const table = (file: string): string => {
  const { exchanges } = JSON.parse(readFileSync(`${root}docs/protocol/${file}.json`, 'utf8')) as {
    exchanges: { rule: string; sentence: string }[]
  }
  const rows = exchanges.map(({ rule, sentence }) => `| \`${rule}\` | ${sentence} |`)
  return ['| Rule | |', '|---|---|', ...rows, ''].join('\n')
}

/** @returns the document with the lists as they should be */
export const withRules = (document: string): string =>
  Object.entries(FILES).reduce(
    (text, [judged, file]) => text.replace(between(judged), () => table(file)),
    document,
  )

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(DOCUMENT, withRules(readFileSync(DOCUMENT, 'utf8')))
