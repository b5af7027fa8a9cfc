/** Documents that lie in one place each, as a slip of the hand would make them, and the checks that have to notice. */

import { type Block, blocks } from './markdown'

export interface Mutant {
  /** What was done to the document. */
  readonly what: string
  /** The names of the checks that have to complain. All others have to be content. */
  readonly guards: readonly string[]
  readonly text: string
}

/** What it takes to change a document in one place. */
export function editing(text: string) {
  const lines = text.split('\n')

  /** A document with other lines, or none, in place of one; nothing if that would change nothing. */
  const put = (at: number, what: string, guards: string | string[], ...instead: string[]): Mutant[] => {
    const changed = [...lines.slice(0, at), ...instead, ...lines.slice(at + 1)].join('\n')
    return changed === text ? [] : [{ what, guards: [guards].flat(), text: changed }]
  }

  /** The numbers of the lines with the rows of the first table under a heading. */
  function rows(heading: string): number[] {
    const start = lines.indexOf(`## ${heading}`)
    const head = lines.findIndex((line, at) => at > start && line.startsWith('|'))
    const end = lines.findIndex((line, at) => at > head && !line.startsWith('|'))
    return span(head + 2, end)
  }

  const span = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
  const line = (at: number) => lines[at] ?? ''
  const cells = (at: number) => line(at).split(' | ')

  return { lines, put, rows, span, line, cells }
}

export function mutants(text: string): Mutant[] {
  const { lines, put, rows, span, line, cells } = editing(text)

  const tables = Object.entries({
    States: 'states',
    Options: 'options',
    Methods: 'methods',
    Events: 'events',
    Errors: 'errors',
    Undelivered: 'undelivered',
  }).flatMap(([heading, guard]) =>
    rows(heading).flatMap(at => {
      const [name = ''] = cells(at)
      return [
        ...put(at, `${heading}: no row ${name.slice(2)}`, guard),
        ...put(at, `${heading}: ${name.slice(2)} misspelt`, guard, line(at).replace(/`\[?\w/, '$&x')),
        ...put(at, `${heading}: ${name.slice(2)} there twice`, guard, line(at), line(at)),
      ]
    }),
  )

  const defaults = rows('Options').flatMap(at => {
    const [name = '', fallback = '', ...meaning] = cells(at)
    const other = /\d/.test(fallback)
      ? fallback.replace(/\d(?=\D*$)/, d => `${(Number(d) + 1) % 10}`)
      : '`"other"`'
    return put(
      at,
      `Options: ${name.slice(2)} is ${other} by default`,
      'options',
      [name, other, ...meaning].join(' | '),
    )
  })

  const sizes = lines.flatMap((each, at) =>
    [...each.matchAll(/\d(?= kB)/g)].flatMap(({ index, 0: digit }) => {
      const changed = `${each.slice(0, index)}${(Number(digit) + 1) % 10}${each.slice(index + 1)}`
      return put(at, `a size: ${changed.slice(0, 60)}`, 'sizes', changed)
    }),
  )

  const inside = ({ line: start, code }: Block) => span(start, start + code.split('\n').length - 1)
  const found = blocks(text)
  const of = (language: string) => found.filter(block => block.language === language)

  const edges = of('mermaid')
    .flatMap(inside)
    .filter(at => line(at).includes('-->'))
    .flatMap(at => [
      ...put(at, `the diagram: no${line(at)}`, 'diagram'),
      ...put(at, `the diagram:${line(at)} renamed`, 'diagram', `${line(at)}s`),
      ...put(at, `the diagram:${line(at)} elsewhere`, 'diagram', line(at).replace(/--> \w+/, '--> nowhere')),
      ...put(at, `the diagram:${line(at)} twice`, 'diagram', line(at), line(at)),
      ...put(at, `the diagram:${line(at)} and another`, 'diagram', line(at), '  closed --> open: opened'),
    ])

  const prints = found.flatMap(block =>
    inside(block)
      .filter(at => /console\.log\(.*\) \/\/ → /.test(line(at)))
      .flatMap(at => {
        const guard = block.language === 'html' ? 'script tag' : 'examples'
        return put(at, `line ${at + 1}: prints something else`, guard, `${line(at)}!`)
      }),
  )

  const calls = found.flatMap(block => {
    const at = inside(block).find(each => /\bsocket\.\w/.test(line(each)))
    const guards = block.language === 'html' ? 'script tag' : ['examples', 'types']
    return at === undefined
      ? []
      : put(at, `line ${at + 1}: a misspelt name`, guards, line(at).replace(/\bsocket\.\w/, '$&x'))
  })

  const imports = of('ts').flatMap(block => {
    const at = inside(block).find(each => /^import .*'reconnecting-socket/.test(line(each)))
    const misspelt = line(at ?? 0).replace(/\w(?= })/, '$&x')
    return at === undefined
      ? []
      : put(at, `line ${at + 1}: a misspelt import`, ['examples', 'types'], misspelt)
  })

  const tests = lines.flatMap((each, at) => [
    ...[...each.matchAll(/(?<=`test\/\S+\.test\.ts`: )./g)].flatMap(({ index, 0: first }) =>
      put(
        at,
        `line ${at + 1}: the test “${each.slice(index).split(/<br>| \|/)[0]}” renamed`,
        'named tests',
        `${each.slice(0, index)}not ${first}${each.slice(index + 1)}`,
      ),
    ),
    ...[...each.matchAll(/(?<=`test\/\S+)\.test\.ts(?=`)/g)].flatMap(({ index }) =>
      put(
        at,
        `line ${at + 1}: a test file misspelt`,
        'named tests',
        `${each.slice(0, index)}s${each.slice(index)}`,
      ),
    ),
  ])

  const evidence = rows('What happens when').flatMap(at =>
    put(
      at,
      `line ${at + 1}: without a test`,
      'evidence',
      `${cells(at).slice(0, -1).join(' | ')} | somewhere |`,
    ),
  )

  const commands = of('sh').flatMap(block =>
    inside(block).flatMap(at =>
      put(at, `line ${at + 1}: a misspelt script`, 'commands', line(at).replace(/npm run \w+/, '$&x')),
    ),
  )

  const anchors = lines.flatMap((each, at) =>
    /\]\(#/.test(each) ? put(at, `line ${at + 1}: a broken link`, 'links', each.replace(/\(#\w/, '$&x')) : [],
  )

  const fences = lines.flatMap((each, at) =>
    each === '```sh' ? put(at, `line ${at + 1}: a block in another language`, 'languages', '```fish') : [],
  )

  return [
    tables,
    defaults,
    sizes,
    edges,
    prints,
    calls,
    imports,
    tests,
    evidence,
    commands,
    anchors,
    fences,
  ].flat()
}
