/** What a test reads of a TypeScript file: the members of its types, and the titles of its tests. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Property {
  readonly name: string
  /** What its comment says after `@default`. */
  readonly default: string | undefined
  /** The types that it names. */
  readonly types: readonly string[]
}

/** Nothing changes while the tests run. */
const parsed = new Map<string, ts.SourceFile>()

function parse(file: string): ts.SourceFile {
  const source =
    parsed.get(file) ??
    ts.createSourceFile(file, readFileSync(root + file, 'utf8'), ts.ScriptTarget.ES2022, true)
  parsed.set(file, source)
  return source
}

function find<T extends ts.Node>(node: ts.Node, matches: (node: ts.Node) => node is T): T[] {
  const found = matches(node) ? [node] : []
  node.forEachChild(child => void found.push(...find(child, matches)))
  return found
}

function declared<T extends ts.DeclarationStatement>(
  file: string,
  name: string,
  matches: (node: ts.Node) => node is T,
): T {
  const found = find(parse(file), matches).find(each => each.name?.getText() === name)
  if (!found) throw new Error(`${file} declares no ${name}`)
  return found
}

export function properties(file: string, name: string): Property[] {
  return declared(file, name, ts.isInterfaceDeclaration).members.map(member => {
    const comment = ts.getJSDocCommentsAndTags(member).map(each => each.getText())
    return {
      name: member.name?.getText() ?? '',
      default: comment.join('\n').match(/@default (.*?)\s*(?:\*\/|$)/m)?.[1],
      types: find(member, ts.isTypeReferenceNode).map(({ typeName }) => typeName.getText()),
    }
  })
}

/** The members of a union of string literals. */
export function union(file: string, name: string): string[] {
  return find(declared(file, name, ts.isTypeAliasDeclaration).type, ts.isStringLiteral).map(
    ({ text }) => text,
  )
}

/** The public members of a class. */
export function members(file: string, name: string): string[] {
  const names = declared(file, name, ts.isClassDeclaration).members.map(member => member.name)
  const shown = names.flatMap(name => (name && !ts.isPrivateIdentifier(name) ? [name.getText()] : []))
  // One that is overloaded is there several times
  return [...new Set(shown)]
}

/**
 * The titles of tests with those of the describes around them, joined by ` > `. Where a table of tests has its titles
 * in the first column, these. Tests that are skipped, or known to fail, do not count.
 */
export function titles(file: string): Set<string> {
  const known = found.get(file) ?? findTitles(parse(file))
  found.set(file, known)
  return known
}

const found = new Map<string, Set<string>>()

function findTitles(source: ts.SourceFile): Set<string> {
  const firsts = find(source, ts.isArrayLiteralExpression).flatMap(({ elements: [first] }) =>
    first && ts.isStringLiteral(first) ? [first.text] : [],
  )
  const under = (node: ts.Node, path: string): string[] => {
    const [callee, title, body] = ts.isCallExpression(node)
      ? [node.expression.getText(), ...node.arguments]
      : ['']
    const counts = /^(describe|test)\b/.test(callee) && !/^\w+\.(skip|todo|fails)\b/.test(callee)
    const inner = counts && title && ts.isStringLiteralLike(title) ? `${path}${title.text}` : undefined
    if (inner !== undefined && body && callee.startsWith('describe')) return under(body, `${inner} > `)
    const here = inner === `${path}%s` ? firsts.map(first => path + first) : [inner ?? []].flat()
    const children: string[] = []
    node.forEachChild(child => void children.push(...under(child, path)))
    return [...here, ...children]
  }
  return new Set(under(source, ''))
}

/** What the compiler says of modules that import the package by its name. Types are those of the build. */
export function typeErrors(modules: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const options: ts.CompilerOptions = { ...parsed.options, jsx: ts.JsxEmit.ReactJSX }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  const files = new Map([...modules].map(([name, code]) => [root + name, code]))
  host.fileExists = path => files.has(path) || fileExists.call(host, path)
  host.readFile = path => files.get(path) ?? readFile.call(host, path)
  host.getSourceFile = (path, version, ...rest) => {
    const code = files.get(path)
    return code === undefined
      ? getSourceFile.call(host, path, version, ...rest)
      : ts.createSourceFile(path, code, version)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const name = file?.fileName.replace(root, '') ?? ''
    return `${name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
