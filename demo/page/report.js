// @ts-check
/** What the socket knows of itself: statistics, the steps it took, and both as a bug report to paste. */

import { byId, html, mark, put, write } from './dom.js'
import { bytes, clock, count, duration, milliseconds } from './words.js'

/** @typedef {import('./library.js').Socket} Socket */
/** @typedef {import('../../src/index').Stats} Stats */
/** @typedef {import('../../src/index').Transition} Transition */

export function createReport() {
  const stats = byId('stats', HTMLElement)
  const list = byId('transitions', HTMLOListElement)
  /** @type {Map<string, HTMLElement>} */
  const values = new Map()
  /** @type {Transition | undefined} */
  let newest

  /** @param {Socket} socket */
  const showStats = socket => {
    for (const [name, value] of rows(socket.stats())) {
      const present = values.get(name)
      if (present) {
        write(present, value)
        continue
      }
      const place = html('dd', {}, value)
      values.set(name, place)
      stats.append(html('div', {}, html('dt', {}, name), place))
    }
  }

  /** @param {Socket} socket */
  const showTransitions = ({ transitions }) => {
    if (transitions.at(-1) === newest) return
    newest = transitions.at(-1)
    list.replaceChildren(...[...transitions].reverse().map(step))
  }

  return {
    /** @param {Socket} socket */
    tick(socket) {
      showStats(socket)
      showTransitions(socket)
    },

    /**
     * @param {Socket} socket
     * @param {string} url
     * @param {unknown} options
     */
    async copy(socket, url, options) {
      const report = {
        at: new Date().toISOString(),
        // What follows may be a token
        url: url.replace(/[?#].*/, '?…'),
        userAgent: navigator.userAgent,
        options,
        state: socket.state,
        stats: socket.stats(),
        transitions: socket.transitions,
      }
      const text = JSON.stringify(report, null, 2)
      const area = byId('report', HTMLTextAreaElement)
      area.value = text
      try {
        await navigator.clipboard.writeText(text)
        put('report-status', `Copied, ${bytes(text.length)}. It is below, too.`)
      } catch {
        byId('report-details', HTMLDetailsElement).open = true
        area.select()
        put('report-status', 'The browser refuses to copy it. It is selected below.')
      }
    },
  }
}

/**
 * @param {Stats} stats
 * @returns {[name: string, value: string][]}
 */
function rows(stats) {
  const { roundTrip, stateMs, undelivered } = stats
  const states = Object.entries(stateMs).filter(([, ms]) => ms >= 50)
  return [
    ['Connection', stats.connection],
    ['Out', `${count(stats.messagesOut)}, ${bytes(stats.bytesOut)}`],
    ['In', `${count(stats.messagesIn)}, ${bytes(stats.bytesIn)}`],
    ['Queued', `${count(stats.queuedMessages)}, ${bytes(stats.queuedBytes)}`],
    [
      'Undelivered',
      Object.entries(undelivered)
        .map(([code, n]) => `${count(n)} ${code}`)
        .join(', ') || '0',
    ],
    ['Attempts', `${count(stats.attempts)}, ${count(stats.opens)} got open`],
    ['Uptime', stats.uptimeMs ? duration(stats.uptimeMs) : '–'],
    ['Heartbeat', `last ${milliseconds(roundTrip?.lastMs)}, smoothed ${milliseconds(roundTrip?.smoothedMs)}`],
    ['Percentiles', `p50 ${milliseconds(roundTrip?.p50Ms)}, p95 ${milliseconds(roundTrip?.p95Ms)}`],
    ['Time in states', states.map(([name, ms]) => `${name} ${duration(ms)}`).join(', ') || '–'],
  ]
}

/** @param {Transition} transition */
function step({ from, event, to, reason, attempt, at }) {
  const states = html('b', { 'data-state': to }, mark(to), from === to ? to : `${from} → ${to}`)
  const why = [event, reason, attempt > 0 && `failures ${attempt}`].filter(Boolean).join(' · ')
  return html(
    'li',
    {},
    html('time', { datetime: new Date(at).toISOString() }, clock(at)),
    states,
    html('span', {}, why),
  )
}
