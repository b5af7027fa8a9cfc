/** The sizes as the README shows them, measured as `npm run size` does. Run after a build, it writes them there. */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { measure, SUBJECTS, type Subject } from '../../scripts/size'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Between the comments that mark the place. */
export const SIZES = /(?<=<!-- sizes.*-->\n)[\s\S]*?(?=<!-- \/sizes -->)/

/** One decimal: what comes and goes by a byte is not worth an edit. */
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`

const OURS: Readonly<Record<string, string>> = {
  plain: '**reconnecting-socket**, the class with JSON',
  'with sessions': '**reconnecting-socket**, the class with `resumable()`',
  everything: '**reconnecting-socket**, everything it exports',
  msgpack: '**reconnecting-socket/msgpack** with `@msgpack/msgpack`, on top',
  UMD: '**reconnecting-socket**, the script-tag file',
}

function title({ name, ours }: Subject): string {
  if (ours) return OURS[name] ?? name
  const { version } = JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8'))
  return `${name} ${version}`
}

export async function sizes(): Promise<string> {
  const measured = await Promise.all(
    SUBJECTS.map(async subject => ({
      title: title(subject),
      size: kilobytes((await measure(subject)).gzip),
    })),
  )
  return [
    `${measured[0]?.size} min+gzip (esbuild, ES2022, gzip -9), by \`npm run size\`. Peers by the same command:`,
    '',
    '| | min+gzip |',
    '|---|---|',
    ...measured.map(({ title, size }) => `| ${title} | ${size} |`),
    '',
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const readme = readFileSync(`${root}README.md`, 'utf8')
  const text = await sizes()
  writeFileSync(
    `${root}README.md`,
    readme.replace(SIZES, () => text),
  )
}
