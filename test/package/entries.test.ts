import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { NAMES, run } from './built'

test('the package can be imported by its name', async () => {
  const program = "console.log(JSON.stringify(Object.keys(await import('reconnecting-socket')).sort()))"
  expect(await run('module', program)).toEqual(NAMES)
})

test('the package can be required by its name', async () => {
  const program = "console.log(JSON.stringify(Object.keys(require('reconnecting-socket')).sort()))"
  expect(await run('commonjs', program)).toEqual(NAMES)
})

test('a bundler that only knows "main" and "module" finds the same files', () => {
  const manifest = createRequire(import.meta.url)('reconnecting-socket/package.json')
  expect(manifest.main).toBe(manifest.exports['.'].require.default)
  expect(manifest.module).toBe(manifest.exports['.'].import.default)
  expect(manifest.types).toBe(manifest.exports['.'].import.types)
})

test('a socket of the imported class and one of the required class can be made without a network', async () => {
  const use = `
    const socket = new ReconnectingSocket('ws://localhost', { autoConnect: false })
    socket.close().then(() => console.log(JSON.stringify([socket.constructor.name, socket.state.name])))`
  const imported = await run('module', `import { ReconnectingSocket } from 'reconnecting-socket'; ${use}`)
  const required = await run(
    'commonjs',
    `const { ReconnectingSocket } = require('reconnecting-socket'); ${use}`,
  )
  expect(imported).toEqual(['ReconnectingSocket', 'closed'])
  expect(required).toEqual(imported)
})

test.each([
  ['server', ['FORBIDDEN', 'SessionServer', 'SocketError', 'adapt']],
  ['spec', ['binaryFrame', 'frame', 'frames', 'hello', 'textFrame', 'welcome']],
])('the annex %s can be imported and required by its name', async (annex, names) => {
  const name = `reconnecting-socket/${annex}`
  const print = (module: string) => `console.log(JSON.stringify(Object.keys(${module}).sort()))`
  expect(await run('module', print(`await import('${name}')`))).toEqual(names)
  expect(await run('commonjs', print(`require('${name}')`))).toEqual(names)
})

test('a server of sessions can be made without a network, and leaves nothing that keeps a process alive', async () => {
  const use = `
    const server = new SessionServer({ authenticate: () => 'somebody' })
    server.close().then(() => console.log(JSON.stringify(server.stats().sessions)))`
  expect(await run('module', `import { SessionServer } from 'reconnecting-socket/server'; ${use}`)).toBe(0)
  expect(
    await run('commonjs', `const { SessionServer } = require('reconnecting-socket/server'); ${use}`),
  ).toBe(0)
})
