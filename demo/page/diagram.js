// @ts-check
/** The state machine, with the present state lit and the last edge taken highlighted. */

import { NARROW, WIDE } from './diagram-layouts.js'
import { byId, svg } from './dom.js'
import { MEANINGS, STATES } from './words.js'

/** @typedef {import('./words.js').StateName} StateName */
/** @typedef {import('./diagram-layouts.js').Layout} Layout */

const MARK = 16

export function createDiagram() {
  const place = byId('diagram', HTMLElement)
  const isNarrow = matchMedia('(max-width: 36rem)')
  /** @type {StateName} */
  let present = 'idle'
  /** @type {StateName | undefined} */
  let previous
  let picture = draw(WIDE)

  const choose = () => {
    picture = draw(isNarrow.matches ? NARROW : WIDE)
    place.replaceChildren(picture)
    light()
  }

  const light = () => {
    picture.dataset.state = present
    for (const lit of picture.querySelectorAll('.lit')) lit.classList.remove('lit')
    picture.querySelector('.by-the-way')?.remove()
    picture.querySelector(`.node[data-state="${present}"]`)?.classList.add('lit')
    const came = previous ? `, came from ${previous}` : ''
    picture.setAttribute(
      'aria-label',
      `State machine of eight states. Now ${present}${came}: ${MEANINGS[present]}`,
    )
    if (!previous || previous === present) return
    const edge = picture.querySelector(`[data-edge="${previous} ${present}"]`)
    if (edge) return edge.classList.add('lit')
    picture.prepend(straight(isNarrow.matches ? NARROW : WIDE, previous, present))
  }

  isNarrow.addEventListener('change', choose)
  choose()

  return {
    /** Another socket, which came from nowhere. */
    reset() {
      previous = undefined
      present = 'idle'
      light()
    },
    /** @param {StateName} next */
    step(next) {
      if (next !== present) previous = present
      present = next
      light()
    },
  }
}

/** @param {Layout} layout */
function draw({ viewBox, width, height, nodes, edges }) {
  const arrows = ['quiet', 'lit'].map(name => {
    const box = {
      viewBox: '0 0 8 8',
      refX: 6,
      refY: 4,
      markerWidth: 7,
      markerHeight: 7,
      orient: 'auto-start-reverse',
    }
    const shape = { ...box, id: `arrow-${name}`, class: `arrow-${name}`, markerUnits: 'userSpaceOnUse' }
    return svg('marker', shape, svg('path', { d: 'M0 0 8 4 0 8z' }))
  })
  const lines = edges.map(({ from, to, d, label }) => {
    const group = svg('g', { class: 'edge', 'data-edge': `${from} ${to}` }, svg('path', { d }))
    if (!label) return group
    const [text, x, y, anchor = 'middle'] = label
    group.append(svg('text', { x, y, 'text-anchor': anchor }, text))
    return group
  })
  const boxes = STATES.map(name => {
    const [x, y] = nodes[name]
    const frame = { x: x - width / 2, y: y - height / 2, width, height, rx: height / 2 }
    const use = {
      href: `#mark-${name}`,
      x: x - width / 2 + 11,
      y: y - MARK / 2,
      width: MARK,
      height: MARK,
      class: 'mark',
    }
    const text = svg('text', { x: x - width / 2 + 32, y, 'dominant-baseline': 'central' }, name)
    return svg('g', { class: 'node', 'data-state': name }, svg('rect', frame), svg('use', use), text)
  })
  return svg(
    'svg',
    { viewBox, role: 'img', class: 'diagram' },
    svg('defs', {}, ...arrows),
    ...lines,
    ...boxes,
  )
}

/**
 * An edge that is taken too rarely to be always there.
 * @param {Layout} layout
 * @param {StateName} from
 * @param {StateName} to
 */
function straight({ nodes, width, height }, from, to) {
  const [x1, y1] = nodes[from]
  const [x2, y2] = nodes[to]
  const [dx, dy] = [x1 - x2, y1 - y2]
  // To the border of the target, or the arrowhead would be under it
  const share = Math.min(width / 2 / Math.abs(dx || 1), height / 2 / Math.abs(dy || 1), 1)
  const d = `M${x1} ${y1}L${x2 + dx * share} ${y2 + dy * share}`
  return svg('g', { class: 'edge lit by-the-way' }, svg('path', { d }))
}
