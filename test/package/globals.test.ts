/**
 * Importing touches no global. Each build is run in a fresh realm where everything that is not the language itself
 * throws when it is merely looked at, `typeof` included; so do the language's own clock and chance.
 */

import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { NAMES, read, run, UMD } from './built'

const require = createRequire(import.meta.url)
const { JSDOM } = require('jsdom') as { JSDOM: new (html: string) => { window: object } }

/** Whatever browsers or Node have on their global object; the realm below keeps what is its own. */
const hostNames = [
  ...Object.getOwnPropertyNames(globalThis),
  ...Object.getOwnPropertyNames(new JSDOM('').window),
  ...['WebSocket', 'document', 'window', 'self', 'navigator', 'location', 'performance', 'crypto'],
  ...['setTimeout', 'queueMicrotask', 'reportError', 'addEventListener', 'require', 'process', 'Buffer'],
]

interface Outcome {
  error?: string
  /** What the module gave away. */
  names?: string[]
  /** The properties that the global object has more than before. */
  added?: string[]
}

function evaluate(format: 'esm' | 'cjs' | 'umd', source: string) {
  const program = `
    import vm from 'node:vm'
    const context = vm.createContext({})
    const inside = code => vm.runInContext(code, context)
    const global = inside('globalThis')
    const language = new Set(Object.getOwnPropertyNames(global))
    const poison = (object, name) => Object.defineProperty(object, name, {
      configurable: true,
      get() { throw new Error('touched ' + name) },
    })
    for (const name of ${JSON.stringify(hostNames)}) if (!language.has(name)) poison(global, name)
    poison(inside('Math'), 'random')
    poison(global, 'Date')
    const before = new Set(Reflect.ownKeys(global))
    const source = ${JSON.stringify(source)}
    const load = {
      async esm() {
        const module = new vm.SourceTextModule(source, { context })
        await module.link(name => { throw new Error('imports ' + name) })
        await module.evaluate()
        return module.namespace
      },
      cjs() {
        const module = { exports: {} }
        const wrapper = vm.compileFunction(source, ['module', 'exports'], { parsingContext: context })
        wrapper(module, module.exports)
        return module.exports
      },
      umd: () => (inside(source), global.ReconnectingSocket),
    }
    const outcome = {}
    try {
      outcome.names = Object.keys(await load.${format}()).sort()
    } catch (error) {
      outcome.error = error.message
    }
    outcome.added = Reflect.ownKeys(global).filter(key => !before.has(key)).map(String)
    console.log(JSON.stringify(outcome))`
  return run('module', program, '--experimental-vm-modules') as Promise<Outcome>
}

test('importing the ESM build touches no global and adds none', async () => {
  expect(await evaluate('esm', read('dist/index.js'))).toEqual({ names: NAMES, added: [] })
})

test('requiring the CJS build touches no global and adds none', async () => {
  expect(await evaluate('cjs', read('dist/index.cjs'))).toEqual({ names: NAMES, added: [] })
})

test('running the UMD build touches no global and adds its own', async () => {
  const statics = NAMES.filter(name => name !== 'ReconnectingSocket')
  expect(await evaluate('umd', read(UMD))).toEqual({ names: statics, added: ['ReconnectingSocket'] })
})

// The three above would pass as well if nothing were poisoned
test.each([
  'typeof WebSocket',
  'globalThis.document?.baseURI',
  'typeof window',
  'navigator',
  'location',
  'performance',
  'setTimeout',
  'addEventListener',
  'process',
  'Date',
  'Math.random',
])('a build that looks at %s would be caught', async look => {
  for (const [format, file] of [
    ['esm', 'dist/index.js'],
    ['cjs', 'dist/index.cjs'],
    ['umd', UMD],
  ] as const) {
    const { error } = await evaluate(format, `${look};${read(file)}`)
    expect(error).toMatch(/^touched /)
  }
})
