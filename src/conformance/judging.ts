/** What judges of servers and of clients share. */

import { randomBytes } from 'node:crypto'

export interface Judging {
  /** How long an answer may take, in ms. */
  readonly timeoutMs: number
  /** Exchanges that are played at the same time: they know nothing of each other. */
  readonly parallel: number
}

export const unguessable = (): string => randomBytes(12).toString('base64url')

/** A copy without the fields of these names. */
export const without = (fields: object, names: readonly string[] = []): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))

/** In order, a few at a time. */
export const parallel = async <Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> => {
  const results: Result[] = []
  const queue = [...items.entries()]
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1])
  }
  await Promise.all(Array.from({ length: most }, worker))
  return results
}
