/** The program in a process, of Node, Bun or Deno. Arguments: the URL of the rig, and `ws` for that package's WebSocket. */

import process from 'node:process'
import { run } from './program.mjs'

const [url = '', which, only] = process.argv.slice(2)
const { WebSocket } = which === 'ws' ? await import('ws') : {}

// What nobody catches ends the process with an error, and so does a process that does not end by itself
await run(url, { WebSocket, only }, result => console.log(JSON.stringify(result)))
