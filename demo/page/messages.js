// @ts-check
/** The list of messages: bounded, newest first, and written once per frame however many there are. */

import { byId, html, write } from './dom.js'
import { bytes, clock, count, milliseconds } from './words.js'

/**
 * @typedef {object} Line
 * @property {'sent' | 'queued' | 'echo' | 'received' | 'undelivered' | 'error' | 'note'} kind
 * @property {string} text
 * @property {string} [codec]
 * @property {number} [size]
 * @property {number | undefined} [latencyMs]
 */

const LINES = 200
const SHOWN_CHARACTERS = 300
/** In a flood, most lines would be gone before anyone has read them. */
const PAUSE_MS = 150

/** @type {Record<Line['kind'], string>} */
const ARROWS = { sent: '↑', queued: '↥', echo: '↓', received: '↓', undelivered: '×', error: '!', note: '·' }

export function createMessages() {
  const list = byId('messages', HTMLOListElement)
  const scroller = byId('messages-scroller', HTMLElement)
  const counter = byId('messages-count', HTMLElement)
  /** @type {(Line & { at: number })[]} */
  let fresh = []
  let total = 0
  let isDue = false
  let flushedAt = 0

  const flush = () => {
    isDue = false
    flushedAt = performance.now()
    list.prepend(...fresh.map(render).reverse())
    fresh = []
    while (list.children.length > LINES) list.lastElementChild?.remove()
    write(counter, total > LINES ? `the last ${LINES} of ${count(total)}` : total ? count(total) : '')
    scroller.dataset.empty = `${list.children.length === 0}`
  }

  byId('clear', HTMLButtonElement).addEventListener('click', () => {
    list.replaceChildren()
    total = 0
    flush()
  })
  flush()

  /** @param {Line} line */
  return line => {
    total++
    fresh.push({ ...line, at: Date.now() })
    // A hidden page has no frames, but goes on receiving
    if (fresh.length >= 2 * LINES) fresh = fresh.slice(-LINES)
    if (isDue) return
    isDue = true
    const pause = flushedAt + PAUSE_MS - performance.now()
    if (pause > 0) setTimeout(requestAnimationFrame, pause, flush)
    else requestAnimationFrame(flush)
  }
}

/** @param {Line & { at: number }} line */
function render({ kind, text, codec, size, latencyMs, at }) {
  const rest = text.length - SHOWN_CHARACTERS
  const shown = rest > 0 ? `${text.slice(0, SHOWN_CHARACTERS)}… (${rest} characters more)` : text
  const arrow = html('i', { 'aria-hidden': 'true' }, ARROWS[kind])
  return html(
    'li',
    { 'data-kind': kind },
    html('time', { datetime: new Date(at).toISOString() }, clock(at)),
    html('b', {}, arrow, ` ${kind}`),
    html('span', { class: 'text' }, shown),
    html('small', { class: 'codec' }, codec ?? ''),
    html('small', { class: 'size' }, size === undefined ? '' : bytes(size)),
    html('small', { class: 'latency' }, latencyMs === undefined ? '' : milliseconds(latencyMs)),
  )
}
