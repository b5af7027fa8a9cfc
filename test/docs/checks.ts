/**
 * What the documents say is held against its source. A check is a function of a document's text and answers its
 * complaints: none, if all of it is true. So a check can be checked too, by documents that lie.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as machine from '../../src/core/lifecycle'
import { diagram } from '../support/diagram'
import { complaintsOfComponent, complaintsOfExample, complaintsOfPage } from './examples'
import { anchors, type Block, blocks, cited, links, plain, table } from './markdown'
import { members, properties, root, titles, typeErrors, union } from './source'
import { SIZES, sizes } from './write-sizes'

/** The folder, from the root of the repository, is what links are relative to. */
export type Check = (text: string, folder?: string) => string[] | Promise<string[]>
export type Checks = Readonly<Record<string, Check>>

/** Everything that the checks have to say against a document, by the name of the check. */
export async function complaints(
  checks: Checks,
  text: string,
  folder = '',
): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const [name, check] of Object.entries(checks)) {
    const said = await check(text, folder)
    if (said.length) found[name] = said
  }
  return found
}

const of = (text: string, ...languages: string[]) =>
  blocks(text).filter(({ language }) => languages.includes(language))

/** Each complaint of a block with the line that it begins at. */
async function each(found: readonly Block[], check: (code: string) => Promise<string[]>): Promise<string[]> {
  const all: string[] = []
  for (const { code, line } of found)
    all.push(...(await check(code)).map(complaint => `line ${line}: ${complaint}`))
  return all
}

/** Of two tables, as names with what is said of each. */
export function differences(
  shown: readonly (readonly [string, string?])[],
  source: ReadonlyMap<string, string>,
) {
  const names = shown.map(([name]) => name)
  return [
    ...names.filter((name, n) => names.indexOf(name) < n).map(name => `${name} is there twice`),
    ...[...source.keys()].filter(name => !names.includes(name)).map(name => `${name} is missing`),
    ...shown.flatMap(([name, says = '']) => {
      const is = source.get(name)
      if (is === undefined) return [`${name} is not in the source`]
      return is === says ? [] : [`${name} says ${says}, but is ${is}`]
    }),
  ]
}

/** The first column of a table has each of these names, and no others. */
const names =
  (heading: string, source: () => string[]): Check =>
  text =>
    differences(
      table(text, heading).map(([name]) => [plain(name).replace(/\(.*/, '')]),
      new Map(source().map(name => [name, ''])),
    )

/** Each option by its path, and what its comment says of the default. */
export function documentedOptions(
  name = 'Options',
  path = '',
): [option: string, fallback: string | undefined][] {
  return properties('src/options.ts', name).flatMap(property => {
    const own: [string, string | undefined] = [path + property.name, property.default]
    const nested = property.types.find(type => /^(Heartbeat|Backoff|Queue)Options$|^Platform$/.test(type))
    if (!nested) return [own]
    const inner = documentedOptions(nested, `${own[0]}.`)
    return property.default === undefined ? inner : [own, ...inner]
  })
}

/** What does not change while the tests run is found out once. */
function lazy<T>(find: () => T): () => T {
  let found: { readonly it: T } | undefined
  return () => {
    found ??= { it: find() }
    return found.it
  }
}

/** Printed from the machine, which takes its time. */
const machineDiagram = lazy(() => diagram(machine))
const measuredSizes = lazy(sizes)
const scripts = lazy(() =>
  Object.keys((JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: object }).scripts),
)

/** What the compiler said of a block, by its code. */
const compiled = new Map<string, string[]>()

/** Compiles all that was not compiled before, in one go: the types of the libraries are what takes the time. */
export function compile(found: readonly Block[]): void {
  const unknown = new Map(found.filter(({ code }) => !compiled.has(code)).map(block => [block.code, block]))
  const files = [...unknown.values()].map(
    ({ language, code }, n) => [`example-${n}.${language}`, code] as const,
  )
  // A module, even if it imports nothing: what two blocks declare is not the same
  const modules = new Map(files.map(([name, code]) => [name, `${code}\nexport {}\n`]))
  const errors = files.length ? typeErrors(modules) : []
  for (const [name, code] of files) {
    const own = errors.filter(error => error.startsWith(`${name}: `))
    compiled.set(
      code,
      own.map(error => error.slice(name.length + 2)),
    )
  }
}

/** The blocks that are compiled. Other runtimes have types of their own. */
export const typed = (text: string): Block[] =>
  of(text, 'ts', 'tsx').filter(({ runtime }) => !runtime || runtime === 'node')

const isJson = (code: string): boolean => {
  try {
    JSON.parse(code)
    return true
  } catch {
    return false
  }
}

/** The tables in which each row names the test that keeps it true. */
const EVIDENCE = ['What happens when', 'What "sent" means', 'Bugs we refuse to have']

/** Held against every document. */
export const everywhere: Checks = {
  /** Each block is in a language that one of the checks knows what to do with. Of JSON, that is to parse it. */
  languages: text =>
    blocks(text).flatMap(({ line, language, code }) => {
      if (language === 'json') return isJson(code) ? [] : [`line ${line}: this is no JSON`]
      const known = ['ts', 'tsx', 'sh', 'html', 'mermaid', 'text'].includes(language)
      return known ? [] : [`line ${line}: no check knows the language ${language || '(none)'}`]
    }),

  /**
   * Each TypeScript block runs, prints what it says, and leaves nothing open. Those that name a runtime are servers, and
   * run by `npm run test:runtimes`.
   */
  examples: async text => [
    ...(await each(
      of(text, 'ts').filter(({ runtime }) => !runtime),
      complaintsOfExample,
    )),
    ...(await each(of(text, 'tsx'), complaintsOfComponent)),
  ],

  /** Each TypeScript block is compiled against the built types. */
  types(text) {
    const found = typed(text)
    compile(found)
    return found.flatMap(({ code, line }) =>
      (compiled.get(code) ?? []).map(error => `line ${line}: ${error}`),
    )
  },

  /** Each HTML block runs in a page with the built file. */
  'script tag': text => each(of(text, 'html'), complaintsOfPage),

  /** What a shell block has run by npm is a script of package.json, what by npx a file. */
  commands: text =>
    of(text, 'sh')
      .flatMap(({ code }) => code.split('\n'))
      .concat(text.match(/`np[mx] [^`]+`/g) ?? [])
      .flatMap(line => [
        ...[...line.matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) =>
          scripts().includes(script) ? [] : [`there is no npm run ${script}`],
        ),
        ...[...line.matchAll(/npx tsx ([\w./-]+)/g)].map(([, file = '']) =>
          existsSync(root + file) ? [] : [`there is no ${file}`],
        ),
      ])
      .flat(),

  /** Each state diagram is what the machine does. */
  diagram: text =>
    of(text, 'mermaid').flatMap(({ code }) => {
      const source = machineDiagram().split('\n').slice(1, -1)
      const shown = code.trimEnd().split('\n')
      return [
        ...source.filter(line => !shown.includes(line)).map(line => `the machine does:${line}`),
        ...shown.filter(line => !source.includes(line)).map(line => `the machine does not:${line}`),
        ...(source.join('\n') === shown.join('\n') ? [] : ['the order is not that of the machine']),
      ].slice(0, 2)
    }),

  /** Each test that is named exists, and so does each test file. */
  'named tests': text => [
    ...cited(text)
      .filter(({ file, title }) => !existsSync(root + file) || !titles(file).has(title))
      .map(({ file, title }) => `there is no test in ${file}: ${title}`),
    ...[...text.matchAll(/`(test\/\S+)`/g)].flatMap(([, file = '']) =>
      existsSync(root + file) ? [] : [`there is no ${file}`],
    ),
  ],

  /** Each link within the repository goes somewhere. */
  links: (text, folder = '') =>
    links(text).flatMap(link => {
      if (/^\w+:/.test(link)) return []
      const [file = '', anchor] = link.split('#')
      const path = join(root, folder, file)
      const target = file ? existsSync(path) && readFileSync(path, 'utf8') : text
      const leads = typeof target === 'string' && (!anchor || anchors(target).includes(anchor))
      return leads ? [] : [`${link} leads nowhere`]
    }),
}

/** Held against the README, which has to tell all of it. */
export const readme: Checks = {
  ...everywhere,

  /** Each option of the source is in the table, with the default of its comment, and no others. */
  options: text =>
    differences(
      table(text, 'Options').map(([option, fallback]) => [plain(option), plain(fallback)]),
      new Map(documentedOptions().map(([option, fallback]) => [option, fallback ?? '–'])),
    ),

  states: names('States', () => union('src/core/lifecycle.ts', 'StateName')),
  methods: names('Methods', () => members('src/reconnecting-socket.ts', 'ReconnectingSocket')),
  events: names('Events', () => properties('src/events.ts', 'EventMap').map(({ name }) => name)),
  errors: names('Errors', () => union('src/errors.ts', 'SocketErrorCode')),
  undelivered: names('Undelivered', () => union('src/events.ts', 'UndeliveredCode')),

  /** The figures are those of the build. */
  async sizes(text) {
    const shown = (text.match(SIZES)?.[0] ?? '').split('\n')
    const is = (await measuredSizes()).split('\n')
    if (shown.join('\n') === is.join('\n')) return []
    return shown
      .filter(line => !is.includes(line))
      .map(line => `not as measured: ${line}`)
      .concat('Run `npx tsx test/docs/write-sizes.ts`')
  },

  /** There is one diagram, and each row of these tables names a test. */
  evidence: text => [
    ...(of(text, 'mermaid').length === 1 ? [] : ['there is to be one diagram']),
    ...EVIDENCE.flatMap(heading => {
      const rows = table(text, heading)
      if (rows.length < 5) return [`there is no table under ${heading}`]
      return rows.filter(row => !cited(row.at(-1)).length).map(([first]) => `names no test: ${first}`)
    }),
  ],
}
