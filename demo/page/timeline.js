// @ts-check
/** The states of the last two minutes, as a strip: each state has its colour and its height. */

import { byId, html, mark, svg } from './dom.js'
import { duration, STATES } from './words.js'

/** @typedef {import('./words.js').StateName} StateName */

const SPAN_MS = 120_000
const HEIGHT = 40
const LONGEST = 400

/** So that it can be read without its colours: the nearer to open, the higher. @type {Record<StateName, number>} */
const LEVELS = {
  idle: 4,
  closed: 4,
  suspended: 10,
  waiting: 16,
  closing: 16,
  connecting: 24,
  handshaking: 32,
  open: 40,
}

export function createTimeline() {
  /** @type {{ name: StateName, since: number }[]} */
  let steps = [{ name: 'idle', since: Date.now() }]
  const strip = svg('g')
  const picture = svg(
    'svg',
    { class: 'strip', viewBox: `0 0 ${SPAN_MS} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
    strip,
  )
  const legend = html(
    'ul',
    { class: 'legend' },
    ...STATES.map(name => html('li', { 'data-state': name }, mark(name), name)),
  )
  const scale = html('div', { class: 'scale', 'aria-hidden': 'true' })
  scale.append(...['−2 min', '−90 s', '−60 s', '−30 s', 'now'].map(text => html('span', {}, text)))
  byId('timeline', HTMLElement).append(picture, scale, legend)

  return {
    /** @param {StateName} name */
    step(name) {
      if (steps.at(-1)?.name === name) return
      steps.push({ name, since: Date.now() })
      if (steps.length > LONGEST) steps = steps.slice(-LONGEST)
    },

    tick() {
      const now = Date.now()
      const start = now - SPAN_MS
      steps = steps.filter((_, index) => (steps[index + 1]?.since ?? now) >= start)
      /** @type {Partial<Record<StateName, number>>} */
      const shares = {}
      const blocks = steps.map(({ name, since }, index) => {
        const from = Math.max(since, start)
        const upTo = steps[index + 1]?.since ?? now
        shares[name] = (shares[name] ?? 0) + upTo - from
        const height = LEVELS[name]
        const shape = { x: from - start, y: HEIGHT - height, width: Math.max(upTo - from, 300), height }
        return svg('rect', { ...shape, 'data-state': name })
      })
      strip.replaceChildren(...blocks)
      const told = Object.entries(shares).map(([name, ms]) => `${name} ${duration(ms)}`)
      picture.setAttribute('aria-label', `The last two minutes: ${told.join(', ')}`)
    },
  }
}
