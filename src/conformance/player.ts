/**
 * Plays one exchange, step by step, and finds out whether whoever is judged keeps to it. How connections come about is
 * up to the stage: to judge a server they are made, to judge a client they are awaited.
 */

import type { WebSocket } from 'ws'
import type { Frame } from './frame'
import { createLaws } from './laws'
import { createLine, type Entry, isSmallTalk, type Line } from './line'
import { amount, difference, fill } from './pattern'
import type { Exchange, Step, StepOf } from './steps'

export type Verdict = 'pass' | 'fail' | 'skip'

/** What became of one rule. */
export interface Outcome {
  readonly rule: string
  readonly sentence: string
  readonly verdict: Verdict
  /** Of what did not pass. */
  readonly why?: string | undefined
  readonly exchange: readonly Entry[]
  /** How long it took, in ms. */
  readonly ms: number
}

/** What of a step is different for a server and a client. */
export interface Stage {
  readonly judged: 'server' | 'client'
  /** @returns whether it knows such a step */
  take(step: Step, scene: Scene): Promise<boolean>
  /** After the exchange. */
  end?(): unknown
}

/** What a step may look at, and do. */
export interface Scene {
  readonly variables: Map<string, unknown>
  /** Makes it the one that steps are about. */
  add(name: string, webSocket: WebSocket): Line
  line(name?: string): Line
  expect(line: Line, pattern: unknown, withinMs: number, past?: readonly unknown[]): Promise<void>
  send(line: Line, frame: unknown, isBinary?: boolean): void
  /** Waits until it is so. @returns whether it came to be */
  until(isSo: () => boolean, ms: number): Promise<boolean>
  /** It may have become so. */
  changed(): void
  readonly timeoutMs: number
}

/** It is not as it should be. */
export class Deviation extends Error {}
/** It cannot be judged. */
export class Unjudged extends Error {}

const toBinary = (text: string) => new TextEncoder().encode(text)

/** @param variables those that are known from the beginning; others are put in as they are learned */
export const play = async (
  { rule, sentence, steps, needs, limit }: Exchange,
  stage: Stage,
  variables: Map<string, unknown>,
  timeoutMs: number,
): Promise<Outcome> => {
  const began = performance.now()
  const elapsed = () => Math.round(performance.now() - began)
  const entries: Entry[] = []
  const lines = new Map<string, Line>()
  const laws = createLaws(stage.judged)
  let last = ''
  const waiting = new Set<() => void>()

  const changed = () => {
    for (const look of [...waiting]) look()
  }

  const check = () => {
    for (const { broken } of lines.values()) if (broken) throw new Deviation(broken)
  }

  const until = async (isSo: () => boolean, ms: number): Promise<boolean> => {
    await new Promise<void>(resolve => {
      const done = () => {
        clearTimeout(timer)
        waiting.delete(look)
        resolve()
      }
      const look = () => {
        if (isSo() || [...lines.values()].some(({ broken }) => broken)) done()
      }
      const timer = setTimeout(done, ms)
      waiting.add(look)
      look()
    })
    check()
    return isSo()
  }

  const line = (name = last): Line => {
    const found = lines.get(name)
    if (!found) throw new Error(`the exchange knows no connection ${name}`)
    return found
  }

  const scene: Scene = {
    variables,
    timeoutMs,
    line,
    until,
    changed,
    add(name, webSocket) {
      const note = (entry: Omit<Entry, 'at'>) => entries.push({ at: elapsed(), ...entry })
      const added = createLine(name, webSocket, laws.line(), stage.judged === 'server' ? 2 : 0, note, changed)
      note({ connection: name, direction: 'opened', text: '' })
      lines.set(name, added)
      last = name
      return added
    },
    send(line, frame, isBinary) {
      const text = JSON.stringify(frame)
      line.send(isBinary ? toBinary(text) : text)
    },
    async expect(line, pattern, withinMs, past = []) {
      const [kind] = pattern as Frame
      const isIdle = (frame: Frame) => isSmallTalk(frame) && frame[0] !== kind
      const skip = () => {
        for (let head = line.peek(); head && isIdle(head); head = line.peek()) line.shift()
      }
      for (;;) {
        await until(() => {
          skip()
          return !!line.peek() || !!line.ended
        }, withinMs)
        const frame = line.peek()
        if (!frame) {
          const expected = JSON.stringify(pattern)
          const { ended } = line
          const closed = ended && `${line.name} was closed with ${ended.code} ${ended.reason}`.trim()
          throw new Deviation(`${closed ?? `nothing came within ${withinMs} ms`}, expected ${expected}`)
        }
        line.shift()
        const learned = new Map(variables)
        const different = difference(pattern, frame, learned)
        if (!different) {
          for (const [name, value] of learned) variables.set(name, value)
          return
        }
        if (past.every(each => difference(each, frame, new Map(variables)))) throw new Deviation(different)
      }
    },
  }

  const outcome = (verdict: Verdict, why?: string): Outcome => ({
    rule,
    sentence,
    verdict,
    ...(why !== undefined && { why }),
    exchange: entries,
    ms: elapsed(),
  })

  const lacking = needs && difference(needs, Object.fromEntries(variables), new Map(), 'what is judged')
  if (lacking) {
    await stage.end?.()
    return outcome('skip', lacking)
  }

  let at = 0
  try {
    for (const step of steps) {
      at++
      if (!(await stage.take(step, scene))) await act(step, scene)
      check()
      const spent = elapsed() - (entries[0]?.at ?? 0)
      if (limit && spent > limit) throw new Deviation(`it took ${spent} ms, ${limit} are enough`)
    }
    return outcome('pass')
  } catch (error) {
    if (error instanceof Unjudged) return outcome('skip', error.message)
    if (!(error instanceof Deviation)) throw new Error(`${rule}, step ${at}: ${error}`, { cause: error })
    return outcome('fail', `step ${at} of ${steps.length}: ${error.message}`)
  } finally {
    for (const { webSocket } of lines.values()) webSocket.terminate()
    await stage.end?.()
  }
}

/** Steps that mean the same on both sides. */
const act = async (step: Step, scene: Scene): Promise<void> => {
  if ('send' in step)
    return each(step, scene, line => scene.send(line, fill(step.send, scene.variables), step.binary))
  if ('sendText' in step) return scene.line(step.on).send(step.sendText)
  if ('sendBinary' in step)
    return scene.line(step.on).send(new Uint8Array(Buffer.from(step.sendBinary.replaceAll(' ', ''), 'hex')))
  if ('expect' in step)
    return each(step, scene, line => scene.expect(line, step.expect, within(step, scene), step.past))
  if ('expectAck' in step) return expectAck(step, scene)
  if ('expectNothing' in step) return expectNothing(step, scene)
  if ('expectClose' in step) return expectClose(step, scene)
  if ('drop' in step) return scene.line(step.drop).webSocket.terminate()
  if ('close' in step) return close(step, scene)
  if ('pause' in step) return scene.line(step.pause).webSocket.pause()
  if ('unpause' in step) return scene.line(step.unpause).webSocket.resume()
  if ('wait' in step) return void (await scene.until(() => false, amount(step.wait, scene.variables)))
  throw new Error(`no such step: ${JSON.stringify(step)}`)
}

export const within = (step: { readonly within?: number | string | undefined }, scene: Scene): number =>
  step.within === undefined ? scene.timeoutMs : amount(step.within, scene.variables)

const each = async (
  { n, on }: StepOf<'send'> | StepOf<'expect'>,
  scene: Scene,
  act: (line: Line) => void | Promise<void>,
): Promise<void> => {
  const [from, to] = n?.map(each => amount(each, scene.variables)) ?? [1, 1]
  for (let i = from ?? 1; i <= (to ?? 1); i++) {
    if (n) scene.variables.set('n', i)
    await act(scene.line(on))
  }
  if (n) scene.variables.delete('n')
}

const expectAck = async (step: StepOf<'expectAck'>, scene: Scene): Promise<void> => {
  const line = scene.line(step.on)
  const { laws, name } = line
  const expected = amount(step.expectAck, scene.variables)
  const ms = within(step, scene)
  await scene.until(() => laws.acked >= expected || !!line.ended, ms)
  if (laws.acked === expected) return
  const when = line.ended ? `when it was closed with ${line.ended.code}` : `after ${ms} ms`
  throw new Deviation(`${laws.acked} is acknowledged on ${name} ${when}, expected ${expected}`)
}

const expectNothing = async (step: StepOf<'expectNothing'>, scene: Scene): Promise<void> => {
  const line = scene.line(step.on)
  const most = step.ackAtMost === undefined ? Infinity : amount(step.ackAtMost, scene.variables)
  const isTold = ([kind]: Frame) => step.acks === false && kind === 3
  let came: Frame | undefined
  await scene.until(
    () => {
      for (let head = line.peek(); head && !came; head = line.peek()) {
        line.shift()
        if (!isSmallTalk(head) || isTold(head)) came = head
      }
      return !!came || !!line.ended || line.laws.acked > most
    },
    amount(step.expectNothing, scene.variables),
  )
  if (came) throw new Deviation(`${JSON.stringify(came).slice(0, 80)} came on ${line.name}, expected nothing`)
  if (line.laws.acked > most)
    throw new Deviation(`${line.laws.acked} is acknowledged on ${line.name}, expected ${most} at most`)
  if (line.ended) throw new Deviation(`${line.name} was closed with ${line.ended.code}, expected nothing`)
}

const expectClose = async (step: StepOf<'expectClose'>, scene: Scene): Promise<void> => {
  const line = scene.line(step.on)
  const codes = [step.expectClose].flat()
  const ms = within(step, scene)
  await scene.until(() => !!line.ended, ms)
  const { ended } = line
  if (!ended) {
    if (step.orSkip) throw new Unjudged(step.orSkip)
    throw new Deviation(
      `${line.name} is open after ${ms} ms, expected to be closed with ${codes.join(' or ')}`,
    )
  }
  if (!codes.includes(ended.code))
    throw new Deviation(
      `${line.name} was closed with ${ended.code} ${ended.reason}, expected ${codes.join(' or ')}`,
    )
  const different =
    step.reason !== undefined && difference(step.reason, ended.reason, new Map(scene.variables))
  if (different) throw new Deviation(`the reason: ${different}`)
}

const close = async (step: StepOf<'close'>, scene: Scene): Promise<void> => {
  const line = scene.line(step.close)
  line.webSocket.close(step.code, step.reason)
  // So that it is known before what follows is: but who does not read never learns it
  if (!line.webSocket.isPaused) await scene.until(() => !!line.ended, scene.timeoutMs)
}
