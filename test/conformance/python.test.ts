/** The server in Python, written from the document alone: its own tests, and the judge's. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import document from '../../docs/protocol/exchanges.json'
import { judgeServer } from '../../src/conformance/server'
import { serverExchanges } from '../../src/conformance/steps'
import { root } from '../package/built'

const PATIENCE_MS = 120_000
const FOLDER = 'demo/servers/python'
const SETTINGS = ['--port', '0', '--ttl', '2000', '--hello-timeout', '1000', '--max', '65536', '--win', '128']

const { exchanges } = serverExchanges.parse(document)
let server: ChildProcess | undefined

afterAll(() => server?.kill('SIGKILL'))

test(
  'it keeps to each rule of the judge, none is skipped, and it drains when it is told to go',
  async () => {
    server = spawn('python3', [FOLDER, ...SETTINGS], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(server, 'exit')
    const lines = createInterface({ input: server.stdout as NonNullable<typeof server.stdout> })
    const [url] = (await Promise.race([once(lines, 'line'), exit])) as [string]
    const outcomes = await judgeServer(url, exchanges, { timeoutMs: 5_000, parallel: 8 })
    expect(outcomes.flatMap(({ rule, verdict, why }) => (verdict === 'pass' ? [] : [{ rule, why }]))).toEqual(
      [],
    )
    expect(outcomes).toHaveLength(exchanges.length)
    server.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
  },
  PATIENCE_MS,
)

test(
  'it passes its own tests',
  async () => {
    const { stderr } = await promisify(execFile)('python3', ['-m', 'unittest', 'discover', '-s', FOLDER], {
      cwd: root,
    })
    expect(stderr).toMatch(/Ran \d\d+ tests[\s\S]*OK\s*$/)
  },
  PATIENCE_MS,
)
