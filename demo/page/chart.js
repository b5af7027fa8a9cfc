// @ts-check
/** A small plot of one or two series over the last two minutes. A series is told from another by its dashes too. */

import { html, svg, write } from './dom.js'

const SPAN_MS = 120_000
const WIDTH = 240
const HEIGHT = 72
/** Samples further apart than this are not joined: nothing was measured between them. */
const GAP_MS = 10_000

/**
 * @param {HTMLElement} place
 * @param {{ names: string[], format: (value: number) => string, least: number }} settings `least`: the lowest top of the scale
 */
export function createChart(place, { names, format, least }) {
  /** @type {{ at: number, value: number }[][]} */
  const series = names.map(() => [])
  const lines = names.map((_, index) => svg('path', { class: `line line-${index}` }))
  const grid = svg('path', {
    class: 'grid',
    d: `M0 ${HEIGHT / 2}H${WIDTH}M0 .5H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}`,
  })
  const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', class: 'plot' }
  const picture = svg('svg', box, grid, ...lines)
  const top = html('span', { class: 'top', 'aria-hidden': 'true' })
  const values = names.map(() => html('b', {}, '–'))
  const legend = html('dl', { class: 'series' })
  legend.append(
    ...names.map((name, index) => {
      const sample = svg('svg', { class: 'sample', viewBox: '0 0 20 4', 'aria-hidden': 'true' })
      sample.append(svg('path', { class: `line line-${index}`, d: 'M0 2H20' }))
      return html('div', {}, html('dt', {}, sample, name), html('dd', {}, values[index] ?? ''))
    }),
  )
  place.append(legend, html('div', { class: 'frame' }, picture, top))

  return {
    /**
     * @param {number} index
     * @param {number} value
     */
    add(index, value) {
      const now = Date.now()
      const samples = series[index] ?? []
      samples.push({ at: now, value })
      while (samples[0] && samples[0].at < now - SPAN_MS - GAP_MS) samples.shift()
    },

    tick() {
      const now = Date.now()
      const start = now - SPAN_MS
      const seen = series.flat().filter(({ at }) => at >= start)
      const ceiling = nice(Math.max(least, ...seen.map(({ value }) => value)))
      write(top, format(ceiling))
      series.forEach((samples, index) => {
        let previous = 0
        const path = samples.map(({ at, value }) => {
          const x = ((at - start) / SPAN_MS) * WIDTH
          const y = HEIGHT - 1.5 - (value / ceiling) * (HEIGHT - 3)
          const joined = at - previous < GAP_MS
          previous = at
          // A point alone is drawn by its round cap
          return `${joined ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}${joined ? '' : 'h.01'}`
        })
        lines[index]?.setAttribute('d', path.join(''))
        const last = samples.at(-1)
        const value = values[index]
        if (value) write(value, last ? format(last.value) : '–')
      })
      const told = names.map((name, index) => `${name} ${values[index]?.textContent}`)
      picture.setAttribute(
        'aria-label',
        `The last two minutes, up to ${format(ceiling)}. Now: ${told.join(', ')}`,
      )
    },
  }
}

/**
 * The next of 1, 2, 5, 10, 20, 50 …
 * @param {number} value
 */
function nice(value) {
  const magnitude = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5, 10].find(factor => factor * magnitude >= value) ?? 10
  return step * magnitude
}
