/** What is kept, and not what merely has not been swept: in any process, whatever its flags. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Bytes of the heap that are in use after a collection. */
export const usedHeap = (): number => {
  gc()
  return process.memoryUsage().heapUsed
}
