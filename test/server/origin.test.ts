/** From which pages one may connect: as browsers tell it, and before anything else is looked at. */

import { expect, test } from 'vitest'
import { SessionServer } from '../../src/server'
import { FakeServerSocket } from './fake-socket'
import { dial, fakeClock, serve, until } from './rig'

const HERE = 'https://example.com'
const EVIL = 'https://evil.example'

/** As Chromium asks for a WebSocket. */
const browser = (origin: string, cookie = 'sid=ada') => ({
  headers: {
    Origin: origin,
    Cookie: cookie,
    'User-Agent':
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
    'Cache-Control': 'no-cache',
  },
})

test("a stranger's page has the user's cookie, and gets nowhere", async () => {
  let asked = 0
  const { url, server } = await serve({
    origins: [HERE],
    authenticate({ request }) {
      asked++
      return request.headers.cookie?.split('=')[1]
    },
  })
  const evil = await dial(url, browser(EVIL))
  expect(await evil.closed).toEqual({ code: 4403, reason: 'origin' })
  expect([asked, server.stats().begun, server.stats().refused]).toEqual([0, 0, 1])
  const good = await dial(url, browser(HERE))
  await good.welcome()
  expect([...server.sessions].map(({ principal }) => principal)).toEqual(['ada'])
})

test.each([
  ['another scheme', 'http://example.com'],
  ['another port', 'https://example.com:8443'],
  ['a subdomain', 'https://evil.example.com'],
  ['a longer name', 'https://example.com.evil.example'],
  ['the name in a longer one', 'https://notexample.com'],
  ['none, as of a file or a sandbox', 'null'],
  ['nothing', ''],
  ['two', `${HERE}, ${EVIL}`],
  ['another case', 'https://Example.com'],
])('an origin is exact: %s is another', async (_, origin) => {
  const { url } = await serve({ origins: [HERE] })
  const client = await dial(url, browser(origin))
  expect(await client.closed).toMatchObject({ code: 4403, reason: 'origin' })
})

test('who says no origin is no browser, and is let in by a list', async () => {
  const { url } = await serve({ origins: [HERE] })
  await (await dial(url)).welcome()
})

test('a function decides by origin and request; it is asked for those without an origin, too', async () => {
  const seen: unknown[] = []
  const { url } = await serve({
    origins(origin, { url }) {
      seen.push([origin, url])
      return origin !== undefined && /^https:\/\/\w+\.example\.com$/.test(origin)
    },
  })
  await (await dial(`${url}/a`, browser('https://one.example.com'))).welcome()
  for (const options of [browser(EVIL), {}]) {
    const refused = await dial(`${url}/b`, options)
    expect(await refused.closed).toMatchObject({ code: 4403 })
  }
  expect(seen).toEqual([
    ['https://one.example.com', '/a'],
    [EVIL, '/b'],
    [undefined, '/b'],
  ])
})

test.each([
  [
    'throws',
    () => {
      throw new Error('oops')
    },
    1,
  ],
  ['answers a promise, which would be as good as yes', async () => false, 0],
  ['answers something', () => 'yes', 0],
])('a function that %s lets nobody in', async (_, origins, errors) => {
  const served = await serve({ origins: origins as never })
  const client = await dial(served.url, browser(HERE))
  expect(await client.closed).toMatchObject({ code: 4403, reason: 'origin' })
  expect(served.errors).toHaveLength(errors)
})

/** Without a network: requests of other kinds than Node's. */
const offered = async (request: unknown, origins: readonly string[] = [HERE]) => {
  const server = new SessionServer({ authenticate: () => 'ada', origins, clock: fakeClock() })
  const errors: unknown[] = []
  server.on('error', error => errors.push(error))
  const socket = new FakeServerSocket()
  server.accept(socket, request)
  const { code } = socket
  socket.end()
  await until(() => !server.stats().connections)
  return { code, errors }
}

test('requests are read as Node has them, and as fetch has them', async () => {
  const of = (origin: string) => new Request('https://example.com/ws', { headers: { 'X-Origin': origin } })
  // `Origin` itself is forbidden to whoever makes a Request, not to who gets one
  const got = (origin: string) => {
    const headers = new Headers()
    headers.set('Origin', origin)
    return { ...of(origin), headers }
  }
  expect(await offered({ headers: { origin: HERE } })).toMatchObject({ code: undefined })
  expect(await offered({ headers: { origin: EVIL } })).toMatchObject({ code: 4403 })
  expect(await offered(got(HERE))).toMatchObject({ code: undefined })
  expect(await offered(got(EVIL))).toMatchObject({ code: 4403 })
  expect(await offered({ headers: new Headers() })).toMatchObject({ code: undefined })
})

test.each([undefined, null, 'request', {}, { headers: 7 }])(
  'with a list, a request that cannot be read is refused, and somebody is told: %j',
  async request => {
    const { code, errors } = await offered(request)
    expect(code).toBe(4403)
    expect(errors).toMatchObject([{ code: 'invalid-option' }])
  },
)

test('pages without an origin, extensions and other schemes can be allowed by name', async () => {
  const origins = ['null', 'chrome-extension://abcdef', 'capacitor://localhost']
  for (const origin of origins)
    expect(await offered({ headers: { origin } }, origins)).toMatchObject({ code: undefined })
})

test.each([
  'https://example.com/',
  'https://example.com/app',
  'https://Example.com',
  'https://example.com:443',
  'example.com',
  '*',
  '',
  7,
])('an origin in the list that no browser would say is refused at once: %j', origin => {
  const make = () => new SessionServer({ authenticate: () => 'ada', origins: [HERE, origin as string] })
  expect(make).toThrow(
    expect.objectContaining({
      code: 'invalid-option',
      message: expect.stringMatching(/^options\.origins: /),
    }),
  )
})
