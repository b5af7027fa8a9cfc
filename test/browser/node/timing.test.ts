/** What Chrome's Performance panel is given to draw: it reads the same trace. */

import { describe, expect, test } from 'vitest'
import { wanted } from '../launch'
import { press, reached, stage } from './stage'

interface TraceEvent {
  readonly cat: string
  readonly name: string
  readonly ph: string
  readonly args: { readonly detail?: string }
}

describe.each(wanted.filter(({ browser }) => browser === 'chromium'))('$browser', browser => {
  const { visit } = stage(browser)

  test('each state is a span on the track of its socket', async () => {
    const { page } = await visit()
    await reached(page, 'open')
    const tracer = page.context().browser()
    await tracer?.startTracing(page, { categories: ['blink.user_timing'] })
    await press(page, 'Close')
    await reached(page, 'closed')
    const trace = JSON.parse(String(await tracer?.stopTracing())) as { traceEvents: TraceEvent[] }
    const spans = trace.traceEvents
      .filter(({ cat, ph }) => cat === 'blink.user_timing' && ph === 'b')
      .map(({ name, args }) => ({ name, ...JSON.parse(args.detail ?? '{}').devtools }))
    expect(spans).toContainEqual(
      expect.objectContaining({
        name: 'open',
        dataType: 'track-entry',
        trackGroup: 'reconnecting-socket',
        track: expect.stringMatching(/^WebSocket \w+$/),
        tooltipText: 'open until close',
      }),
    )
    expect(spans.map(({ name }) => name)).toEqual(['open', 'closing'])
  })
})
