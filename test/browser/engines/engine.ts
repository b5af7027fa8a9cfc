/**
 * A browser as the tests of behaviours drive it: started without what other drivers set for the sake of repeatable
 * tests, which is what these tests are about (pages that are always visible, no back/forward cache).
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type EngineName = 'chromium' | 'firefox' | 'webkit'

export interface EngineOptions {
  /** Of the command line. */
  readonly args?: readonly string[]
  /** Firefox's. */
  readonly prefs?: Readonly<Record<string, string | number | boolean>>
  /** What the browser's command line is appended to. */
  readonly within?: readonly string[]
}

/** One page. Nothing here waits for the page longer than for an answer. */
export interface Tab {
  /** Fulfilled once it has loaded. */
  goto(url: string): Promise<void>
  /**
   * Runs a function there, with what JSON can say. It may not refer to anything around it. A promise that it returns
   * is awaited, and other tabs may have to wait meanwhile.
   */
  run<Args extends readonly unknown[], Result>(
    task: (...args: Args) => Result,
    ...args: Args
  ): Promise<Awaited<Result>>
  /** As when one looks at another tab, or puts the window away. */
  hide(): Promise<void>
  show(): Promise<void>
  /** What the browser says of the network; Firefox also connects no more, while what is open lives on. */
  setOffline(isOffline: boolean): Promise<void>
  /** A command of the Chrome DevTools Protocol. Throws in other browsers. */
  tools<Result>(method: string, params?: object): Promise<Result>
  close(): Promise<void>
}

export interface Engine {
  readonly name: EngineName
  /** As it says itself. */
  readonly version: string
  /** Opens a window of its own, so that it hides none of the others. */
  open(url: string): Promise<Tab>
  /** SIGSTOP or SIGCONT of all its processes. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  close(): Promise<void>
}

/** Source of an expression that answers JSON, whatever the task returns. */
export const source = (task: (...args: never[]) => unknown, args: readonly unknown[]): string =>
  `(async () => JSON.stringify(await (${task})(...${JSON.stringify(args)})) ?? 'null')()`

export const unable = (): never => {
  throw new Error('this browser has no such command')
}

/** A process of a browser, with a folder of its own; both are gone after `end`. */
export interface Started {
  readonly child: ChildProcess
  readonly folder: string
  /** Fulfilled with what is found in what it writes to stderr. */
  said(pattern: RegExp): Promise<string>
  signal(signal: NodeJS.Signals): void
  end(): Promise<void>
}

/** Processes and their parents. */
const parents = (): readonly (readonly number[])[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))

/** A process and all that it started, and they. */
const family = (ancestor: number): number[] => {
  const all = parents()
  const grown = [ancestor]
  for (const pid of grown) for (const [child = 0, parent] of all) if (parent === pid) grown.push(child)
  return grown
}

const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself
  }
}

/** @param command given the folder */
export async function start(
  command: (folder: string) => readonly string[] | Promise<readonly string[]>,
  { env = {}, pipes = 0 }: { env?: NodeJS.ProcessEnv; pipes?: number } = {},
): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'engine-'))
  const [file = '', ...args] = await command(folder)
  const child = spawn(file, args, {
    // Nothing of whoever runs the tests: neither their profile nor their windows
    env: { ...process.env, HOME: folder, ...env },
    stdio: ['ignore', 'ignore', 'pipe', ...Array<'pipe'>(pipes).fill('pipe')],
  })
  const exited = new Promise<void>(resolve => child.once('close', () => resolve()))
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', text => {
    stderr = `${stderr}${text}`.slice(-10_000)
  })
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  const signal = (signal: NodeJS.Signals) => {
    if (child.pid && child.exitCode === null) for (const pid of family(child.pid)) kill(pid, signal)
  }
  return {
    child,
    folder,
    said: pattern =>
      new Promise((resolve, reject) => {
        const look = () => {
          const [, found] = pattern.exec(stderr) ?? []
          if (found) resolve(found)
        }
        child.stderr?.on('data', look)
        child.once('close', () => reject(new Error(`${file} ended: ${stderr}`)))
        look()
      }),
    signal,
    async end() {
      signal('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}
