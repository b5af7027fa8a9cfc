/**
 * Judges our own server with the command as it was built, `npm run conformance -- --only ack/`; or our own client,
 * `npm run conformance -- client --only ack/`.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { startConformanceServer } from '../demo/servers/node'

const judge = async (...args: string[]): Promise<number> => {
  const child = spawn(process.execPath, ['dist/conformance/cli.js', ...args], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  return code ?? 1
}

const args = process.argv.slice(2)
if (args[0] === 'client') {
  const client = [process.execPath, '--import', 'tsx', 'demo/clients/node.ts']
  process.exitCode = await judge(...args, '--', ...client)
} else {
  const server = await startConformanceServer(0)
  process.exitCode = await judge(...args, server.url)
  await server.close()
}
