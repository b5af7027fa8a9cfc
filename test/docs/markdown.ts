/** What a test reads of a Markdown file: its code blocks, its tables, and the tests that it names. */

export interface Block {
  readonly language: string
  /** What it is for, if not for the Node that runs the tests: `bun` of a block of `ts bun`. */
  readonly runtime: string | undefined
  readonly code: string
  /** The line of its first fence, from 1. */
  readonly line: number
}

/** A test as the documents name it: its title after those of the describes around it, joined by ` > `. */
export interface Citation {
  readonly file: string
  readonly title: string
}

export function blocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)(?: (\w+))?\n([\s\S]*?)^```$/gm)].map(
    ({ index, 1: language = '', 2: runtime, 3: code = '' }) => ({
      language,
      runtime,
      code,
      line: markdown.slice(0, index).split('\n').length,
    }),
  )
}

/** The rows of the first table under a heading, without its head. */
export function table(markdown: string, heading: string): string[][] {
  const [, section] = markdown.split(`\n## ${heading}\n`)
  const rows = section?.match(/^\|.*\|$(?:\n\|.*\|$)*/m)?.[0].split('\n') ?? []
  return rows.slice(2).map(row =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map(cell => cell.trim()),
  )
}

/** A cell that is one piece of code, without its backticks. */
export function plain(cell = ''): string {
  return cell.replace(/^`(.*)`$/, '$1')
}

/** All tests that are named, each as `` `test/file.test.ts`: title `` up to the end of the line or of the cell. */
export function cited(text = ''): Citation[] {
  return [...text.matchAll(/`(test\/\S+\.test\.ts)`: (.+?)(?=<br>| \||$)/gm)].map(
    ({ 1: file = '', 2: title = '' }) => ({ file, title }),
  )
}

/** Where the links go. */
export function links(markdown: string): string[] {
  return [...prose(markdown).matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, link]) => link ?? [])
}

/** What a link to a heading is made of. */
export function anchors(markdown: string): string[] {
  return [...prose(markdown).matchAll(/^#+ (.+)$/gm)].map(({ 1: heading = '' }) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Without the code blocks. */
const prose = (markdown: string) => markdown.replace(/^```[\s\S]*?^```$/gm, '')
