/** One server of `servers.ts` in a process of its own. Arguments: its kind, and its port or 0. Tells the port. */

import { tsImport } from 'tsx/esm/api'

const { startServer } = await tsImport('./servers.ts', import.meta.url)
const [kind, port] = process.argv.slice(2)
const server = await startServer(kind, { port: Number(port) })

// A test run that was killed must not leave servers behind
process.on('disconnect', () => process.exit())
process.send(server.port)
