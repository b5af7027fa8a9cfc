/** Chromium by its DevTools Protocol, over a pipe: so it can also be in a network of its own. */

import type { Readable, Writable } from 'node:stream'
import { type Engine, type EngineOptions, source, start, type Tab } from './engine'
import { createRpc } from './rpc'

const ARGS = [
  '--headless',
  '--remote-debugging-pipe',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

interface Evaluated {
  readonly result: { readonly value: string }
  readonly exceptionDetails?: {
    readonly text: string
    readonly exception?: { readonly description?: string }
  }
}

export async function startChromium(
  path: string,
  { args = [], within = [] }: EngineOptions,
): Promise<Engine> {
  const started = await start(folder => [...within, path, ...ARGS, `--user-data-dir=${folder}`, ...args], {
    pipes: 2,
  })
  const [, , , input, output] = started.child.stdio as unknown as [null, null, Readable, Writable, Readable]
  const rpc = createRpc(line => input.write(`${line}\0`))
  let rest = ''
  // A pipe to a browser that is killed breaks
  input.on('error', () => {})
  output.setEncoding('utf8').on('data', text => {
    const lines = `${rest}${text}`.split('\0')
    rest = lines.pop() ?? ''
    for (const line of lines) rpc.heard(line)
  })
  output.on('error', () => {})
  started.child.once('close', () => rpc.ended())
  const { product } = await rpc.call<{ product: string }>('Browser.getVersion')

  async function open(url: string): Promise<Tab> {
    const { targetId } = await rpc.call<{ targetId: string }>('Target.createTarget', {
      url: 'about:blank',
      newWindow: true,
    })
    const { sessionId } = await rpc.call<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    })
    const tools = <Result>(method: string, params?: object) => rpc.call<Result>(method, params, sessionId)
    await tools('Page.enable')
    const { windowId } = await rpc.call<{ windowId: number }>('Browser.getWindowForTarget', { targetId })
    const become = (windowState: string) =>
      rpc.call<void>('Browser.setWindowBounds', { windowId, bounds: { windowState } })
    const tab: Tab = {
      tools,
      async goto(url) {
        await tools('Page.navigate', { url })
        while (
          !(await tab.run(() => document.readyState === 'complete' && location.href))
            .toString()
            .startsWith(url)
        ) {
          // It says so at each look
        }
      },
      async run(task, ...args) {
        const { result, exceptionDetails } = await tools<Evaluated>('Runtime.evaluate', {
          expression: source(task, args),
          awaitPromise: true,
          returnByValue: true,
        })
        if (exceptionDetails)
          throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
        return JSON.parse(result.value)
      },
      hide: () => become('minimized'),
      show: () => become('normal'),
      setOffline: offline =>
        tools('Network.overrideNetworkState', {
          offline,
          latency: 0,
          downloadThroughput: -1,
          uploadThroughput: -1,
        }),
      async close() {
        await rpc.call('Target.closeTarget', { targetId })
      },
    }
    await tab.goto(url)
    return tab
  }

  return {
    name: 'chromium',
    version: product.replace(/^\D*/, ''),
    open,
    signal: started.signal,
    close: started.end,
  }
}
