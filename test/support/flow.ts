/**
 * One socket, and whatever may happen to it: what is sent with any options, servers that take it, stall, die or leave,
 * pages that are put away, listeners that act. After each step, and at the end, what must hold of each message is
 * held against what its WebSockets were handed.
 */

import { vi } from 'vitest'
import {
  type Codec,
  type Options,
  type Page,
  type PageEvent,
  type SendOptions,
  SocketError,
} from '../../src/index'
import { byteLength } from '../../src/wire/data'
import { FakeWebSocket } from './fake-websocket'
import { type Random, random } from './random'
import { create, reported } from './shell'

interface Message {
  readonly id: number
  readonly size: number
}

/** A message on one WebSocket. */
interface Handed {
  readonly wire: Wire
  /** Bytes that the server has taken once it has taken this. */
  readonly end: number
  readonly at: number
  /** Within the call that sent it. */
  readonly atOnce: boolean
}

/** What the test knows of a message. */
interface Sent {
  readonly message: Message
  readonly options: SendOptions
  readonly abort: AbortController | undefined
  readonly at: number
  /** Its place: that of the message it replaced, or behind all. */
  place: number
  /** While the call that sends it goes on. */
  sending: boolean
  accepted: boolean
  /** Told by an event or by its promise, by which code, and whether it was certain. */
  readonly told: { readonly by: 'event' | 'promise'; readonly code: string; readonly certain?: boolean }[]
  readonly delivers: boolean
  abortedAt: number
  readonly handed: Handed[]
}

/** Counts what it holds in bytes, as a browser does. */
class Wire extends FakeWebSocket {
  /** All that it was handed, in bytes. */
  handed = 0
  /** How much the server takes of what is held, when time passes. */
  appetite = 1
  refuses = 0

  override send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.refuses-- > 0) throw new TypeError('refused for the moment')
    // A WebSocket copies what it is handed
    super.send(typeof data === 'string' ? data : data.slice())
    const bytes = byteLength(data)
    this.bufferedAmount += bytes
    this.handed += bytes
    wired?.(this, data)
  }

  get taken() {
    return this.handed - this.bufferedAmount
  }

  take(bytes: number): void {
    this.bufferedAmount -= Math.min(bytes, this.bufferedAmount)
  }
}

let wired: ((wire: Wire, data: string | Uint8Array) => void) | undefined

const show = (message: Message | string) => (typeof message === 'string' ? message : message.id)

const HANDSHAKE = 'let me in'
const PING = 'ping'
const LARGEST = 60

/** Text, or bytes that are overwritten by the next message. */
function codecOf(binary: boolean): Codec<unknown, Message | string> {
  const scratch = new Uint8Array(1_024)
  return {
    encode(message) {
      const text = typeof message === 'string' ? message : `${message.id}:${'é'.repeat(message.size)}`
      if (!binary) return text
      scratch.fill(0)
      return scratch.subarray(0, new TextEncoder().encodeInto(text, scratch).written)
    },
    decode: data => data,
  }
}

function settings({ below, chance, pick }: Random) {
  const maxMessages = 1 + below(12)
  const maxBytes = 40 + below(300)
  const options = {
    resend: pick(['never', 'uncertain']),
    queue: {
      maxMessages,
      maxBytes,
      highWaterMarkBytes: pick([10, 60, 200, 100_000]),
      overflow: pick(['throw', 'drop-oldest', 'drop-newest']),
    },
    closeTimeoutMs: 500,
    connectTimeoutMs: 3_000,
    backoff: { baseMs: 100, maxMs: 1_000 },
    heartbeat: chance(0.2) && { message: PING, intervalMs: 2_000, timeoutMs: 1_000 },
    handshake: chance(0.2) && (({ send }: { send(message: string): void }) => send(HANDSHAKE)),
    binary: chance(0.3),
    reacts: chance(0.5),
  } as const
  return options
}

/** @throws Error that says which seed, which step, and what does not hold */
export async function run(seed: number, steps: number): Promise<void> {
  const luck = random(seed)
  const { below, chance, pick } = luck
  const { binary, reacts, ...asked } = settings(luck)
  const { queue, resend } = asked
  const history: string[] = []
  /** The first. What is thrown within a listener, or a WebSocket, would only be reported. */
  let failure: Error | undefined
  const fail = (what: string): never => {
    failure ??= new Error(
      `seed ${seed}: ${what}\n${JSON.stringify({ ...asked, binary, reacts })}\n${history.join('\n')}`,
    )
    throw failure
  }

  const sent: Sent[] = []
  const promises: { readonly name: string; settled: number }[] = []
  let places = 0
  let listeners = 0
  let pageListeners = 0
  /** Messages that were replaced, in calls within the present one. */
  let nested = 0
  let reactions = 20
  let slept = false
  let notify: (event: PageEvent) => void = () => {}
  let wiredMessages = 0

  const page: Page = {
    online: () => true,
    listen(listener) {
      notify = listener
      pageListeners++
      return () => {
        notify = () => {}
        pageListeners--
      }
    },
  }

  const { heartbeat, handshake, ...rest } = asked
  const socket = create<unknown, Message | string>({
    ...(rest as Options<unknown, Message | string>),
    ...(heartbeat && { heartbeat }),
    ...(handshake && { handshake }),
    codec: codecOf(binary),
    WebSocket: Wire,
    platform: { page },
  })

  const now = () => performance.now()
  const wire = () => FakeWebSocket.all.at(-1) as Wire | undefined
  const replaced = () => socket.stats().undelivered.replaced ?? 0
  const of = (id: number) => sent[id] ?? fail(`no message ${id}`)

  const settle = (id: number, by: 'event' | 'promise', code: string, certain?: boolean) => {
    const it = of(id)
    it.told.push({ by, code, ...(certain !== undefined && { certain }) })
    if (it.told.length > 1) fail(`message ${id} is settled again: ${JSON.stringify(it.told)}`)
    if (it.delivers !== (by === 'promise')) fail(`message ${id} is told by ${by}`)
  }

  const check = (wire: Wire, data: string | Uint8Array) => {
    wiredMessages++
    const text = typeof data === 'string' ? data : new TextDecoder().decode(data)
    if (text === HANDSHAKE || text === PING) return
    const it = of(Number.parseInt(text, 10))
    if (text !== `${it.message.id}:${'é'.repeat(it.message.size)}`)
      fail(`message ${it.message.id} is garbled`)
    if (!it.sending) {
      if (it.options.volatile) fail(`volatile message ${it.message.id} goes late`)
      if (now() >= it.at + (it.options.ttlMs ?? Infinity))
        fail(`message ${it.message.id} goes after it has expired`)
      if (it.abortedAt) fail(`message ${it.message.id} goes after it was aborted`)
    }
    if (it.told.length) fail(`message ${it.message.id} goes after it was settled as ${it.told[0]?.code}`)
    const former = sent.filter(({ handed }) => handed.at(-1)?.wire === wire)
    const late = former.find(({ place, handed }) => place >= it.place && handed.at(-1)?.wire === wire)
    if (late) fail(`message ${it.message.id} goes after ${late.message.id}`)
    const before = it.handed.at(-1)
    if (before && resend === 'never') fail(`message ${it.message.id} goes twice`)
    if (before && !heartbeat && before.wire.taken >= before.end)
      fail(`message ${it.message.id} goes again, though it had left`)
    it.handed.push({ wire, end: wire.handed, at: now(), atOnce: it.sending })
  }

  wired = (wire, data) => {
    try {
      check(wire, data)
    } catch {
      // It is the failure now, and no business of who sends
    }
  }

  const watch = (name: string, promise: Promise<unknown>) => {
    const one = { name, settled: 0 }
    promises.push(one)
    const settled = () => {
      one.settled++
    }
    promise.then(settled, settled)
  }

  const controller = () => {
    const abort = new AbortController()
    const { signal } = abort
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
    const heard = new Set<unknown>()
    signal.addEventListener = (type: string, listener: EventListener) => {
      listeners++
      heard.add(listener)
      add(type, listener)
    }
    signal.removeEventListener = (type: string, listener: EventListener) => {
      if (heard.delete(listener)) listeners--
      remove(type, listener)
    }
    return abort
  }

  const send = (delivers: boolean) => {
    const id = sent.length
    const abort = chance(0.15) ? controller() : undefined
    const options: SendOptions = {
      ...(chance(0.2) && { ttlMs: pick([0, 5, 30, 500, 5_000]) }),
      ...(chance(0.3) && { key: pick(['a', 'b']) }),
      ...(chance(0.1) && { volatile: true }),
      ...(abort && { signal: abort.signal }),
    }
    const message = { id, size: below(chance(0.1) ? 400 : LARGEST) >> 1 }
    const it: Sent = {
      message,
      options,
      abort,
      at: now(),
      place: 0,
      sending: true,
      accepted: true,
      told: [],
      delivers,
      abortedAt: 0,
      handed: [],
    }
    sent.push(it)
    const old = [...socket.queue].find(
      each => typeof each === 'object' && options.key && of(each.id).options.key === options.key,
    ) as Message | undefined
    // A later one may go first if it takes the place of an earlier one, which is known only afterwards
    it.place = old && !options.volatile ? of(old.id).place : ++places
    const [before, nestedBefore, reactionsBefore] = [replaced(), nested, reactions]
    history.push(`${delivers ? 'deliver' : 'send'} ${id} ${message.size} ${JSON.stringify(options)}`)
    try {
      if (delivers) {
        socket.deliver(message, options).then(
          how => settle(id, 'promise', how),
          (error: SocketError) => settle(id, 'promise', error.code),
        )
      } else {
        const mayGoOn = socket.send(message, options)
        const { maxBytes, highWaterMarkBytes, maxMessages } = queue
        const isFull =
          socket.queuedBytes >= Math.min(highWaterMarkBytes, maxBytes / 2) ||
          socket.queuedMessages * 2 >= maxMessages
        const isIn = it.handed.length || [...socket.queue].includes(message)
        if (mayGoOn && isFull && isIn && reactions === reactionsBefore) fail(`send ${id} answers true`)
      }
    } catch (error) {
      if (!(error instanceof SocketError)) throw error
      history.push(`  throws ${error.code}`)
      it.accepted = false
    }
    it.sending = false
    const took = replaced() - before - (nested - nestedBefore) > 0
    if (old && it.place === of(old.id).place && !took && !it.handed.length) it.place = ++places
  }

  const act = {
    send: () => send(false),
    deliver: () => send(true),
    clear() {
      const before = [...socket.queue]
      const cleared = socket.queue.clear().map(({ message }) => message)
      if (`${cleared.map(show)}` !== `${before.map(show)}`) fail(`cleared ${cleared.map(show)}`)
    },
    abort() {
      const some = sent.filter(({ abort }) => abort && !abort.signal.aborted)
      const it = pick(some)
      if (!it) return
      history.push(`  message ${it.message.id}`)
      it.abortedAt = Math.max(now(), 1)
      it.abort?.abort()
    },
    close: () => watch('close', socket.close(...pick([[], [4000, 'bye']] as [number?, string?][]))),
    drain: () => watch('close', socket.close({ drain: true, timeoutMs: pick([10, 1_000, 5_000]) })),
    connect: () => socket.connect(),
    reconnect: () => socket.reconnect(),
    drained: () => watch('drained', socket.drained()),
    opened: () => watch('opened', socket.opened()),
  }

  const react = () => {
    if (!reacts || reactions <= 0 || !chance(0.15)) return
    reactions--
    const before = replaced()
    const within = nested
    const name = pick(['send', 'send', 'deliver', 'clear', 'abort', 'close', 'reconnect', 'connect'] as const)
    history.push(`  a listener: ${name}`)
    act[name]()
    nested = within + replaced() - before
  }

  socket.on('undelivered', ({ message, code, certain }) => {
    history.push(`  undelivered ${(message as Message).id} ${code}`)
    settle((message as Message).id, 'event', code, certain)
    react()
  })
  socket.on('drain', react)
  socket.on('open', react)
  socket.on('close', react)
  socket.on('message', react)

  /** Whether the present WebSocket is the socket's own. */
  const isLinked = () => ['open', 'handshaking', 'closing'].includes(socket.state.name)

  const world = {
    async pass() {
      const ms = pick([0, 0, 1, 5, 20, 20, 50, 300, 1_500, 6_000])
      history.push(`  ${ms} ms`)
      for (let left = ms; left >= 0; left -= 50) {
        const open = wire()
        if (open && isLinked()) open.take(Math.ceil(open.bufferedAmount * open.appetite))
        await vi.advanceTimersByTimeAsync(Math.min(left, 50))
      }
      const late = ([...socket.queue] as Message[]).find(({ id }) => {
        const { at, options } = of(id)
        return now() > at + (options.ttlMs ?? Infinity) + 1
      })
      // A timer that was set before a sleep does not know of it
      if (late && !slept) fail(`message ${late.id} has expired, and waits`)
    },
    sleep() {
      slept = true
      vi.setSystemTime(Date.now() + 3_000)
    },
    accept() {
      if (wire()?.readyState !== 0) return
      const one = wire() as Wire
      one.appetite = pick([0, 0, 0.5, 1])
      one.accept()
    },
    take() {
      if (isLinked()) wire()?.take(below(200))
    },
    flow() {
      const one = wire()
      if (one) one.appetite = pick([0, 0.5, 1])
    },
    receive() {
      if (wire()?.readyState === 1) wire()?.receive(pick(['hello', PING]))
    },
    refuse() {
      const one = wire()
      if (one) one.refuses = 1
    },
    die() {
      const one = wire()
      if (one && one.readyState < 3) one.end(pick([1006, 1006, 1012, 4000]), '', false)
    },
    leave() {
      const one = wire()
      if (!one || one.readyState > 2) return
      if (isLinked()) one.take(Infinity)
      one.end(1000, '', true)
    },
    page: () => notify(pick(['online', 'offline', 'visible', 'suspend', 'restore', 'restore'] as const)),
  }

  const weights: Record<keyof typeof act | keyof typeof world, number> = {
    send: 24,
    deliver: 14,
    clear: 1,
    abort: 3,
    close: 0.7,
    drain: 1,
    connect: 3,
    reconnect: 1,
    drained: 1,
    opened: 1,
    pass: 20,
    sleep: 0.3,
    accept: 10,
    take: 6,
    flow: 3,
    receive: 2,
    refuse: 0.5,
    die: 2,
    leave: 0.7,
    page: 2,
  }
  const names = Object.keys(weights) as (keyof typeof weights)[]
  const total = Object.values(weights).reduce((sum, weight) => sum + weight)
  const choose = () => {
    let at = luck.next() * total
    return names.find(name => {
      at -= weights[name]
      return at < 0
    }) as keyof typeof weights
  }

  /** What holds after each step. */
  const hold = () => {
    const waiting = [...socket.queue] as Message[]
    const bytes = waiting.reduce((sum, { id, size }) => sum + `${id}:`.length + size * 2, 0)
    if (bytes !== socket.queuedBytes) fail(`${bytes} bytes wait, and ${socket.queuedBytes} are told`)
    if (waiting.length !== socket.queuedMessages)
      fail(`${waiting.length} wait, ${socket.queuedMessages} are told`)
    const again = waiting.filter(({ id }) => of(id).handed.length)
    const size = again.reduce((sum, { id, size }) => sum + `${id}:`.length + size * 2, 0)
    if (waiting.length - again.length > queue.maxMessages) fail(`${waiting.length} messages wait`)
    if (bytes - size > queue.maxBytes) fail(`${bytes} bytes wait`)
    const settled = waiting.find(({ id }) => of(id).told.length)
    if (settled) fail(`message ${settled.id} waits, and is settled as ${of(settled.id).told[0]?.code}`)
    const held = wire()?.bufferedAmount ?? 0
    if (isLinked() && held > queue.highWaterMarkBytes + 500) fail(`the WebSocket holds ${held} bytes`)
    if (FakeWebSocket.live > 1) fail('there are two connections')
    if (socket.stats().messagesOut !== wiredMessages)
      fail(`${socket.stats().messagesOut} were counted as sent`)
  }

  const step = async (name: keyof typeof weights) => {
    history.push(name)
    await (name in act ? act[name as keyof typeof act] : world[name as keyof typeof world])()
    if (failure) throw failure
    hold()
  }

  for (let n = 0; n < steps; n++) await step(choose())

  // Sometimes all goes well in the end
  const goesWell = chance(0.5)
  if (goesWell) {
    history.push('all goes well')
    if (wire()) (wire() as Wire).refuses = 0
    socket.connect()
    notify('restore')
    for (let n = 0; n < 400 && (n < 5 || socket.bufferedBytes || socket.state.name !== 'open'); n++) {
      if (wire()?.readyState === 0) wire()?.accept()
      if (socket.state.name === 'closed') socket.connect()
      if (isLinked()) wire()?.take(Infinity)
      if (wire()?.readyState === 1) wire()?.receive(PING)
      await vi.advanceTimersByTimeAsync(100)
    }
    hold()
    if (socket.state.name !== 'open' || socket.queuedMessages)
      fail(`${socket.queuedMessages} messages are stuck in ${socket.state.name}`)
    const stuck = promises.find(({ name, settled }) => name !== 'close' && !settled)
    if (stuck) fail(`${stuck.name} is pending`)
  }
  history.push('the end')
  reactions = 0
  const finished = socket.close()
  if (wire()?.readyState === 2 && chance(0.5)) wire()?.end(1005, '', true)
  watch('close', finished)
  // Twice what closing may take
  await vi.advanceTimersByTimeAsync(1_000)
  if (failure) throw failure
  hold()

  for (const { name, settled } of promises)
    if (settled !== 1) fail(`a promise of ${name} settled ${settled} times`)
  for (const { message, accepted, delivers, told, handed } of sent) {
    const { id } = message
    const [fate] = told
    const last = handed.at(-1)
    const hasLeft = !!last && last.wire.taken >= last.end
    if (delivers && !fate) fail(`the promise of message ${id} is pending`)
    if (!accepted) {
      if (fate || last) fail(`message ${id} was refused, and ${fate ? 'is told' : 'goes'}`)
    } else if (!fate || fate.code === 'written') {
      if (!hasLeft) fail(`message ${id} is lost without a word`)
    } else {
      if (fate.certain !== undefined && fate.certain !== !last)
        fail(`message ${id}: certain is ${fate.certain}, and it was handed over ${handed.length} times`)
      if (fate.code === 'uncertain' && !last) fail(`message ${id} is uncertain, and was never handed over`)
      if (hasLeft && !heartbeat) fail(`message ${id} has left, and is told as ${fate.code}`)
    }
  }
  if (listeners) fail(`${listeners} listeners are left on signals`)
  if (pageListeners) fail(`${pageListeners} listeners are left on the page`)
  if (vi.getTimerCount()) fail(`${vi.getTimerCount()} timers are left`)
  const unexpected = reported.splice(0).find(error => !/refused for the moment/.test(`${error}`))
  if (unexpected) throw unexpected
  if (FakeWebSocket.live) fail('a connection is left')
  FakeWebSocket.all = []
}
