/** Documents of the session protocol that lie in one place each, and the checks that have to notice. */

import { blocks } from './markdown'
import { editing, type Mutant } from './mutants'

/** Each table by its heading, with its check, and the columns that it looks at. */
const TABLES: Readonly<Record<string, readonly [guard: string, ...columns: number[]]>> = {
  Frames: ['kinds', 0, 1, 3],
  'Fields of hello': ['fields of hello', 0, 1, 2],
  'Fields of welcome': ['fields of welcome', 0, 1, 2],
  'Close codes': ['close codes', 0, 4],
  'Reasons of a lost session': ['reasons', 0, 1],
  'When there is no room': ['when there is no room', 1, 2],
  Limits: ['limits', 0, 1],
}

/** Says something else, of the same form. */
const other = (cell: string) =>
  /\d/.test(cell)
    ? cell.replace(/\d(?=\D*$)/, digit => `${(Number(digit) + 1) % 10}`)
    : cell.replace(/\w+(?=\W*$)/, '$&x')

const WORDS: readonly (readonly [from: string, to: string])[] = [
  ['retries', 'ends for good'],
  ['ends for good', 'retries'],
  ['kept', 'ended'],
  ['ended', 'kept'],
]

export function protocolMutants(text: string): Mutant[] {
  const { lines, put, rows, span, line, cells } = editing(text)

  const tables = Object.entries(TABLES).flatMap(([heading, [guard, ...columns]]) =>
    rows(heading).flatMap(at => {
      const name = `${heading}: ${cells(at)[0]?.slice(2)}`
      return [
        ...put(at, `${name} missing`, guard),
        ...put(at, `${name} twice`, guard, line(at), line(at)),
        ...columns.flatMap(column => {
          const changed = cells(at).map((cell, n) => (n === column ? other(cell) : cell))
          // What a client does about a code is said in words
          return guard === 'close codes' && column
            ? []
            : put(at, `${name}, column ${column}`, guard, changed.join(' | '))
        }),
      ]
    }),
  )

  const codes = rows('Close codes').flatMap(at =>
    WORDS.flatMap(([from, to]) => {
      const [code = '', meaning = '', sender = '', session = '', client = ''] = cells(at)
      const isSession = from === 'kept' || from === 'ended'
      if (isSession && (sender === 'server' || session !== from)) return []
      const changed = isSession ? [session.replace(from, to), client] : [session, client.replaceAll(from, to)]
      const row = [code, meaning, sender, ...changed].join(' | ')
      return row === line(at) ? [] : put(at, `${code}: ${to}, not ${from}`, 'close codes', row)
    }),
  )

  const inside = (language: string) =>
    blocks(text)
      .filter(block => block.language === language)
      .flatMap(({ line: start, code }) => span(start, start + code.split('\n').length - 1))

  const shown = inside('json').flatMap(at => [
    ...put(at, `line ${at + 1}: a frame that is none`, 'frames', line(at).replace(/^\[\d/, '[7')),
    ...put(at, `line ${at + 1}: a frame of another kind`, 'frames', '[64]'),
    ...put(at, `line ${at + 1}: a frame with blanks`, 'frames', line(at).replace('[', '[ ')),
    ...put(at, `line ${at + 1}: no JSON`, ['frames', 'languages'], `${line(at)}]`),
  ])

  const types = inside('ts').flatMap(at =>
    /^ {2}\w+\??: /.test(line(at))
      ? [
          ...put(at, `line ${at + 1}: no field`, 'interfaces'),
          ...put(at, `line ${at + 1}: another field`, 'interfaces', line(at).replace(/\w\b/, '$&x')),
        ]
      : [],
  )

  const numbers = lines.flatMap((each, at) => {
    const [digits] = each.startsWith('|') ? [] : (each.match(/(?<![\d,])\d{1,3},\d{3}(?![\d,])/) ?? [])
    return digits
      ? put(at, `line ${at + 1}: ${other(digits)}`, 'limits in the text', each.replace(digits, other(digits)))
      : []
  })

  const said = lines.flatMap((each, at) =>
    each.includes('this project says')
      ? put(at, 'a word that nobody says', 'words', each.replace('`gap`', '`gapp`'))
      : [],
  )

  const links = lines.flatMap((each, at) =>
    /\]\(#/.test(each) ? put(at, `line ${at + 1}: a broken link`, 'links', each.replace(/\(#\w/, '$&x')) : [],
  )

  return [tables, codes, shown, types, numbers, said, links].flat()
}
