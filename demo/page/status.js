// @ts-check
/** The present state in words: at the head of the page, over the diagram, and for those who listen. */

import { byId, put, write } from './dom.js'
import { closeCode, MEANINGS, seconds } from './words.js'

/** @typedef {import('./library.js').Socket} Socket */
/** @typedef {import('../../src/index').CloseEvent} CloseEvent */
/** @typedef {import('../../src/index').SocketState} SocketState */

/** A recovery goes through several states in a moment: only where it settles is read aloud. */
const SETTLED_MS = 700

export function createStatus() {
  const pill = byId('pill', HTMLElement)
  const card = byId('state-card', HTMLElement)
  const gauge = /** @type {HTMLElement} */ (byId('countdown-gauge', HTMLElement).firstElementChild)
  const pillCountdown = byId('pill-countdown', HTMLElement)
  let announcement = 0
  let waitingSince = 0

  /** @param {SocketState} state */
  const announce = ({ name, attempt, retryAt }) => {
    clearTimeout(announcement)
    announcement = window.setTimeout(() => {
      const when =
        retryAt === undefined ? '' : ` Next attempt in ${seconds(Math.max(0, retryAt - Date.now()))}.`
      const failures = attempt > 0 && name !== 'open' ? ` Failures in a row: ${attempt}.` : ''
      put('announcer', `${name}: ${MEANINGS[name]}.${failures}${when}`)
    }, SETTLED_MS)
  }

  return {
    /** @param {SocketState} state */
    step(state) {
      const { name, attempt } = state
      waitingSince = Date.now()
      for (const place of [pill, card]) {
        place.dataset.state = name
        place.querySelector('.mark use')?.setAttribute('href', `#mark-${name}`)
      }
      write(/** @type {HTMLElement} */ (pill.querySelector('strong')), name)
      put('state-name', name)
      put('state-meaning', MEANINGS[name])
      put('attempt', `${attempt}`)
      announce(state)
    },

    /** @param {CloseEvent} event */
    closed({ code, reason, wasOpen, local, final }) {
      const who = local ? 'by us' : 'not by us'
      put(
        'last-close',
        [closeCode(code, reason), who, !wasOpen && 'never open', final && 'final'].filter(Boolean).join(', '),
      )
    },

    /** @param {Socket} socket */
    tick({ state, transitions }) {
      const now = Date.now()
      const left = state.retryAt === undefined ? undefined : Math.max(0, state.retryAt - now)
      const text = left === undefined ? '' : seconds(left)
      pillCountdown.hidden = !text
      write(/** @type {HTMLElement} */ (pillCountdown.querySelector('b')), text)
      put('countdown-label', text && 'next attempt in')
      put('countdown-value', text)
      const whole = (state.retryAt ?? 0) - waitingSince
      gauge.style.inlineSize = left === undefined || whole <= 0 ? '0' : `${(100 * left) / whole}%`
      const last = transitions.at(-1)
      const why = last?.reason && `, ${last.reason}`
      put('last-step', last ? `${last.from} → ${last.to} by ${last.event}${why}` : '–')
    },
  }
}
