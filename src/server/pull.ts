/** Something that is asked for, one at a time, as an async iterator. */

export interface Pull<Value> {
  readonly iterator: AsyncIterableIterator<Value, undefined, undefined>
  /** There may be something now, or it is over: answers those who wait. */
  wake(): void
}

/**
 * @param take the next, if there is one
 * @param isOver whether there will never be another
 * @param asked somebody waits: to be woken, now or later
 * @param stopped nobody will ask any more
 */
export const createPull = <Value>(
  take: () => { readonly value: Value } | undefined,
  isOver: () => boolean,
  asked: () => void,
  stopped: () => void,
): Pull<Value> => {
  const asking: ((result: IteratorResult<Value, undefined>) => void)[] = []
  let isStopped = false

  return {
    wake() {
      while (asking.length) {
        const taken = isStopped ? undefined : take()
        if (taken) asking.shift()?.({ done: false, value: taken.value })
        else if (isStopped || isOver()) asking.shift()?.({ done: true, value: undefined })
        else return
      }
    },
    iterator: {
      next: () =>
        new Promise(resolve => {
          if (isStopped) return resolve({ done: true, value: undefined })
          asking.push(resolve)
          asked()
        }),
      async return() {
        if (!isStopped) {
          isStopped = true
          stopped()
          for (const resolve of asking.splice(0)) resolve({ done: true, value: undefined })
        }
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    },
  }
}
