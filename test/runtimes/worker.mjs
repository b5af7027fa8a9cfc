/** The program in a worker, dedicated or shared: it is told the URL of the rig, and tells the results back. */

import { run } from './program.mjs'

/** What nobody caught. */
const complaints = []
self.addEventListener('error', ({ message }) => complaints.push(message))
self.addEventListener('unhandledrejection', ({ reason }) => complaints.push(`${reason}`))

async function serve(port) {
  port.onmessage = async ({ data: url }) => {
    const results = []
    await run(url, {}, result => results.push(result))
    port.postMessage({ results, complaints })
  }
}

if ('onconnect' in self) self.onconnect = ({ ports: [port] }) => serve(port)
else serve(self)
