/** Prints the frames of the session protocol as a JSON Schema; with --write, puts it beside their document. */

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { frames } from '../src/spec'

export const SCHEMA = fileURLToPath(new URL('../docs/protocol/schema.json', import.meta.url))

/** Of what `JSON.parse` makes of a text frame. What a schema cannot say is in the document. */
export const schema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'reconnecting-socket.v1',
  description:
    'A text frame of the session protocol, parsed. How it has to be spelled, and binary frames: PROTOCOL.md.',
  anyOf: Object.keys(frames).map(name => ({ $ref: `#/$defs/${name}` })),
  $defs: Object.fromEntries(
    Object.entries(frames).map(([name, frame]) => {
      const { $schema: _, ...definition } = z.toJSONSchema(frame, { io: 'input' })
      return [name, definition]
    }),
  ),
})

export const printed = (): string => `${JSON.stringify(schema(), null, 2)}\n`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) writeFileSync(SCHEMA, printed())
  else process.stdout.write(printed())
}
