/** Firefox by WebDriver BiDi. */

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { type Engine, type EngineOptions, source, start, type Tab, unable } from './engine'
import { createRpc } from './rpc'

const PREFS = {
  // Its hidden delay after failures would be measured instead of ours
  'network.websocket.delay-failed-reconnects': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'app.update.disabledForTesting': true,
}

interface Evaluated {
  readonly type: 'success' | 'exception'
  readonly result: { readonly value: string }
  readonly exceptionDetails: { readonly text: string }
}

export async function startFirefox(
  path: string,
  { args = [], prefs = {}, within = [] }: EngineOptions,
): Promise<Engine> {
  const started = await start(async folder => {
    const lines = Object.entries({ ...PREFS, ...prefs }).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
    )
    await writeFile(join(folder, 'user.js'), lines.join(''))
    const own = ['--headless', '--no-remote', '--profile', folder, '--remote-debugging-port', '0']
    return [...within, path, ...own, ...args]
  })
  const url = await started.said(/WebDriver BiDi listening on (\S+)/)
  const line = new WebSocket(`${url}/session`)
  const rpc = createRpc(text => line.send(text))
  line.on('message', data => rpc.heard(`${data}`))
  line.on('close', () => rpc.ended())
  line.on('error', () => {})
  await once(line, 'open')
  const { capabilities } = await rpc.call<{ capabilities: { browserVersion: string } }>('session.new', {
    capabilities: {},
  })

  const create = (how: object) => rpc.call<{ context: string }>('browsingContext.create', how)

  async function open(url: string): Promise<Tab> {
    const { context } = await create({ type: 'window' })
    let other: string | undefined
    const tab: Tab = {
      tools: unable,
      async goto(url) {
        await rpc.call('browsingContext.navigate', { context, url, wait: 'complete' })
      },
      async run(task, ...args) {
        const { type, result, exceptionDetails } = await rpc.call<Evaluated>('script.evaluate', {
          expression: source(task, args),
          target: { context },
          awaitPromise: true,
        })
        if (type === 'exception') throw new Error(exceptionDetails.text)
        return JSON.parse(result.value)
      },
      async hide() {
        other ??= (await create({ type: 'tab', referenceContext: context })).context
        await rpc.call('browsingContext.activate', { context: other })
      },
      async show() {
        await rpc.call('browsingContext.activate', { context })
      },
      async setOffline(isOffline) {
        await rpc.call('emulation.setNetworkConditions', {
          networkConditions: isOffline ? { type: 'offline' } : null,
          contexts: [context],
        })
      },
      async close() {
        await rpc.call('browsingContext.close', { context })
      },
    }
    await tab.goto(url)
    return tab
  }

  return {
    name: 'firefox',
    version: capabilities.browserVersion,
    open,
    signal: started.signal,
    async close() {
      line.terminate()
      await started.end()
    },
  }
}
