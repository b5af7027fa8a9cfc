// @ts-check
/** How full the queue is, against the mark from which `send` answers `false`, and the limit. */

import { byId, html, put, write } from './dom.js'
import { bytes, count } from './words.js'

/** @typedef {{ maxMessages: number, maxBytes: number, highWaterMarkBytes: number }} Limits */

export function createQueue() {
  const place = byId('queue', HTMLElement)
  const inMessages = meter(place, 'Messages', count)
  const inBytes = meter(place, 'Bytes', bytes)

  /**
   * @param {{ queuedMessages: number, queuedBytes: number }} level
   * @param {Limits} limits
   */
  return ({ queuedMessages, queuedBytes }, { maxMessages, maxBytes, highWaterMarkBytes }) => {
    const marks = { messages: maxMessages / 2, bytes: Math.min(highWaterMarkBytes, maxBytes / 2) }
    inMessages(queuedMessages, marks.messages, maxMessages)
    inBytes(queuedBytes, marks.bytes, maxBytes)
    const isFull = queuedMessages >= maxMessages || queuedBytes >= maxBytes
    const isHigh = queuedMessages >= marks.messages || queuedBytes >= marks.bytes
    put('queue-advice', isFull ? 'full' : isHigh ? 'send answers false: please wait' : 'there is room')
  }
}

/**
 * @param {HTMLElement} place
 * @param {string} name
 * @param {(amount: number) => string} format
 */
function meter(place, name, format) {
  const value = html('b')
  const fill = html('i', { class: 'fill' })
  const notch = html('i', { class: 'notch' })
  const track = html(
    'div',
    { class: 'track', role: 'meter', 'aria-label': `Queue, ${name.toLowerCase()}` },
    fill,
    notch,
  )
  const mark = html('span', { class: 'mark-text' })
  const limit = html('span')
  const ends = html('p', { class: 'ends', 'aria-hidden': 'true' }, mark, limit)
  place.append(html('div', { class: 'meter' }, html('p', {}, `${name} `, value), track, ends))

  /**
   * @param {number} amount
   * @param {number} high
   * @param {number} most
   */
  return (amount, high, most) => {
    write(value, format(amount))
    write(mark, `mark ${format(high)}`)
    write(limit, `limit ${format(most)}`)
    fill.style.inlineSize = `${Math.min(100, (100 * amount) / most)}%`
    notch.style.insetInlineStart = `${(100 * high) / most}%`
    track.dataset.level = amount >= most ? 'full' : amount >= high ? 'high' : 'low'
    track.ariaValueMin = '0'
    track.ariaValueMax = `${most}`
    track.ariaValueNow = `${Math.min(amount, most)}`
    track.ariaValueText = `${format(amount)}, mark ${format(high)}, limit ${format(most)}`
  }
}
