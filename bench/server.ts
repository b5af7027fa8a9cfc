/**
 * The other end, in a process of its own so that its CPU time is not counted. On `/sink` it answers each batch it
 * has received with one message, on `/source` it sends a batch for each message it receives.
 */

import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

const BATCH = Number(process.argv[2])
const message = process.argv[3] ?? ''

process.on('disconnect', () => process.exit())

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
server.on('listening', () => process.send?.((server.address() as AddressInfo).port))
server.on('connection', (socket, { url }) => {
  let received = 0
  socket.on('message', () => {
    received++
    if (url === '/sink' && received % BATCH === 0) socket.send(message)
    if (url === '/source') for (let i = 0; i < BATCH; i++) socket.send(message)
  })
})
