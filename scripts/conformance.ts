/** Judges our own server with the command as it was built: `npm run conformance -- --only ack/`. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { startConformanceServer } from '../demo/servers/node'

const server = await startConformanceServer(0)
const command = ['dist/conformance/cli.js', ...process.argv.slice(2), server.url]
const judge = spawn(process.execPath, command, { stdio: 'inherit' })
const [code] = await once(judge, 'exit')
await server.close()
process.exitCode = code ?? 1
