// @ts-check
/** The form that says how to connect, read into the options of the library. */

import { dialect } from './codecs.js'
import { byId, put } from './dom.js'

/** @typedef {import('./codecs.js').Dialect} Dialect */
/** @typedef {import('./codecs.js').CodecName} CodecName */
/** @typedef {import('./library.js').Options} Options */
/** @typedef {import('./queue.js').Limits} Limits */

/**
 * @typedef {object} Wishes
 * @property {string} url
 * @property {Dialect} dialect
 * @property {Limits} limits
 * @property {Options} options all but the codec
 */

/** Its echo is swallowed by the socket, so it should be nothing that someone types. */
const PING = 'demo ping'
const HELLO = 'demo hello'

const url = byId('url', HTMLInputElement)
const form = byId('connect-form', HTMLFormElement)
/** @param {string} id */
const isOn = id => byId(id, HTMLInputElement).checked
/** @param {string} id */
const number = id => byId(id, HTMLInputElement).valueAsNumber
/** @param {string} id */
const choice = id => byId(id, HTMLSelectElement).value

/** @returns {Promise<Wishes>} */
export async function readWishes() {
  const chosen = await dialect(/** @type {CodecName} */ (choice('codec')))
  const limits = {
    maxMessages: number('max-messages'),
    maxBytes: number('max-bytes'),
    highWaterMarkBytes: number('high-water-mark'),
  }
  /** @type {Options} */
  const options = {
    // Listeners first, or the first state would be missed
    autoConnect: false,
    heartbeat: isOn('heartbeat') && {
      message: chosen.compose(PING),
      intervalMs: number('heartbeat-interval'),
      timeoutMs: number('heartbeat-timeout'),
    },
    backoff: { baseMs: number('backoff-base'), maxMs: number('backoff-max') },
    queue: { ...limits, overflow: /** @type {'throw'} */ (choice('overflow')) },
    handshake: isOn('handshake')
      ? async ({ send, receive }) => {
          send(chosen.compose(HELLO))
          await receive()
        }
      : undefined,
  }
  return { url: url.value.trim(), dialect: chosen, limits, options }
}

export const bundledUrl = new URL('/echo', location.href).href.replace(/^http/, 'ws')

/**
 * Whether it leads to the server of this page, which breaks on command, and has sessions.
 * @param {string} url of a connection
 */
export function isBundled(url) {
  const { host, pathname } = new URL(url.replace(/^ws/, 'http'), location.href)
  return host === location.host && pathname === new URL(bundledUrl).pathname
}

/**
 * @param {object} actions
 * @param {() => void} actions.connect
 * @param {() => void} actions.reconnect
 * @param {() => void} actions.close
 */
export function createControls({ connect, reconnect, close }) {
  // A page that was reloaded remembers what was typed
  url.value ||= bundledUrl
  /** What the present connection was made from. */
  let used = ''

  const hint = () => {
    const isOther = used !== '' && used !== snapshot()
    put('connect-hint', isOther ? 'Changed. Connect again to use it.' : '')
    const heartbeat = isOn('heartbeat') ? `heartbeat ${number('heartbeat-interval')} ms` : 'no heartbeat'
    put('options-summary', `${choice('codec')}, ${heartbeat}`)
  }
  form.addEventListener('submit', event => {
    event.preventDefault()
    connect()
  })
  // Where a field is refused, it must be seen
  form.addEventListener(
    'invalid',
    () => byId('options', HTMLDetailsElement).toggleAttribute('open', true),
    true,
  )
  form.addEventListener('input', () => {
    url.setCustomValidity('')
    for (const part of ['interval', 'timeout'])
      byId(`heartbeat-${part}`, HTMLInputElement).disabled = !isOn('heartbeat')
    hint()
  })
  byId('reconnect', HTMLButtonElement).addEventListener('click', reconnect)
  byId('close', HTMLButtonElement).addEventListener('click', close)
  hint()

  return {
    connected() {
      used = snapshot()
      hint()
    },
    /** @param {string} problem */
    refused(problem) {
      const isUrl = problem.startsWith('url')
      put('connect-hint', isUrl ? '' : problem)
      if (!isUrl) return
      url.setCustomValidity(problem)
      url.reportValidity()
    },
  }
}

const snapshot = () =>
  [...form.querySelectorAll('input, select')]
    .map(field =>
      field instanceof HTMLInputElement && field.type === 'checkbox'
        ? field.checked
        : /** @type {HTMLInputElement} */ (field).value,
    )
    .join('\n')
