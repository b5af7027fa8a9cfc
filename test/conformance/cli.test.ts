/** The command, as it was built. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { startConformanceServer } from '../../demo/servers/node'
import { bundle, createFolder } from './rig'

const command = fileURLToPath(new URL('../../dist/conformance/cli.js', import.meta.url))

const judge = (...args: string[]): Promise<{ code: unknown; out: string; error: string }> =>
  new Promise(resolve =>
    execFile(process.execPath, [command, ...args], (failed, out, error) =>
      resolve({ code: failed?.code ?? 0, out, error }),
    ),
  )

test('it ends with 0 when all pass, and shows what was played if asked', async () => {
  const server = await startConformanceServer(0)
  const { code, out } = await judge('--only', 'hello/version', '--only', 'ping/', '--verbose', server.url)
  await server.close()
  expect(code).toBe(0)
  expect(out).toContain('4 passed, 0 failed, 0 skipped')
  expect(out).toMatch(/\d ms {2}a → \[4\]\n +\d+ ms {2}a ← \[5\]/)
  expect(out).toContain('a · closed 4426 version')
})

test('what cannot be judged is skipped, says why, and is a failure unless that is allowed', async () => {
  const server = await startConformanceServer(0, { ttlMs: 60_000, helloTimeoutMs: 60_000 })
  const only = ['--only', 'resume/expired', '--only', 'hello/timeout', '--only', 'ping/answered']
  const strict = await judge(...only, '--json', server.url)
  const lenient = await judge(...only, '--allow-skipped', server.url)
  await server.close()
  const { rules, ...counts } = JSON.parse(strict.out)
  expect([strict.code, counts]).toEqual([1, { passed: 1, failed: 0, skipped: 2 }])
  expect(rules).toMatchObject([
    { rule: 'hello/timeout', verdict: 'skip', why: expect.stringContaining('2 500 ms') },
    { rule: 'resume/expired', verdict: 'skip', why: expect.stringContaining('60000') },
    { rule: 'ping/answered', verdict: 'pass' },
  ])
  expect(lenient.code).toBe(0)
})

test('a server that is wrong is told so, with what was played', async () => {
  const server = await startConformanceServer(0, { maxMessageBytes: 1_000, win: 1 })
  const { code, out } = await judge('--only', 'msg/order', server.url)
  await server.close()
  expect(code).toBe(1)
  expect(out).toMatch(/FAIL {2}msg\/order .*\n {6}step \d of \d: .*\n.*a · opened\n.*a → \[0,/)
})

test('a client is a command, to which the address is added', async () => {
  const folder = await createFolder()
  const client = await bundle('demo/clients/node.ts', folder.path)
  const only = ['--only', 'ping/answered', '--only', 'close/gone']
  const good = await judge('client', ...only, '--', process.execPath, client)
  const none = await judge('client', ...only, '--', process.execPath, '-e', '0')
  await folder.remove()
  expect([good.code, good.out]).toEqual([0, expect.stringContaining('2 passed, 0 failed, 0 skipped')])
  expect([none.code, none.error]).toEqual([2, expect.stringContaining('it ended with 0')])
  expect(await judge('client')).toMatchObject({
    code: 2,
    error: expect.stringContaining('expected a command'),
  })
  const list = await judge('client', '--list')
  expect(list.out).toContain('welcome/other-nonce  ')
})

test('nobody to be judged, and nothing that makes sense, end with 2', async () => {
  const mute = new WebSocketServer({ port: 0 })
  const { port } = mute.address() as { port: number }
  const silent = await judge('--timeout', '100', `ws://localhost:${port}`)
  mute.close()
  expect(silent).toMatchObject({ code: 2, error: expect.stringContaining('nothing came within 100 ms') })
  const gone = await judge(`ws://localhost:${port}`)
  expect(gone).toMatchObject({ code: 2, error: expect.stringContaining('no WebSocket') })
  for (const args of [
    [],
    ['http://localhost'],
    ['--only', 'no/such', 'ws://x'],
    ['--timeout', 'x', 'ws://x'],
    ['--what'],
  ])
    expect(await judge(...args)).toMatchObject({ code: 2, error: expect.stringContaining('--only name') })
  expect(await judge('--list')).toMatchObject({ code: 0, out: expect.stringContaining('ack/in-time  ') })
})
