// @ts-check
/** Sends one message, or ten thousand: waiting for `drain` when asked to, or as fast as `send` lets us. */

import { byId, put } from './dom.js'
import { count, describe } from './words.js'

/** @typedef {import('./library.js').Socket} Socket */
/** @typedef {import('./codecs.js').Dialect} Dialect */
/** @typedef {import('./messages.js').Line} Line */

/**
 * @typedef {object} Target
 * @property {Socket} socket
 * @property {Dialect} dialect
 * @property {import('./codecs.js').Scale} scale
 * @property {ReturnType<typeof import('./echoes.js').createEchoes>} echoes
 */

const MANY = 10_000

/**
 * @param {() => Target | undefined} target
 * @param {(line: Line) => void} write
 */
export function createSender(target, write) {
  const input = byId('message', HTMLInputElement)
  const many = byId('send-many', HTMLButtonElement)

  /**
   * @param {Target} to
   * @param {string} text
   */
  const send = ({ socket, dialect, scale, echoes }, text) => {
    const hasRoom = socket.send(dialect.compose(text))
    echoes.sent(scale.key)
    const kind = socket.queuedMessages > 0 ? 'queued' : 'sent'
    write({ kind, text, codec: dialect.name, size: scale.size })
    return hasRoom
  }

  const one = () => {
    const to = target()
    if (!to) return
    try {
      const hasRoom = send(to, input.value)
      input.value = following(input.value)
      put('send-hint', hasRoom ? '' : 'Accepted, and send answered false: please wait for drain.')
    } catch (error) {
      refused(error)
    }
    input.select()
  }

  /** @param {unknown} error */
  const refused = error => {
    write({ kind: 'error', text: describe(error) })
    put('send-hint', `Not sent: ${describe(error)}.`)
  }

  const burst = async () => {
    const to = target()
    if (!to) return
    const isPolite = byId('polite', HTMLInputElement).checked
    const startedAt = performance.now()
    // Kept out of the field until the end: ten thousand times that would take longer than all of the sending
    let text = input.value
    let sent = 0
    let waits = 0
    // Disabled it would lose the focus
    many.ariaDisabled = 'true'
    put('send-hint', `Sending ${count(MANY)} …`)
    try {
      while (sent < MANY) {
        const hasRoom = send(to, text)
        text = following(text)
        sent++
        if (hasRoom || !isPolite) continue
        waits++
        await to.socket.drained()
      }
      const took = Math.round(performance.now() - startedAt)
      put(
        'send-hint',
        `${count(sent)} accepted in ${count(took)} ms, ${count(waits)} times after a wait for drain.`,
      )
    } catch (error) {
      refused(error)
      put('send-hint', `Stopped after ${count(sent)}: ${describe(error)}.`)
    }
    input.value = text
    many.ariaDisabled = null
  }

  byId('send-form', HTMLFormElement).addEventListener('submit', event => {
    event.preventDefault()
    one()
  })
  many.addEventListener('click', () => {
    if (many.ariaDisabled !== 'true') burst()
  })
}

/**
 * A message with a number in it is followed by the next, to see order and gaps at a glance.
 * @param {string} text
 */
const following = text => text.replace(/\d{1,9}(?=\D*$)/, number => `${Number(number) + 1}`)
