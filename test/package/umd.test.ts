import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { NAMES, read, root, run, UMD } from './built'

/** What the tests below read of a jsdom window. */
interface Page {
  readonly document: Document
  readonly Function: FunctionConstructor
  readonly ReconnectingSocket?: { name: string }
  readonly requirejs?: unknown
  readonly socket?: { state: object }
  readonly is?: unknown[]
  readonly refused?: boolean
}

const require = createRequire(import.meta.url)
const { JSDOM } = require('jsdom') as {
  JSDOM: new (html: string, options: object) => { window: Page }
}

const STATICS = NAMES.filter(name => name !== 'ReconnectingSocket')

const openPage = () =>
  new JSDOM('<!doctype html><body></body>', {
    runScripts: 'dangerously',
    resources: 'usable',
    url: pathToFileURL(root).href,
  }).window

function runScript({ document }: Page, code: string) {
  const script = document.createElement('script')
  script.textContent = code
  document.body.append(script)
}

test('a script tag adds one global, and it is the class', () => {
  const window = openPage()
  const before = new Set(Object.getOwnPropertyNames(window))
  runScript(window, read(UMD))
  expect(Object.getOwnPropertyNames(window).filter(name => !before.has(name))).toEqual(['ReconnectingSocket'])
  const Class = window.ReconnectingSocket ?? { name: 'none' }
  expect(Class).toBeInstanceOf(window.Function)
  expect(Class.name).toBe('ReconnectingSocket')
  expect(Object.keys(Class).sort()).toEqual(STATICS)
})

test('what the script tag gives works: a socket, its codecs and its errors', () => {
  const window = openPage()
  runScript(window, read(UMD))
  runScript(
    window,
    `const { json, text, bytes, SocketError, FatalError } = ReconnectingSocket
     window.socket = new ReconnectingSocket('ws://localhost', { autoConnect: false, codec: text() })
     window.is = [socket instanceof ReconnectingSocket, typeof json().encode, typeof bytes().decode,
       new FatalError('no') instanceof Error]
     try { new ReconnectingSocket('nonsense:') } catch (error) { window.refused = error instanceof SocketError }`,
  )
  expect(window.is).toEqual([true, 'function', 'function', true])
  expect(window.refused).toBe(true)
  expect(window.socket?.state).toMatchObject({ name: 'idle' })
})

test('require answers the class', async () => {
  const program = `
    const before = new Set(Reflect.ownKeys(globalThis))
    const Class = require('reconnecting-socket/umd')
    const added = Reflect.ownKeys(globalThis).filter(key => !before.has(key)).map(String)
    console.log(JSON.stringify([typeof Class, Class.name, Object.keys(Class).sort(), added]))`
  expect(await run('commonjs', program)).toEqual(['function', 'ReconnectingSocket', STATICS, []])
})

test('an AMD loader answers the class, and no global is added', async () => {
  const window = openPage()
  runScript(window, read('node_modules/requirejs/require.js'))
  const requirejs = window.requirejs as (
    config: object,
    names: string[],
    loaded: (value: { name: string }) => void,
    failed: (error: Error) => void,
  ) => void
  const before = new Set(Object.getOwnPropertyNames(window))
  const paths = { 'reconnecting-socket': pathToFileURL(root + UMD).href.replace(/\.js$/, '') }
  const Class = await new Promise<{ name: string }>((resolve, reject) =>
    requirejs({ paths }, ['reconnecting-socket'], resolve, reject),
  )
  expect(Class).toBeInstanceOf(window.Function)
  expect(Class.name).toBe('ReconnectingSocket')
  expect(Object.keys(Class).sort()).toEqual(STATICS)
  expect(Object.getOwnPropertyNames(window).filter(name => !before.has(name))).toEqual([])
})
