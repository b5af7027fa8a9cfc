/**
 * Runtimes from npm, where they come as packages that hold the binary of one platform: each is put into a temporary
 * folder, which is kept for the next run. Never a dependency of this repository.
 */

import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { arch, platform, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const DOWNLOAD_MS = 240_000

/** The package for the platform that this runs on; `undefined` if there is none. */
export interface Binary {
  readonly name: string
  readonly version: string
  /** In the package. */
  readonly file: string
}

type Platforms = Readonly<Record<string, string>>

const here = `${platform()}-${arch()}`
const exe = platform() === 'win32' ? '.exe' : ''

/** Of Linux only those with glibc. */
const NODE: Platforms = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-x64': 'darwin-x64',
  'darwin-arm64': 'darwin-arm64',
}
const BUN: Platforms = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-aarch64',
  'darwin-x64': 'darwin-x64',
  'darwin-arm64': 'darwin-aarch64',
  'win32-x64': 'windows-x64',
}
const DENO: Platforms = {
  'linux-x64': 'linux-x64-glibc',
  'linux-arm64': 'linux-arm64-glibc',
  'darwin-x64': 'darwin-x64',
  'darwin-arm64': 'darwin-arm64',
  'win32-x64': 'win32-x64',
}

/** Bun asks for AVX2, and has a build for older processors. */
const hasAvx2 = () => !existsSync('/proc/cpuinfo') || /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))

export const node = (version: string): Binary | undefined =>
  NODE[here] ? { name: `node-${NODE[here]}`, version, file: 'bin/node' } : undefined

export const bun = (version: string): Binary | undefined => {
  const name = BUN[here]
  if (!name) return undefined
  const baseline = name.endsWith('-x64') && !hasAvx2() ? '-baseline' : ''
  return { name: `@oven/bun-${name}${baseline}`, version, file: `bin/bun${exe}` }
}

export const deno = (version: string): Binary | undefined =>
  DENO[here] ? { name: `@deno/${DENO[here]}`, version, file: `deno${exe}` } : undefined

/** Of this user alone: what lies there is run. */
async function cache(): Promise<string> {
  const { uid } = userInfo()
  const folder = join(tmpdir(), `reconnecting-socket-runtimes-${uid}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (uid >= 0 && (await stat(folder)).uid !== uid) throw new Error(`${folder} belongs to somebody else`)
  return folder
}

/** @returns the path of the binary */
export async function install({ name, version, file }: Binary): Promise<string> {
  const folder = join(await cache(), `${name.replace('/', '+')}@${version}`)
  const binary = join(folder, 'node_modules', name, file)
  if (existsSync(binary)) return binary
  const fresh = await mkdtemp(`${folder}.`)
  try {
    const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=1']
    await exec('npm', ['install', '--prefix', fresh, ...quiet, `${name}@${version}`], {
      cwd: fresh,
      timeout: DOWNLOAD_MS,
      shell: platform() === 'win32',
    })
    // Whole or not at all; and somebody else may have been faster
    await rename(fresh, folder).catch(error => {
      if (!existsSync(binary)) throw error
    })
    return binary
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    const [line = message] = stderr?.match(/^npm error (?!code|syscall|errno).*/m) ?? []
    throw new Error(`${name}@${version} cannot be had: ${line}`, { cause: error })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}
