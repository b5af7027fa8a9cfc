/** Judges a client: plays a server to it, good or hostile. The client is a command, started anew for each exchange. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Judging, parallel, unguessable, without } from './judging'
import { amount, fill } from './pattern'
import { Deviation, type Outcome, play as playWith, type Scene, type Stage, within } from './player'
import type { ClientExchange, Step, StepOf } from './steps'

/** Time for a client to start, or to come back. */
const ACCEPT_MS = 10_000
/** Time for it to end when it is asked to. */
const GRACE_MS = 2_000
const LAST_WORDS = 500

/** Of each welcome, unless the exchange says otherwise. */
const usual = (variables: ReadonlyMap<string, unknown>) => ({
  v: 1,
  nonce: variables.get('nonce'),
  sid: variables.get('session'),
  ack: 0,
  win: 256,
  max: 1_048_576,
  ttl: 120_000,
  hb: 25_000,
})

/** The client that is judged, as a process. */
interface Candidate {
  /** How it ended, and what it complained of. */
  readonly ended: string | undefined
  stop(): Promise<void>
}

const start = ([program = '', ...args]: readonly string[], url: string, changed: () => void): Candidate => {
  const child: ChildProcess = spawn(program, [...args, url], { stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  let ended: string | undefined
  child.stderr?.on('data', data => {
    words = (words + data).slice(-LAST_WORDS)
  })
  const exit = new Promise<void>(resolve => {
    const gone = (how: string) => {
      ended ??= `${how} ${words}`.trim()
      changed()
      resolve()
    }
    child.on('error', error => gone(`it cannot be started: ${error.message}`))
    child.on('exit', (code, signal) => gone(`it ended with ${code ?? signal}`))
  })
  return {
    get ended() {
      return ended
    },
    async stop() {
      if (ended !== undefined) return
      child.kill()
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
      await exit
      clearTimeout(timer)
    },
  }
}

const createStage = async (command: readonly string[]): Promise<Stage> => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const came: WebSocket[] = []
  let changed = () => {}
  let candidate: Candidate | undefined

  server.on('connection', webSocket => {
    // What it says waits until somebody listens
    webSocket.pause()
    webSocket.on('error', () => {})
    came.push(webSocket)
    changed()
  })

  const welcome = (
    fields: Readonly<Record<string, unknown>>,
    names: readonly string[] = [],
    scene: Scene,
    on?: string,
  ) => {
    const said = fill(fields, scene.variables) as object
    scene.send(scene.line(on), [1, without({ ...usual(scene.variables), ...said }, names)])
  }

  const accept = async (step: StepOf<'accept'>, scene: Scene) => {
    const ms = step.within === undefined ? ACCEPT_MS : within(step, scene)
    await scene.until(() => !!came.length || candidate?.ended !== undefined, ms)
    const webSocket = came.shift()
    if (!webSocket) throw new Deviation(candidate?.ended ?? `it did not connect within ${ms} ms`)
    const line = scene.add(step.accept, webSocket)
    webSocket.resume()
    await scene.until(() => !!line.peek() || !!line.ended, scene.timeoutMs)
    const said = Object(line.peek()?.[1])
    await scene.expect(line, [0, step.hello ?? {}], scene.timeoutMs)
    for (const name of ['id', 'key', 'nonce', 'epoch']) scene.variables.set(name, said[name])
    if (step.welcome) welcome(step.welcome, step.without, scene)
  }

  const expectNoConnection = async (step: StepOf<'expectNoConnection'>, scene: Scene) => {
    const ms = amount(step.expectNoConnection, scene.variables)
    await scene.until(() => !!came.length || candidate?.ended !== undefined, ms)
    if (came.length) throw new Deviation(`it connected again within ${ms} ms`)
  }

  return {
    judged: 'client',
    async take(step: Step, scene: Scene) {
      changed = scene.changed
      candidate ??= start(command, `ws://127.0.0.1:${port}/`, () => changed())
      if ('accept' in step) await accept(step, scene)
      else if ('expectNoConnection' in step) await expectNoConnection(step, scene)
      else if ('welcome' in step && !('connect' in step)) welcome(step.welcome, step.without, scene, step.on)
      else return false
      return true
    },
    async end() {
      await candidate?.stop()
      for (const webSocket of server.clients) webSocket.terminate()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** What a hello says. */
const PROBE: ClientExchange = {
  rule: 'probe/hello',
  sentence: 'The client says hello.',
  steps: [{ accept: 'a', hello: { win: '$win', max: '$max' } }],
}

/**
 * @param command to which the address is added
 * @throws Error if there is no client that says hello
 */
export const judgeClient = async (
  command: readonly string[],
  exchanges: readonly ClientExchange[],
  { timeoutMs, parallel: most }: Judging,
): Promise<Outcome[]> => {
  const play = async (exchange: ClientExchange, variables: Map<string, unknown>) => {
    const known = new Map([...variables, ['session', unguessable()], ['other', unguessable()]])
    const outcome = await playWith(exchange, await createStage(command), known, timeoutMs)
    return { outcome, known }
  }
  const { outcome, known } = await play(PROBE, new Map())
  if (outcome.verdict !== 'pass') throw new Error(`${command.join(' ')}: ${outcome.why}`)
  const facts = new Map(['win', 'max'].map(name => [name, known.get(name)]))
  return parallel(exchanges, most, async exchange => (await play(exchange, facts)).outcome)
}
