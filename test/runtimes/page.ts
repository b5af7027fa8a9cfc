/** docs/runtimes.md, as it has to be by what was seen. */

import { processes } from './runtimes'

export interface Row {
  readonly name: string
  readonly version: string
  readonly webSocket: string
  readonly isPinned: boolean
  readonly passed: number
}

const holding = processes.filter(({ forgets }) => !forgets).map(({ name }) => name)
const list = new Intl.ListFormat('en')

export const page = (rows: readonly Row[], behaviours: readonly string[]): string => `# Runtimes

<!-- Written by \`npm run docs:runtimes\` -->

One program, \`test/runtimes/program.mjs\`, imports the built package and runs in each of these, by \`npm run test:runtimes\`. The runtimes that are not on a machine are fetched from npm into the temporary folder, in these versions.

| Runtime | Version | WebSocket | Passed |
|---|---|---|---|
${rows.map(({ name, version, webSocket, passed }) => `| ${name} | ${version} | ${webSocket} | ${passed} of ${behaviours.length} |`).join('\n')}

## What is run

${behaviours.map(name => `- ${name}`).join('\n')}
- nothing is left: no error or rejection that nobody caught; a process ends by itself
- in processes: every entry can be imported where there is no WebSocket and no window, touches nothing, and a socket made with \`autoConnect: false\` is \`idle\`; connecting is an \`error\` with the code \`provider\`, which says that the option \`WebSocket\` is missing

What runtimes disagree on is made one. A failed attempt is 1006 where Deno says 0, and where Node's own WebSocket tells nothing but \`error\`. A server that selects none of the subprotocols has failed the attempt, also in Firefox and Deno, which would open.

## What is not the same everywhere

- **A process that shall end while the path is dead.** \`close()\` is bounded everywhere, and nothing is heard after it. But the WebSockets of ${list.format(holding)} go on waiting for a peer that is gone, and keep the process alive until the operating system gives up: after minutes, or never where something in between still answers for the peer. They have nothing like \`terminate()\`. With \`ws\` and in Bun the process ends. So in Node hand over the \`WebSocket\` of \`ws\`, or call \`process.exit()\`.
- **Relative URLs** need a page. What is also made where there is none, such as on a server that renders pages, takes a function: \`new ReconnectingSocket(() => '/feed', { autoConnect: false })\`.
- **Workers** hear \`online\` and \`offline\`, and nothing of the page.
`
