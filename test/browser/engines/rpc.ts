/** Commands and their answers, as both the Chrome DevTools Protocol and WebDriver BiDi have them. */

interface Answer {
  readonly id?: number
  readonly result?: unknown
  readonly error?: unknown
  readonly message?: string
}

export interface Rpc {
  /** @param sessionId of the Chrome DevTools Protocol, which has many on one line */
  call<Result>(method: string, params?: object, sessionId?: string): Promise<Result>
  /** To be called with each line that comes. */
  heard(line: string): void
  /** Nothing will be answered any more. */
  ended(): void
}

export function createRpc(send: (line: string) => void): Rpc {
  const open = new Map<number, { resolve(result: never): void; reject(error: Error): void }>()
  let ids = 0
  let isOver = false
  return {
    call: (method, params = {}, sessionId = undefined) =>
      new Promise((resolve, reject) => {
        if (isOver) return reject(new Error(`${method}: the browser is gone`))
        open.set(++ids, { resolve, reject: ({ message }) => reject(new Error(`${method}: ${message}`)) })
        send(JSON.stringify({ id: ids, method, params, sessionId }))
      }),
    heard(line) {
      const { id = 0, error, message, result } = JSON.parse(line) as Answer
      const asked = open.get(id)
      open.delete(id)
      if (error) asked?.reject(new Error(`${JSON.stringify(error)} ${message ?? ''}`))
      else asked?.resolve(result as never)
    },
    ended() {
      isOver = true
      for (const { reject } of open.values()) reject(new Error('the browser is gone'))
      open.clear()
    },
  }
}
