/** A test of one behaviour in each engine that can be brought to it. What it measured goes into the report. */

import { appendFileSync } from 'node:fs'
import { afterAll, test } from 'vitest'
import type { EngineName } from '../engines/engine'
import { found } from '../found'
import { type Lab, setUp, stopEngines } from './lab'
import { BEHAVIOURS, type BehaviourId } from './table'

/** What was seen, in words with numbers. */
export interface Measured {
  /** Of a WebSocket as the browser has it, or what one would write around it. */
  readonly raw: string
  readonly ours: string
}

export interface Result extends Measured {
  readonly id: BehaviourId
  readonly engine: EngineName
  readonly version: string
}

const { BROWSERS_REPORT } = process.env
/** No browser has noticed a dead path by then. */
export const SURE_MS = 2_000
/** How long to watch a WebSocket that nothing happens to: long enough to be sure, or to tell of. */
export const WATCH_MS = BROWSERS_REPORT ? 65_000 : SURE_MS

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

export function behaviour(
  id: BehaviourId,
  attempt: (lab: Lab) => Promise<Measured>,
  timeoutMs = 120_000,
): void {
  const { title, cannot } = BEHAVIOURS[id]
  const names = Object.keys(found) as EngineName[]
  if (names.length === 0) test.skip(`${title}: there is no browser here`)
  for (const name of names)
    if (cannot?.[name]) test.skip(`${name}: ${title}: ${cannot[name]}`)
    else
      test(`${name}: ${title}`, { timeout: timeoutMs }, async ({ skip }) => {
        const { lab, tearDown } = await setUp(name, skip)
        try {
          const measured = await attempt(lab)
          if (!BROWSERS_REPORT) return
          const { version } = await lab.engine()
          appendFileSync(BROWSERS_REPORT, `${JSON.stringify({ id, engine: name, version, ...measured })}\n`)
        } finally {
          await tearDown()
        }
      })
}

afterAll(stopEngines)
