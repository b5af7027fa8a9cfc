// @ts-check
/** The card of the session: what the page has counted beside what the server has, and whether they agree. */

import { bundledUrl, isBundled, readWishes } from './controls.js'
import { createCounting } from './counting.js'
import { byId, html, put, write } from './dom.js'
import { count, describe, MEANINGS } from './words.js'

/** @typedef {import('./counting.js').Counting} Counting */
/** @typedef {import('./counting.js').View} View */
/** @typedef {'none' | 'good' | 'busy' | 'bad'} Tone */

/** @type {[key: keyof View, name: string][]} */
const ROWS = [
  ['sent', 'Sent'],
  ['received', 'Received'],
  ['lost', 'Lost'],
  ['doubled', 'Doubled'],
  ['disordered', 'Out of order'],
  ['resumed', 'Resumed'],
  ['underway', 'Unacknowledged'],
]

export function createSession() {
  put('session-url', bundledUrl)
  const rows = ROWS.map(([key, name]) => ({ key, ...row(key, name) }))
  /** @type {Counting | undefined} */
  let present

  byId('session-start', HTMLButtonElement).addEventListener('click', async () => {
    try {
      const { heartbeat, backoff } = (await readWishes()).options
      present?.abandon()
      // What a session asks for life is its own affair
      const beat = heartbeat && { intervalMs: heartbeat.intervalMs, timeoutMs: heartbeat.timeoutMs }
      present = createCounting({ heartbeat: beat, backoff })
      tick()
    } catch (error) {
      tell('bad', `Not started: ${describe(error)}.`)
    }
  })
  byId('session-stop', HTMLButtonElement).addEventListener('click', () => {
    if (present?.stage === 'finishing') present.abandon()
    else present?.stop()
    tick()
  })

  const tick = () => {
    if (!present) return
    const { stage, state } = present
    const ours = present.ours()
    const theirs = present.theirs()
    for (const { key, page, server } of rows) {
      show(page, key, ours)
      show(server, key, theirs)
    }
    put('session-state', stage === 'finished' ? 'stopped' : `${state}: ${MEANINGS[state]}`)
    tell(...judge(present, ours, theirs))
  }

  return {
    /** @param {string} url of the present connection */
    follow(url) {
      const isOurs = isBundled(url)
      if (!isOurs) present?.abandon()
      byId('session', HTMLElement).hidden = !isOurs
      byId('session-away', HTMLElement).hidden = isOurs
    },
    tick,
  }
}

/**
 * @param {Counting} counting
 * @param {View} ours
 * @param {View | undefined} theirs
 * @returns {[tone: Tone, words: string]}
 */
function judge({ stage, broken, state }, ours, theirs) {
  if (broken) return ['bad', `Ended: ${broken}. Start begins another.`]
  if (!theirs) return ['busy', 'Waiting for the first message.']
  if (!isSound(ours) || !isSound(theirs)) return ['bad', 'Something is lost, doubled or out of order.']
  // Its last message told what it had sent by then, and that is what must have come
  if (ours.received !== theirs.sent || theirs.received > ours.sent) return ['bad', 'The two disagree.']
  if (stage === 'finished') {
    if (theirs.received !== ours.sent) return ['bad', 'The two disagree.']
    return [
      'good',
      `Stopped, and the two agree to the last: ${count(ours.sent)} up, ${count(theirs.sent)} down.`,
    ]
  }
  if (stage === 'finishing') return ['busy', 'Waiting for the last to arrive. Stop again gives up.']
  if (state !== 'open') return ['busy', 'Cut off: both go on counting, and what they send waits.']
  return ['good', 'The two agree: nothing lost, doubled or out of order.']
}

/** @param {View} view */
const isSound = ({ lost, doubled, disordered }) => lost + doubled + disordered === 0

/**
 * @param {Tone} tone
 * @param {string} words
 */
function tell(tone, words) {
  byId('session-verdict', HTMLElement).dataset.verdict = tone
  put('session-verdict', words)
}

/**
 * @param {HTMLElement} cell
 * @param {keyof View} key
 * @param {View | undefined} view
 */
function show(cell, key, view) {
  write(cell, view ? count(view[key]) : '–')
  cell.toggleAttribute('data-bad', !!view && view[key] > 0 && ['lost', 'doubled', 'disordered'].includes(key))
}

/**
 * @param {string} key
 * @param {string} name
 */
function row(key, name) {
  const page = html('td', { 'data-side': 'page' }, '–')
  const server = html('td', { 'data-side': 'server' }, '–')
  const line = html('tr', { 'data-count': key }, html('th', { scope: 'row' }, name), page, server)
  byId('session-counts', HTMLTableSectionElement).append(line)
  return { page, server }
}
