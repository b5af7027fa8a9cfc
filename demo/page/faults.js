// @ts-check
/** The panel that breaks things: it orders them from the server that served this page. */

import { bundledUrl, isBundled } from './controls.js'
import { byId, put } from './dom.js'
import { describe, seconds } from './words.js'

/** @typedef {{ clients: number, delayMs: number, refusingMs: number }} Condition */

export function createFaults() {
  const form = byId('faults-form', HTMLFormElement)
  const fields = byId('faults', HTMLFieldSetElement)
  put('bundled-url', bundledUrl)
  /** @type {Condition | undefined} */
  let condition
  let conditionAt = 0
  let problem = ''

  /** @param {Record<string, unknown>} [order] */
  const ask = async order => {
    try {
      const response = await fetch('faults', order && post(order))
      const answer = await response.json()
      if (!response.ok) throw new Error(answer.error)
      condition = answer
      conditionAt = performance.now()
      problem = ''
    } catch (error) {
      problem = `The server did not take the order: ${describe(error)}`
    }
    tick()
  }

  const tick = () => {
    if (problem || !condition) return put('faults-state', problem)
    const refusingMs = condition.refusingMs - (performance.now() - conditionAt)
    const conditions = []
    // A countdown would be read aloud all the time
    if (refusingMs > 0) conditions.push('nobody is let in')
    if (condition.delayMs > 0) conditions.push(`each echo is ${seconds(condition.delayMs)} late`)
    put('faults-state', `Server: ${conditions.join(', ') || 'well'}.`)
  }

  form.addEventListener('click', event => {
    const button = event.target instanceof Element ? event.target.closest('button') : null
    const fault = button?.dataset.fault
    if (!button || !fault) return
    if (!form.reportValidity()) return
    ask({ fault, ...details(fault, button) })
  })
  form.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return
    event.preventDefault()
    event.target.closest('li')?.querySelector('button')?.click()
  })
  ask()

  return {
    /** @param {string} url of the present connection */
    follow(url) {
      const isOurs = isBundled(url)
      fields.disabled = !isOurs
      fields.hidden = !isOurs
      byId('faults-away', HTMLElement).hidden = isOurs
    },
    tick,
  }
}

/**
 * @param {string} fault
 * @param {HTMLButtonElement} button
 */
function details(fault, button) {
  /** @param {string} id */
  const field = id => byId(id, HTMLInputElement)
  if (fault === 'slow') return { ms: field('slow-ms').valueAsNumber }
  if (fault === 'close')
    return { code: field('close-code').valueAsNumber, reason: field('close-reason').value }
  return button.dataset.ms ? { ms: Number(button.dataset.ms) } : {}
}

/**
 * @param {Record<string, unknown>} order
 * @returns {RequestInit}
 */
const post = order => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(order),
})
