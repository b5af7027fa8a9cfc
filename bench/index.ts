/**
 * `npm run bench`: what a message costs. `npm run bench -- flush`: a million of them that waited, in Chromium.
 * `npm run bench -- detect`: for how long a dead connection goes unnoticed.
 */

const BENCHES = ['throughput', 'flush', 'detect']

const [name = 'throughput'] = process.argv.slice(2)
if (!BENCHES.includes(name)) throw new Error(`expected ${BENCHES.join(' or ')}, got ${name}`)
await import(new URL(`${name}.ts`, import.meta.url).href)
