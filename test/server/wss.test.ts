/** By wss, through the HTTPS server that it is attached to. */

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { ReconnectingSocket, resumable } from '../../src/index'
import { type Session, SessionServer } from '../../src/server'
import { collect, next } from '../support/events'
import { cleanup, until } from './rig'

const selfSigned = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wss-'))
  cleanup(() => rm(folder, { recursive: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
  ])
  return { key: await readFile(key), cert: await readFile(cert) }
}

test('a client that trusts the certificate has its session by wss; one that does not has none', async () => {
  const { key, cert } = await selfSigned()
  const server = new SessionServer<unknown, unknown, import('node:http').IncomingMessage>({
    authenticate: ({ auth, request }) => (request.socket instanceof TLSSocket ? String(auth) : undefined),
    origins: ['https://localhost'],
  })
  const sessions: Session[] = []
  server.on('session', session => {
    sessions.push(session)
    session.on('message', message => session.send({ heard: message }))
  })
  const https = createServer({ key, cert })
  const webSockets = new WebSocketServer({ server: https, maxPayload: server.maxPayload })
  webSockets.on('connection', (webSocket, request) => server.accept(webSocket, request))
  https.listen(0, 'localhost')
  await once(https, 'listening')
  const { port } = https.address() as AddressInfo
  cleanup(async () => {
    await server.close({ timeoutMs: 0 })
    webSockets.close()
    https.closeAllConnections()
    await new Promise(resolve => https.close(resolve))
  })

  class Trusting extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols, { ca: cert, origin: 'https://localhost' })
    }
  }
  const connect = (Constructor: typeof WebSocket) => {
    const socket = new ReconnectingSocket(`wss://localhost:${port}`, {
      WebSocket: Constructor,
      session: resumable({ auth: 'ada' }),
      backoff: { baseMs: 1, maxMs: 10 },
    })
    cleanup(() => socket.close())
    return socket
  }
  const trusting = connect(Trusting as typeof WebSocket)
  const messages = collect(trusting, 'message')
  expect(await trusting.deliver({ n: 1 })).toBe('acknowledged')
  const again = next(trusting, 'open')
  for (const client of webSockets.clients) client.terminate()
  expect(await again).toMatchObject({ resumed: true })
  expect(await trusting.deliver({ n: 2 })).toBe('acknowledged')
  await until(() => messages.length === 2)
  expect(messages).toEqual([{ heard: { n: 1 } }, { heard: { n: 2 } }])
  expect(sessions.map(({ principal }) => principal)).toEqual(['ada'])

  const distrusting = connect(WebSocket)
  await next(distrusting, 'close')
  expect(server.stats()).toMatchObject({ begun: 1, connected: 1, refused: 0 })
})
