/** The runtimes, and how a program is run in each of them. */

import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright'
import { launch } from '../browser/drive'
import { wanted } from '../browser/launch'
import { type Binary, bun, deno, install, node } from './install'
import type { Result } from './program.mjs'

export interface Outcome {
  /** Of the runtime. */
  readonly version: string
  readonly results: readonly Result[]
  /** What nobody caught, and what went to the console. */
  readonly complaints: string
}

/** What became of a process. */
export interface Ended {
  readonly lines: readonly unknown[]
  readonly stderr: string
  /** `undefined` if it had to be killed. */
  readonly status: number | null | undefined
}

export interface Runtime {
  readonly name: string
  /** Whose WebSocket it is that a socket uses there. */
  readonly webSocket: string
  /** Whether it is the same version wherever this runs. */
  readonly isPinned: boolean
  /** Gets it, or says why it cannot be had. */
  prepare(): Promise<void>
  /** @param scope the URL of the rig for it */
  run(scope: string): Promise<Outcome>
}

export interface ProcessRuntime extends Runtime {
  /** Whether a process can end while a connection that was closed waits for a peer that is gone. */
  readonly forgets: boolean
  /** How a file of anybody's is run in it. */
  invocation(file: string): {
    readonly command: string
    readonly args: readonly string[]
    readonly env: Readonly<Record<string, string>>
  }
  /** Runs a file in it, until it ends by itself; or for so many ms after its last line. */
  exec(file: string, args: readonly string[], patienceMs?: number): Promise<Ended>
}

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const root = path('../..')

/** For a process that has said all, to end. */
const END_MS = 10_000
/** For a process to say something. */
const SILENCE_MS = 60_000

export const spawned = (
  command: string,
  args: readonly string[],
  { patienceMs = END_MS, env = {}, cwd = root, lines: wanted = Infinity } = {},
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env } })
    const lines: unknown[] = []
    let [stdout, stderr, isKilled] = ['', '', false]
    const kill = () => {
      isKilled = true
      child.kill('SIGKILL')
    }
    let timer = setTimeout(kill, SILENCE_MS)
    child.stdout.setEncoding('utf8').on('data', chunk => {
      const [last = '', ...rest] = `${stdout}${chunk}`.split('\n').reverse()
      stdout = last
      for (const line of rest.reverse()) lines.push(JSON.parse(line))
      clearTimeout(timer)
      timer = setTimeout(kill, lines.length >= wanted ? patienceMs : SILENCE_MS)
    })
    child.stderr.setEncoding('utf8').on('data', chunk => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', status => {
      clearTimeout(timer)
      resolve({ lines, stderr, status: isKilled ? undefined : status })
    })
  })

interface ProcessOptions {
  readonly name: string
  readonly binary: Binary | undefined
  /** One that is here already, if it is. */
  readonly present?: string | undefined
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly usesWs?: boolean
  readonly forgets: boolean
}

/** A runtime that runs files. */
function inProcess({
  name,
  binary,
  present,
  args = [],
  env = {},
  usesWs,
  forgets,
}: ProcessOptions): ProcessRuntime {
  let command = present ?? ''
  const exec = (file: string, more: readonly string[], lines?: number, patienceMs?: number) =>
    spawned(command, [...args, path(file), ...more], {
      env,
      ...(lines && { lines }),
      ...(patienceMs && { patienceMs }),
    })
  const which = usesWs ? ['ws'] : []
  return {
    name,
    webSocket: usesWs ? '`ws`' : 'its own',
    isPinned: !!binary && !present,
    forgets,
    async prepare() {
      if (command) return
      if (!binary) throw new Error(`there is no ${name} for ${process.platform} on ${process.arch}`)
      command = await install(binary)
    },
    invocation: file => ({ command, args: [...args, file], env }),
    exec: (file, more, patienceMs) => exec(file, [...more, ...which], 1, patienceMs),
    async run(scope) {
      const { lines, stderr, status } = await exec('process.mjs', [scope, ...which])
      const ended = status === undefined ? 'had to be killed' : `ended with ${status}`
      return {
        version: present ? process.version.slice(1).replace(/\..*/, '') : (binary?.version ?? ''),
        results: lines as Result[],
        complaints: stderr + (status === 0 ? '' : `the process ${ended}`),
      }
    },
  }
}

const NODE_20 = '20.20.2'

export const processes: readonly ProcessRuntime[] = [
  inProcess({
    name: 'Node 20',
    binary: node(NODE_20),
    present: process.version.startsWith('v20.') ? process.execPath : undefined,
    usesWs: true,
    forgets: true,
  }),
  inProcess({ name: 'Node 22', binary: node('22.23.3'), args: ['--no-warnings'], forgets: false }),
  inProcess({ name: 'Node 24', binary: node('24.21.0'), args: ['--no-warnings'], forgets: false }),
  inProcess({ name: 'Bun', binary: bun('1.4.5'), forgets: true }),
  inProcess({
    name: 'Deno',
    binary: deno('2.9.6'),
    // Without these it would fetch all that package.json names
    args: ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual', '--cached-only'],
    env: { DENO_DIR: join(tmpdir(), 'reconnecting-socket-deno'), DENO_NO_UPDATE_CHECK: '1' },
    forgets: false,
  }),
]

/** What a page does with a worker: starts it, tells it where the rig is, and waits for what it tells. */
const ask = ([kind, url]: [kind: string, url: string]) =>
  new Promise((resolve, reject) => {
    const options = { type: 'module' } as const
    const script = '/test/runtimes/worker.mjs'
    const shared = kind === 'SharedWorker' ? new SharedWorker(script, options) : undefined
    const worker = shared ?? new Worker(script, options)
    const port = shared?.port ?? (worker as Worker)
    worker.onerror = event => reject(new Error((event as ErrorEvent).message || 'the worker has failed'))
    port.onmessage = ({ data }) => resolve(data)
    port.postMessage(url)
  })

const browsers = new Map<string, Promise<Browser>>()

export const closeBrowsers = async () => {
  for (const browser of browsers.values()) await (await browser).close()
}

function inWorker(browser: 'chromium' | 'firefox', kind: 'Worker' | 'SharedWorker'): Runtime {
  const title = { chromium: 'Chromium', firefox: 'Firefox' }[browser]
  return {
    name: `${title}, ${kind === 'Worker' ? 'dedicated worker' : 'shared worker'}`,
    webSocket: 'its own',
    isPinned: false,
    async prepare() {
      if (!browsers.has(browser)) browsers.set(browser, launch(browser))
      await browsers.get(browser)
    },
    async run(scope) {
      const opened = await browsers.get(browser)
      if (!opened) throw new Error(`${title} was not started`)
      const page = await opened.newPage()
      await page.goto(new URL('/', scope).href)
      const { results, complaints } = (await page.evaluate(ask, [kind, scope] as [string, string])) as {
        results: Result[]
        complaints: string[]
      }
      await page.close()
      return { version: opened.version().replace(/\..*/, ''), results, complaints: complaints.join('\n') }
    },
  }
}

export const workers: readonly Runtime[] = wanted.flatMap(({ browser }) => [
  inWorker(browser, 'Worker'),
  inWorker(browser, 'SharedWorker'),
])
