/** The package as it was built, and processes that know nothing but that. */

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export const read = (path: string) => readFileSync(root + path, 'utf8')

export const UMD = 'dist/umd/reconnecting-socket.min.js'

/** The values that the package exports, sorted. */
export const NAMES = [
  'FatalError',
  'ReconnectingSocket',
  'SocketError',
  'ValidationError',
  'bytes',
  'diagnose',
  'json',
  'resumable',
  'sequence',
  'streams',
  'text',
  'userTiming',
]

/** Runs a program in a Node process of its own, from the root of the package, and answers the JSON it printed. */
export async function run(
  type: 'module' | 'commonjs',
  program: string,
  ...flags: string[]
): Promise<unknown> {
  const args = [...flags, '--no-warnings', `--input-type=${type}`, '-e', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 20_000 })
  return JSON.parse(stdout)
}
