/** Which browsers there are. Those that `BROWSERS` names must be; without it, whatever is found is used. */

import { existsSync } from 'node:fs'
import type { EngineName } from './engines/engine'

const PLACES: Readonly<Record<EngineName, readonly string[]>> = {
  chromium: [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  firefox: ['/usr/bin/firefox-esr', '/usr/bin/firefox', '/Applications/Firefox.app/Contents/MacOS/firefox'],
  webkit: ['x86_64', 'aarch64'].flatMap(machine =>
    ['4.1', '4.0'].map(version => `/usr/lib/${machine}-linux-gnu/webkit2gtk-${version}/MiniBrowser`),
  ),
}

/** By the path of what has to be there besides. */
const NEEDS: Readonly<Record<EngineName, readonly string[]>> = {
  chromium: [],
  firefox: [],
  webkit: ['/usr/bin/WebKitWebDriver', '/usr/bin/Xvfb'],
}

const HOW: Readonly<Record<EngineName, string>> = {
  chromium: 'apt-get install chromium, or name it by CHROMIUM=path',
  firefox: 'apt-get install firefox-esr, or name it by FIREFOX=path',
  webkit: 'apt-get install webkit2gtk-driver xvfb',
}

const { BROWSERS, CHROMIUM, FIREFOX, WEBKIT } = process.env
const named: Readonly<Record<EngineName, string | undefined>> = {
  chromium: CHROMIUM,
  firefox: FIREFOX,
  webkit: WEBKIT,
}
const names = Object.keys(PLACES) as EngineName[]

const find = (name: EngineName): string | undefined => {
  const places = named[name] ? [named[name]] : PLACES[name]
  return NEEDS[name].every(path => existsSync(path)) ? places.find(path => existsSync(path)) : undefined
}

/** Where each browser is that is to be tested. */
export const found: Readonly<Partial<Record<EngineName, string>>> = Object.fromEntries(
  names
    .filter(name => !BROWSERS || BROWSERS.split(',').includes(name))
    .flatMap(name => {
      const path = find(name)
      if (path) return [[name, path]]
      const missing = `${name} is not here: ${HOW[name]}`
      if (BROWSERS) throw new Error(missing)
      if (!process.env.VITEST_WORKER_ID) console.warn(`${missing}. Its tests are left out.`)
      return []
    }),
)
