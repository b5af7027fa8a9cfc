/** What is shown of a judgement. */

import type { Entry } from './line'
import type { Outcome } from './player'

const ARROWS: Readonly<Record<Entry['direction'], string>> = {
  sent: '→',
  received: '←',
  opened: '· opened',
  closed: '· closed',
}

const counts = (outcomes: readonly Outcome[]) => {
  const of = (verdict: Outcome['verdict']) => outcomes.filter(each => each.verdict === verdict).length
  return { passed: of('pass'), failed: of('fail'), skipped: of('skip') }
}

const played = ({ exchange }: Outcome): string[] =>
  exchange.map(({ at, connection, direction, text }) =>
    `      ${`${at}`.padStart(6)} ms  ${connection} ${ARROWS[direction]} ${text}`.trimEnd(),
  )

/** A line for each rule; of what failed, or of all, also what was played, as whoever judges saw it. */
export const text = (outcomes: readonly Outcome[], isVerbose: boolean): string => {
  const width = Math.max(0, ...outcomes.map(({ rule }) => rule.length))
  const lines = outcomes.flatMap(outcome => {
    const { rule, sentence, verdict, why } = outcome
    const isShown = verdict === 'fail' || isVerbose
    return [
      `${verdict === 'fail' ? 'FAIL' : verdict}  ${rule.padEnd(width)}  ${sentence}`,
      ...(why ? [`      ${why}`] : []),
      ...(isShown ? played(outcome) : []),
    ]
  })
  const { passed, failed, skipped } = counts(outcomes)
  return [...lines, '', `${passed} passed, ${failed} failed, ${skipped} skipped`].join('\n')
}

/** The same for programs. */
export const json = (outcomes: readonly Outcome[]): string =>
  JSON.stringify({ ...counts(outcomes), rules: outcomes }, undefined, 2)
