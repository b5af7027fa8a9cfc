/** The behaviours that are held in browsers: what each is, and which engine cannot be brought to it. */

import type { EngineName } from '../engines/engine'

export interface Behaviour {
  readonly title: string
  /** What we promise. */
  readonly claim: string
  /** Why not. */
  readonly cannot?: Readonly<Partial<Record<EngineName, string>>>
}

const table = <Id extends string>(behaviours: Readonly<Record<Id, Behaviour>>) => behaviours

export const BEHAVIOURS = table({
  basic: {
    title: 'a cut, and back',
    claim: 'text, bytes and close codes as they were sent; reconnected by itself, and what waited goes out',
  },
})

export type BehaviourId = keyof typeof BEHAVIOURS
