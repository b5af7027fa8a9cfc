// @ts-check

/** @typedef {typeof import('../src/index')} Library */
/** @typedef {import('../src/index').ReconnectingSocket<string, string>} Socket */
/** @typedef {import('../src/index').StateName} StateName */

const { ReconnectingSocket } =
  /** @type {{ ReconnectingSocket: Library['ReconnectingSocket'] & Library }} */ (
    /** @type {unknown} */ (globalThis)
  )

// Its echo is swallowed by the socket, so it should be nothing that someone types
const HEARTBEAT = { message: 'demo ping', intervalMs: 3_000, timeoutMs: 5_000 }
const REFRESH_MS = 100
const LOG_ENTRIES = 500
const LOGGED_CHARACTERS = 300

/** @type {Record<StateName, string>} */
const MEANINGS = {
  idle: 'Not connected',
  connecting: 'Opening a connection',
  handshaking: 'Introducing ourselves',
  open: 'Connected',
  waiting: 'Cut off, will try again',
  suspended: 'Put away with the page',
  closing: 'Saying goodbye',
  closed: 'Closed until you connect',
}

/**
 * Names of the IANA WebSocket Close Code Number Registry
 * @type {Record<number, string>}
 */
const CLOSE_CODES = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'no status',
  1006: 'abnormal closure',
  1008: 'policy violation',
  1009: 'message too big',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function byId(id, type) {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new TypeError(`#${id} is no ${type.name}`)
  return element
}

const urlInput = byId('url', HTMLInputElement)
const heartbeatInput = byId('heartbeat', HTMLInputElement)
const messageInput = byId('message', HTMLInputElement)
const statusCard = byId('status-card', HTMLElement)
const logScroller = byId('log-scroller', HTMLElement)
const logList = byId('log', HTMLOListElement)

/** @type {Socket | undefined} */
let socket
/** @type {(() => void)[]} */
let unsubscribers = []

function connect() {
  /** @type {Socket} */
  let next
  try {
    next = new ReconnectingSocket(urlInput.value.trim(), {
      codec: ReconnectingSocket.text(),
      heartbeat: heartbeatInput.checked && HEARTBEAT,
      // Listeners first, or the log would miss the first state
      autoConnect: false,
    })
  } catch (error) {
    urlInput.setCustomValidity(describe(error))
    urlInput.reportValidity()
    return
  }
  leave()
  socket = next
  unsubscribers = follow(next)
  write('connect()', urlInput.value.trim())
  next.connect()
  show()
}

/** One connection at a time: the previous one tells what it could not deliver, and is heard no more. */
function leave() {
  socket?.close()
  for (const unsubscribe of unsubscribers) unsubscribe()
}

/** @param {Socket} socket */
function follow(socket) {
  return [
    socket.on('state', (next, previous) => {
      write(
        'state',
        previous.name === next.name ? `${next.name}, rescheduled` : `${previous.name} → ${next.name}`,
      )
      show()
    }),
    socket.on('open', ({ protocol, reconnected }) => {
      const what = reconnected ? 'connected again' : 'connected for the first time'
      write('open', protocol ? `${what}, subprotocol ${protocol}` : what)
    }),
    socket.on('message', message => write('received', message)),
    socket.on('close', ({ code, reason, wasOpen, local, final, retryInMs }) => {
      const who = local ? 'ended by us' : 'not ended by us'
      const what = wasOpen ? 'an open connection' : 'an attempt'
      const next = final
        ? 'final'
        : retryInMs === undefined
          ? 'next attempt when the page is back'
          : retryInMs === 0
            ? 'next attempt now'
            : `next attempt in ${seconds(retryInMs)}`
      write('close', `${what}, ${named(code, reason)}, ${who}; ${next}`)
    }),
    socket.on('undelivered', ({ message, code, certain }) => {
      write('undelivered', `${message} (${code}, ${certain ? 'certainly' : 'possibly'} not arrived)`)
    }),
    socket.on('drain', () => write('drain', 'there is room again')),
    socket.on('error', error => write('error', describe(error))),
  ]
}

/** @param {string} message */
function send(message) {
  if (!socket) return
  try {
    const hasRoom = socket.send(message)
    write(socket.queuedMessages > 0 ? 'queued' : 'sent', message)
    if (!hasRoom) write('drain', 'send answered false: accepted, but please wait for drain')
    messageInput.value = following(message)
  } catch (error) {
    write('error', describe(error))
  }
  messageInput.select()
  show()
}

async function close() {
  if (!socket) return
  const { code, reason, wasClean, undelivered } = await socket.close()
  const confirmed = wasClean ? 'confirmed by the server' : 'not confirmed by the server'
  write('close()', `${named(code, reason)}, ${confirmed}, ${undelivered.length} undelivered`)
}

/** What changes without an event (countdown, round trip, queue) is looked at, not waited for. */
function show() {
  if (!socket) return
  const { name, attempt, retryAt } = socket.state
  const { roundTripMs, queuedMessages, queuedBytes } = socket
  statusCard.dataset.state = name
  put('state-name', name)
  put('state-meaning', MEANINGS[name])
  put('countdown', retryAt === undefined ? '–' : seconds(Math.max(0, retryAt - Date.now())))
  put('attempt', `${attempt}`)
  put('round-trip', roundTripMs === undefined ? '–' : `${roundTripMs.toFixed(roundTripMs < 10 ? 1 : 0)} ms`)
  put('queued-messages', `${queuedMessages}`)
  put('queued-bytes', `${queuedBytes} ${queuedBytes === 1 ? 'byte' : 'bytes'}`)
}

/**
 * @param {string} id
 * @param {string} text
 */
function put(id, text) {
  const element = byId(id, HTMLElement)
  // Writing the same text again would make a screen reader say it again
  if (element.textContent !== text) element.textContent = text
}

/**
 * @param {string} kind
 * @param {string} text
 */
function write(kind, text) {
  const { scrollTop, clientHeight, scrollHeight } = logScroller
  const followsTheEnd = scrollHeight - scrollTop - clientHeight < 8
  const now = new Date()
  const time = document.createElement('time')
  time.dateTime = now.toISOString()
  time.textContent = `${now.toTimeString().slice(0, 8)}.${`${now.getMilliseconds()}`.padStart(3, '0')}`
  const tag = document.createElement('b')
  tag.textContent = kind
  const body = document.createElement('span')
  const rest = text.length - LOGGED_CHARACTERS
  body.textContent = rest > 0 ? `${text.slice(0, LOGGED_CHARACTERS)}… (${rest} characters more)` : text
  const entry = document.createElement('li')
  entry.dataset.kind = kind
  entry.append(time, ' ', tag, ' ', body)
  logList.append(entry)
  if (logList.children.length > LOG_ENTRIES) logList.firstElementChild?.remove()
  if (followsTheEnd) logScroller.scrollTop = logScroller.scrollHeight
}

/**
 * @param {number} code
 * @param {string} reason
 */
function named(code, reason) {
  const meaning = CLOSE_CODES[code]
  return [`code ${code}`, meaning && `(${meaning})`, reason && `“${reason}”`].filter(Boolean).join(' ')
}

/** @param {number} ms */
const seconds = ms => `${(ms / 1_000).toFixed(1)} s`

/** @param {unknown} error */
const describe = error => (error instanceof Error ? error.message : `${error}`)

/**
 * A message that ends in a number is followed by the next, to see order and gaps at a glance.
 * @param {string} message
 */
const following = message => message.replace(/\d{1,9}$/, number => `${Number(number) + 1}`)

byId('connect-form', HTMLFormElement).addEventListener('submit', event => {
  event.preventDefault()
  connect()
})
byId('send-form', HTMLFormElement).addEventListener('submit', event => {
  event.preventDefault()
  send(messageInput.value)
})
byId('reconnect', HTMLButtonElement).addEventListener('click', () => socket?.reconnect())
byId('close', HTMLButtonElement).addEventListener('click', close)
byId('clear', HTMLButtonElement).addEventListener('click', () => logList.replaceChildren())
urlInput.addEventListener('input', () => urlInput.setCustomValidity(''))

urlInput.value ||= new URL('/echo', location.href).href.replace(/^http/, 'ws')
setInterval(show, REFRESH_MS)
connect()
