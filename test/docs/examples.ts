/** Runs the code blocks of a document against the example server. A block that did run is not run again. */

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { openPage } from './page'
import { type ExampleServer, startExampleServer } from './server'
import { root } from './source'

/** What became of an example: what it logged, and what was left of its socket. */
export interface Outcome {
  readonly logged: readonly string[]
  readonly state: string
  readonly undelivered: readonly unknown[]
  readonly stderr: string
}

/** What an example says that it prints: the comments behind its `console.log`. */
export const promised = (code: string): string[] =>
  [...code.matchAll(/console\.log\(.*\) \/\/ → (.+)$/gm)].flatMap(([, line]) => line ?? [])

/** The address of the example server in place of the one in the documents. */
export const local = (code: string, { port }: Pick<ExampleServer, 'port'>): string =>
  code.replaceAll('wss://example.com', `ws://127.0.0.1:${port}`)

/** In a process of its own. It is fulfilled when that ends by itself: whatever is left open keeps it from that. */
export async function run(
  code: string,
  server: ExampleServer,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const script = await plainScript(local(code, server))
  const said = JSON.stringify(promised(code))
  const program = code.includes('new SessionServer')
    ? `${script.replace('listen(8080)', 'listen(0)')}\nawait globalThis.visit(http, ${said})`
    : `${script}\nawait globalThis.finish(socket, ${said})`
  // What brings its own WebSocket has to do without the global one
  const alone: Record<string, string> = code.includes("from 'ws'") ? { WITHOUT_WEBSOCKET: 'yes' } : {}
  const { stdout, stderr } = await node(program, { ...alone, ...env })
  return { ...(JSON.parse(stdout) as Omit<Outcome, 'stderr'>), stderr }
}

function node(program: string, env: Readonly<Record<string, string>> = {}) {
  const args = ['--import', './test/docs/preload.mjs', '--no-warnings', '--input-type=module', '-e', program]
  const options = { cwd: root, timeout: 20_000, env: { ...process.env, ...env } }
  return promisify(execFile)(process.execPath, args, options)
}

const scripts = new Map<string, Promise<string>>()

/** JavaScript without comments: what is the same in it does the same. */
function plainScript(code: string, loader: 'ts' | 'tsx' = 'ts'): Promise<string> {
  const options = { loader, format: 'esm', target: 'es2022', jsx: 'automatic' } as const
  const script = scripts.get(code) ?? transform(code, options).then(result => result.code)
  scripts.set(code, script)
  return script
}

/** By the code without its comments. A promise is only a comment, so another one is held against the same outcome. */
const outcomes = new Map<string, Outcome | Error>()

async function once(code: string, perform: (server: ExampleServer) => Promise<Outcome>): Promise<Outcome> {
  const outcome = outcomes.get(code) ?? (await withServer(perform).catch((error: Error) => error))
  outcomes.set(code, outcome)
  if (outcome instanceof Error) throw outcome
  return outcome
}

async function withServer<T>(use: (server: ExampleServer) => Promise<T>): Promise<T> {
  const server = await startExampleServer()
  try {
    return await use(server)
  } finally {
    await server.stop()
  }
}

/** What is wrong with a TypeScript block: it throws, prints something else, or leaves something open. */
export async function complaintsOfExample(code: string): Promise<string[]> {
  try {
    const script = await plainScript(code)
    // Types alone do nothing
    if (!script.trim()) return []
    const outcome = await once(script, server => run(code, server))
    // Unless it is an example of closing, its socket is open in the end
    const end = /^[^/]*\bsocket\.close\(/m.test(code) ? 'closed' : 'open'
    return complaints(outcome, promised(code), end)
  } catch (error) {
    return [`fails: ${reason(error)}`]
  }
}

/** What is wrong with a React block: it exports a `socket` and a component that shows the name of its state. */
export async function complaintsOfComponent(code: string): Promise<string[]> {
  const [, name] = code.match(/^export function (\w+)/m) ?? []
  try {
    const { logged } = await once(await plainScript(code, 'tsx'), async server => {
      const script = await plainScript(local(code, server), 'tsx')
      const show = `await globalThis.show(${name}, socket)`
      const { stdout, stderr } = await node(`import './test/docs/preload-page.mjs'\n${script}\n${show}`)
      return { logged: JSON.parse(stdout) as string[], state: 'open', undelivered: [], stderr }
    })
    const expected = 'open,closing,closed'
    return `${logged}`.endsWith(expected) ? [] : [`shows ${logged}, not ${expected}`]
  } catch (error) {
    return [`fails: ${reason(error)}`]
  }
}

function complaints(
  { logged, state, undelivered, stderr }: Outcome,
  expected: readonly string[],
  end: string,
): string[] {
  return [
    ...expected.filter(line => !logged.includes(line)).map(line => `prints no ${line}, but ${logged}`),
    ...(state === end ? [] : [`ends in the state ${state}`]),
    ...(undelivered.length ? [`leaves ${undelivered.length} undelivered`] : []),
    ...(stderr ? [`complains: ${stderr}`] : []),
  ]
}

/** The last line of what a process wrote before it failed is that of Node's version. */
function reason(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string }
  return stderr?.match(/^\w*Error\b.*$/m)?.[0] ?? message
}

/** What is wrong with the block of the script tag, in a page with the built file. */
export async function complaintsOfPage(html: string): Promise<string[]> {
  const { unpkg } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { unpkg: string }
  const [, src = ''] = html.match(/<script src="(.*?)"><\/script>/) ?? []
  if (src !== basename(unpkg)) return [`loads ${src}, but the file is ${basename(unpkg)}`]
  const file = readFileSync(root + unpkg, 'utf8')
  try {
    const outcome = await once(html.replaceAll(/ *\/\/ .*/g, ''), server =>
      show(
        local(html, server).replace(`<script src="${src}">`, () => `<script>${file}`),
        promised(html),
      ),
    )
    return complaints(outcome, promised(html), 'open')
  } catch (error) {
    return [`fails: ${reason(error)}`]
  }
}

/** Loads a page whose `socket` is closed at the end. The first error of a script is thrown. */
async function show(html: string, expected: readonly string[]): Promise<Outcome> {
  const page = openPage(html)
  try {
    await page.said(expected)
    const state = page.run('socket.state.name') as string
    const { undelivered } = (await page.run('socket.close()')) as Pick<Outcome, 'undelivered'>
    return { logged: page.logged, state, undelivered, stderr: '' }
  } finally {
    page.close()
  }
}
