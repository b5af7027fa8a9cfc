/** The package where there is neither a WebSocket nor a window, as when a page is rendered on a server. */

import { createRequire } from 'node:module'
import process from 'node:process'

for (const name of ['WebSocket', 'window', 'document']) delete globalThis[name]
const seen = { globals: typeof WebSocket + typeof window + typeof document }

const names = () => Object.getOwnPropertyNames(globalThis).sort()
const resources = () => process.getActiveResourcesInfo?.().sort() ?? []
const before = { names: names(), resources: resources() }

const require = createRequire(import.meta.url)
const { ReconnectingSocket, resumable } = await import('../../dist/index.js')
await import('../../dist/msgpack.js')
for (const entry of ['index.cjs', 'msgpack.cjs', 'umd/reconnecting-socket.min.js'])
  require(`../../dist/${entry}`)
seen.added = names().filter(name => !before.names.includes(name))

const { SessionServer } = await import('../../dist/server.js')
await import('../../dist/spec.js')
for (const entry of ['server.cjs', 'spec.cjs']) require(`../../dist/${entry}`)
// zod keeps its settings there
seen.addedByServer = names().filter(name => !before.names.includes(name) && !name.startsWith('__zod_'))

new SessionServer({ authenticate: () => 'somebody' })
const socket = new ReconnectingSocket('wss://example.com/feed', { autoConnect: false, session: resumable() })
seen.kept = resources().filter(name => !before.resources.includes(name))
seen.state = socket.state.name

const errors = []
socket.on('error', ({ code, cause }) => errors.push([code, cause.message]))
socket.connect()
await socket.opened().catch(({ code }) => errors.push([code]))
seen.errors = errors
seen.end = socket.state.name
console.log(JSON.stringify(seen))
