/** The script tag's build: the global is the class itself, and the rest hangs on it. */

import * as entry from './index'

declare const module: { exports: unknown } | undefined
declare const define: (((factory: () => unknown) => void) & { amd?: unknown }) | undefined

const { ReconnectingSocket, ...statics } = entry
Object.assign(ReconnectingSocket, statics)
Object.defineProperty(ReconnectingSocket, 'name', { value: 'ReconnectingSocket' })

if (typeof module === 'object' && module.exports) module.exports = ReconnectingSocket
else if (typeof define === 'function' && define.amd) define(() => ReconnectingSocket)
else Object.assign(globalThis, { ReconnectingSocket })
