/** A page in jsdom, and what its scripts log. */

import { createRequire } from 'node:module'
import { format } from 'node:util'

/** What is read of jsdom, which has no types. */
const { JSDOM, VirtualConsole } = createRequire(import.meta.url)('jsdom') as {
  JSDOM: new (html: string, options: object) => { window: { eval(code: string): unknown; close(): void } }
  VirtualConsole: new () => { on(type: string, listener: (...values: unknown[]) => void): void }
}

const PATIENCE_MS = 5_000

export interface Page {
  /** A line for each `console.log`. */
  readonly logged: readonly string[]
  /** Waits until all of this was logged. Rejects with the first error of a script. Gives up in silence. */
  said(lines: readonly string[]): Promise<void>
  run(code: string): unknown
  close(): void
}

export function openPage(html: string, url = 'http://localhost/'): Page {
  const logged: string[] = []
  let failure: Error | undefined
  let look = () => {}
  const virtualConsole = new VirtualConsole()
  virtualConsole.on('log', (...values) => {
    logged.push(format(...values))
    look()
  })
  const fail = (error: unknown) => {
    failure ??= ((error as Error).cause ?? error) as Error
    look()
  }
  virtualConsole.on('error', fail)
  virtualConsole.on('jsdomError', fail)
  const { window } = new JSDOM(html, { url, runScripts: 'dangerously', resources: 'usable', virtualConsole })

  return {
    logged,
    said(lines) {
      return new Promise((resolve, reject) => {
        const patience = setTimeout(resolve, PATIENCE_MS)
        look = () => {
          const done = lines.every(line => logged.includes(line))
          if (failure || done) clearTimeout(patience)
          if (failure) reject(failure)
          else if (done) resolve()
        }
        look()
      })
    },
    run: code => window.eval(code),
    close: () => window.close(),
  }
}
