/** The state diagram, printed from the machine: what the explorer saw it do, not what somebody remembers. */

import { explore, type Machine, policies } from './worlds'

/** Worlds of each policy after which every step has been seen: a test of the explorer holds it to all of them. */
export const ENOUGH = 300

const ORDER = ['idle', 'connecting', 'handshaking', 'open', 'waiting', 'suspended', 'closing', 'closed']

export function diagram(machine: Machine): string {
  const labels = new Map<string, Set<string>>()
  for (const edge of explore(machine, policies, { most: ENOUGH }).seen) {
    const [from = '', event = '', to = ''] = edge.split(' ')
    // Staying is told by the absence of an arrow, but a new attempt in place of the old one is not staying
    const isNewAttempt = from === 'connecting' && event === 'reconnect'
    if (from === to && !isNewAttempt) continue
    const key = `${from} ${to}`
    labels.set(key, (labels.get(key) ?? new Set()).add(event))
  }
  const rank = (key: string) => key.split(' ').map(name => ORDER.indexOf(name))
  const arrows = [...labels].sort(([a], [b]) => {
    const [from = 0, to = 0] = rank(a)
    const [otherFrom = 0, otherTo = 0] = rank(b)
    return from - otherFrom || to - otherTo
  })
  return [
    '```mermaid',
    'stateDiagram-v2',
    '  [*] --> idle',
    ...arrows.map(([key, events]) => `  ${key.replace(' ', ' --> ')}: ${[...events].sort().join(', ')}`),
    '```',
  ].join('\n')
}
