/** `npm run bench`: what a message costs. `npm run bench -- flush`: a million of them that waited, in Chromium. */

const BENCHES = ['throughput', 'flush']

const [name = 'throughput'] = process.argv.slice(2)
if (!BENCHES.includes(name)) throw new Error(`expected ${BENCHES.join(' or ')}, got ${name}`)
await import(new URL(`${name}.ts`, import.meta.url).href)
