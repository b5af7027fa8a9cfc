/**
 * WebKitGTK by WebDriver, on a screen that nobody sees. Its driver knows one tab at a time, so commands take turns; it
 * can neither freeze a page nor tell it that there is no network.
 */

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type Engine, type EngineOptions, source, start, type Tab, unable } from './engine'

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

interface Session {
  readonly sessionId: string
  readonly capabilities: { readonly browserVersion: string }
}

/** @param path of the browser that the driver starts */
export async function startWebKit(path: string, { args = [] }: EngineOptions): Promise<Engine> {
  const screen = await start(() => [
    'Xvfb',
    '-displayfd',
    '2',
    '-screen',
    '0',
    '1024x768x24',
    '-nolisten',
    'tcp',
  ])
  const display = await screen.said(/^(\d+)$/m)
  const port = await freePort()
  const driver = await start(() => ['WebKitWebDriver', `--port=${port}`], { env: { DISPLAY: `:${display}` } })

  const call = async <Result>(method: string, command: string, body?: object): Promise<Result> => {
    const response = await fetch(`http://127.0.0.1:${port}${command}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    })
    const { value } = (await response.json()) as { value: Result & { message?: string } }
    if (!response.ok) throw new Error(`${command}: ${value.message}`)
    return value
  }

  const isListening = () =>
    call('GET', '/status').then(
      () => true,
      () => false,
    )
  while (driver.child.exitCode === null && !(await isListening()))
    await new Promise(resolve => setTimeout(resolve, 50))
  const close = async () => {
    await driver.end()
    await screen.end()
  }
  const { sessionId, capabilities } = await call<Session>('POST', '/session', {
    capabilities: {
      alwaysMatch: {
        browserName: 'MiniBrowser',
        'webkitgtk:browserOptions': { binary: path, args: ['--automation', ...args] },
      },
    },
  }).catch(async error => {
    await close()
    throw error
  })
  const post = <Result>(command: string, body: object = {}) =>
    call<Result>('POST', `/session/${sessionId}${command}`, body)

  let turn: Promise<unknown> = Promise.resolve()
  const next = <Result>(task: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(task)
    turn = result.catch(() => {})
    return result
  }

  // The session would end with its last window: the first is left alone
  const first = await call<string>('GET', `/session/${sessionId}/window`)

  async function open(url: string): Promise<Tab> {
    const { handle } = await next(async () => {
      await post('/window', { handle: first })
      return post<{ handle: string }>('/window/new', { type: 'window' })
    })
    const within = <Result>(task: () => Promise<Result>) =>
      next(async () => {
        await post('/window', { handle })
        return task()
      })
    const tab: Tab = {
      tools: unable,
      setOffline: unable,
      goto: url => within(() => post('/url', { url })),
      async run(task, ...args) {
        const script = `const [done] = arguments
          const answer = ${source(task, args)}
          answer.then(json => done({ json }), error => done({ error: error + error.stack }))`
        const { json, error } = await within(() =>
          post<{ json: string; error?: string }>('/execute/async', { script, args: [] }),
        )
        if (error) throw new Error(error)
        return JSON.parse(json)
      },
      hide: () => within(() => post('/window/minimize')),
      // It has no command to restore a window, but this does
      show: () => within(() => post('/window/rect', { width: 800, height: 600 })),
      close: () => within(() => call('DELETE', `/session/${sessionId}/window`)),
    }
    await tab.goto(url)
    return tab
  }

  return {
    name: 'webkit',
    version: capabilities.browserVersion,
    open,
    signal: driver.signal,
    close,
  }
}
