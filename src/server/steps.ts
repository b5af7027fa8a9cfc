/**
 * Run to completion: a step is taken, then what had to wait for it, then the application is told, and only then is the
 * next looked at. So nobody who is told of a step can find the server in the middle of it.
 */

export interface Steps {
  /** Takes a step, and tells of it; or, in the middle of another, after that. */
  act(step: () => void): void
  /** Takes a step at once, even in the middle of another: somebody waits for its answer. */
  run(step: () => void): void
  /** Tells the application, after the step. */
  tell(notice: () => void): void
  /** Its `settle` is due, after the step and what is told of it. */
  touch(settled: Settled | undefined): void
}

export interface Settled {
  settle(): void
}

/**
 * @param failed a step did: a store that fails, or a bug of ours. It is one client's misfortune
 * @param rested nothing is left to do for now
 */
export const createSteps = (failed: (error: unknown) => void, rested: () => void): Steps => {
  let depth = 0
  const mailbox: (() => void)[] = []
  const notices: (() => void)[] = []
  const touched = new Set<Settled>()
  let isPublishing = false

  const attempt = (step: () => void) => {
    depth++
    try {
      step()
    } catch (error) {
      failed(error)
    }
    depth--
  }

  const publish = () => {
    if (isPublishing) return
    isPublishing = true
    for (;;) {
      // What these lead to is told after them
      for (const notice of notices) notice()
      notices.length = 0
      const [next] = touched
      if (!next) break
      touched.delete(next)
      next.settle()
    }
    isPublishing = false
    rested()
  }

  const run = (step: () => void) => {
    attempt(step)
    if (depth) return
    for (let next = mailbox.shift(); next; next = mailbox.shift()) attempt(next)
    publish()
  }

  return {
    run,
    act(step) {
      if (depth) mailbox.push(step)
      else run(step)
    },
    tell(notice) {
      notices.push(notice)
    },
    touch(settled) {
      if (settled) touched.add(settled)
    },
  }
}
