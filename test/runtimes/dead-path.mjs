/** A process that has nothing more to do, while the path of the connection that it closed is dead. Arguments: as the program's. */

import process from 'node:process'
import { ReconnectingSocket } from '../../dist/index.js'
import { rigAt } from './program.mjs'

const [url = '', which] = process.argv.slice(2)
const { WebSocket } = which === 'ws' ? await import('ws') : {}

const rig = rigAt(url)
const network = await rig('network', await rig('serve', 'echo'))
const socket = new ReconnectingSocket(network, { closeTimeoutMs: 200, ...(WebSocket && { WebSocket }) })
await socket.opened()
await rig('fault', network, 'stall')
await socket.close()
console.log('"closed"')
