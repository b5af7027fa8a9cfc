/** All that a simulation needs of the source, in one piece, so that a planted bug reaches every part of it. */

export { createClient } from '../../src/core/client'
export { createOutbox, Entry } from '../../src/core/outbox'
export { createRegistry } from '../../src/core/registry'
export { createStore } from '../../src/core/store'
export { parseFrame, writeFrame } from '../../src/wire/frames'
