/** A process that attacks: it is told what, whom and how hard, and tells what came of it. */

import { attacks, type Target } from './attacks'

process.on('message', async (told: { name: string; target: Target; scale: number }) => {
  const toll = await attacks[told.name]?.(told.target, told.scale)
  process.send?.({ toll })
})
process.on('disconnect', () => process.exit())
