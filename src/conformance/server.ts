/** Judges a server: plays clients, good and hostile. */

import { WebSocket } from 'ws'
import { type Judging, parallel, unguessable, without } from './judging'
import { fill } from './pattern'
import { Deviation, type Outcome, play as playWith, type Scene, type Stage, within } from './player'
import type { ServerExchange, Step, StepOf } from './steps'

/** Of each hello, unless the exchange says otherwise. */
const usual = ({ id, key, epoch }: Readonly<Record<string, unknown>>) => ({
  v: 1,
  id,
  key,
  nonce: unguessable(),
  epoch,
  win: 256,
  max: 1_048_576,
  auth: { principal: 'alice' },
})

const open = (url: string, timeoutMs: number): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const webSocket = new WebSocket(url, { handshakeTimeout: timeoutMs, perMessageDeflate: false })
    const failed = (error: Error) => reject(new Deviation(`no WebSocket can be opened: ${error.message}`))
    webSocket.once('error', failed)
    webSocket.once('open', () => {
      // What comes with the answer must not come before somebody listens
      webSocket.pause()
      webSocket.off('error', failed)
      resolve(webSocket)
    })
  })

type HelloStep = Exclude<StepOf<'hello'>, StepOf<'accept'>>

const createStage = (url: string): Stage => {
  let epoch = 0

  const hello = (step: HelloStep, scene: Scene, name?: string, isBinary?: boolean) => {
    const { variables } = scene
    variables.set('fresh', unguessable())
    const asked = fill(step.hello || {}, variables)
    const said = without(
      {
        ...usual({ id: variables.get('id'), key: variables.get('key'), epoch: ++epoch }),
        ...(asked as object),
      },
      step.without,
    )
    epoch = Math.max(epoch, Number.isSafeInteger(said.epoch) ? Number(said.epoch) : 0)
    variables.set('nonce', said.nonce)
    scene.send(scene.line(name), [0, said], isBinary)
  }

  const connect = async (step: StepOf<'connect'>, scene: Scene) => {
    const webSocket = await open(url, scene.timeoutMs)
    const line = scene.add(step.connect, webSocket)
    webSocket.resume()
    if (step.hello !== false) hello(step as HelloStep, scene)
    if (step.welcome !== undefined) await scene.expect(line, [1, step.welcome], within({}, scene))
  }

  return {
    judged: 'server',
    async take(step: Step, scene: Scene) {
      if ('connect' in step) await connect(step, scene)
      else if ('hello' in step && !('accept' in step)) hello(step, scene, step.on, step.binary)
      else return false
      return true
    },
  }
}

/** What a welcome says, and whether messages may be bytes. */
const PROBE: ServerExchange = {
  rule: 'probe/welcome',
  sentence: 'The server welcomes a client.',
  steps: [
    {
      connect: 'a',
      welcome: { ttl: '$ttl', win: '$win', max: '$max', hb: '$hb' },
    },
  ],
}

/** `02`, seq 1, ack 0, and `"b"`. */
const BINARY_PROBE: ServerExchange = {
  rule: 'probe/binary',
  sentence: 'The application reads messages in bytes.',
  steps: [{ connect: 'a', welcome: {} }, { sendBinary: '02 01 00 22 62 22' }, { expect: [2, 1, '$_', 'b'] }],
}

const person = () => ({ id: unguessable(), key: unguessable(), other: unguessable() })

/** @throws Error if there is no server that welcomes anybody */
export const judgeServer = async (
  url: string,
  exchanges: readonly ServerExchange[],
  { timeoutMs, parallel: most }: Judging,
): Promise<Outcome[]> => {
  const play = (exchange: ServerExchange, facts: object) =>
    playWith(exchange, createStage(url), new Map(Object.entries({ ...facts, ...person() })), timeoutMs)
  const known = new Map<string, unknown>(Object.entries(person()))
  const { verdict, why } = await playWith(PROBE, createStage(url), known, timeoutMs)
  if (verdict !== 'pass') throw new Error(`${url}: ${why}`)
  const [ttl, win, max, hb] = ['ttl', 'win', 'max', 'hb'].map(name => known.get(name))
  const binary = (await play(BINARY_PROBE, {})).verdict === 'pass'
  return parallel(exchanges, most, exchange => play(exchange, { ttl, win, max, hb, binary }))
}
