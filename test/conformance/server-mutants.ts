/** Planted bugs of a server, and the rule that finds each. */

import { type Mutant, planted } from './rig'

const session = planted('core/session')
const registry = planted('core/registry')
const store = planted('core/store')
const outbox = planted('core/outbox')
const frames = planted('wire/frames')
const connection = planted('server/connection')

export const mutants: readonly Mutant[] = [
  session(
    'what is received is acknowledged, not what is consumed',
    'ack/consumed-not-received',
    'received = seq\n',
    'received = done = seq\n',
  ),
  session('acks are never late', 'ack/in-time', 'else until = Math.min(until, now + ACK_DELAY_MS)', ''),
  session('no quick acks', 'ack/quick', 'const QUICK_MESSAGES = 32', 'const QUICK_MESSAGES = 0'),
  session(
    'acks wait for their time, however many',
    'ack/threshold',
    'if (done - told >= threshold || untoldBytes >= ACK_BYTES) flush()',
    'if (quick >= 0 && done - told >= threshold) flush()',
  ),
  session(
    'acks are acknowledged',
    'ack/not-of-an-ack',
    "case 'ack':\n",
    "case 'ack':\n          output.write({ kind: 'ack', ack: acknowledging() })\n",
  ),
  session('old acks count', 'ack/old', 'else if (ack > outbox.acked.seq)', 'else if (ack >= 0)'),
  session(
    'the impossible is acknowledged',
    'ack/beyond-sent',
    "if (ack > outbox.numbered.seq) bad('ack of what was not sent')\n    else ",
    '',
  ),
  session(
    'acks do not travel with messages',
    'ack/piggyback',
    'ack: acknowledging(), data: entry.data',
    'ack: (acknowledging(), 0), data: entry.data',
  ),
  session('a duplicate is delivered', 'msg/duplicate', 'if (seq > received) {', 'if (seq <= received + 1) {'),
  session(
    'a duplicate is an error',
    'resume/deduplicates',
    'if (seq > received) {',
    "if (seq <= received) return bad('again')\n        {",
  ),
  session('a gap is accepted', 'msg/gap', "if (seq > received + 1) return bad('gap')", ''),
  session(
    'the window of the client is ignored',
    'window/of-the-client',
    'Math.min(peer.win, allowance, LARGEST_WINDOW)',
    'Math.min(allowance, LARGEST_WINDOW)',
  ),
  session(
    'who exceeds the window is not stopped',
    'window/exceeded',
    "if (seq > done + win) return bad('too many')",
    '',
  ),
  session(
    'the window is smaller than it was said to be',
    'window/full',
    "if (seq > done + win) return bad('too many')",
    "if (seq >= done + win) return bad('too many')",
  ),
  session(
    'only the first hello says how much may be sent',
    'window/of-a-resume',
    '      peer = position\n',
    '      if (!outbox.numbered.seq) peer = position\n',
  ),
  session(
    'what is too large is taken',
    'size/too-large',
    "if (data.length > max) return bad('too large', 4413)",
    '',
  ),
  session(
    'what is as large as it may be is too large',
    'size/largest',
    'if (data.length > max)',
    'if (data.length >= max)',
  ),
  session(
    'the client is sent what it does not take',
    'size/of-the-client',
    'if (!entry.seq && entry.bytes > peer.max)',
    'if (entry.bytes < 0)',
  ),
  session('no slow start', 'resume/first-sixteen', 'const FIRST_WINDOW = 16', 'const FIRST_WINDOW = 1_000'),
  session('slow start for ever', 'resume/first-sixteen-grow', 'allowance += ack - outbox.acked.seq', ''),
  session(
    'a resumed session does not go back',
    'resume/replays-unacknowledged',
    '      outbox.rewind()\n',
    '',
  ),
  session(
    'a resumed session goes back one too far',
    'resume/hello-acknowledges',
    'acknowledged(peer.ack ?? 0)',
    'acknowledged((peer.ack ?? 0) - 1)',
  ),
  session('a ping is not answered', 'ping/answered', "else output.write({ kind: 'pong' })", ''),
  session('bad luck is poison', 'poison/progress', 'position === struckAt ? strikes + 1 : 1', 'strikes + 1'),
  session('poison is never given up', 'poison/three-times', 'return strikes >= STRIKES', 'return false'),
  session(
    'a welcome from a client is ignored',
    'frames/welcome',
    "case 'hello':\n        case 'welcome':",
    "case 'welcome':\n          return\n        case 'hello':",
  ),
  session(
    'what is no frame is ignored',
    'frames/malformed',
    "if (typeof frame === 'string') return bad(frame)",
    "if (typeof frame === 'string') return",
  ),
  session(
    'a volatile message has a number',
    'volatile/not-numbered',
    'output.deliver(frame.data)',
    'received++\n          output.deliver(frame.data, session)',
  ),
  registry(
    'the tombstone counts what was received, not what was consumed',
    'resume/expired-consumed',
    'const isOurs = store.end(session.lease, reason, now)',
    'while (session.half.done < session.half.received) { store.recv(session.lease); session.half.consumed(now) }\n    const isOurs = store.end(session.lease, reason, now)',
  ),
  registry(
    'two connections, one session',
    'takeover/old-closed',
    "        unbind(session, 4409, 'superseded')\n        // What",
    '        // What',
  ),
  {
    ...registry(
      'the end of an old connection ends the session',
      'takeover/end-of-the-old',
      'if (session?.connection !== connection) return\n      session.connection',
      'if (!session) return\n      session.connection',
    ),
    also: {
      file: 'server/connection',
      find: "if (state !== 'closing') end(code, reason)",
      replace: 'end(code, reason)',
    },
  },
  {
    ...registry(
      'what still comes on an old connection is heard',
      'takeover/fenced',
      'if (session.connection !== connection) return\n      if (!session.touched)',
      'if (!session.touched)',
    ),
    also: {
      file: 'server/connection',
      find: "    if (state === 'closing' || state === 'gone') return\n    heardAt",
      replace:
        "    if (state === 'closing') { state = 'live'; hear(parseFrame(toData(raw) ?? '')); state = 'closing' }\n    if (state === 'closing' || state === 'gone') return\n    heardAt",
    },
  },
  registry(
    'a session without a connection is kept for ever',
    'resume/expired',
    'else session.until = now + ttlMs',
    '',
  ),
  registry(
    'a session without a connection is kept for a moment only',
    'resume/within-ttl',
    'else session.until = now + ttlMs',
    'else session.until = now + ttlMs / 4',
  ),
  registry(
    'a session that was resumed expires',
    'resume/alive',
    'connection, until: Infinity })',
    'connection })',
  ),
  registry(
    'a client that says goodbye is waited for',
    'close/normal-ends',
    "if (code === 1000) end(session, 'closed', code, now)\n      else ",
    '',
  ),
  registry(
    'a client that goes away is not waited for',
    'close/going-away-keeps',
    'if (code === 1000) end(',
    'if (code === 1000 || code === 1001) end(',
  ),
  registry(
    'any close ends the session but a cut',
    'close/no-code-keeps',
    'if (code === 1000) end(',
    'if (code !== 1006) end(',
  ),
  registry(
    'the store does not know that the client knows',
    'hello/given-up',
    'if (!session.touched) session.touched = store.touch(session.lease)',
    '',
  ),
  registry(
    'the welcome says what was received',
    'ack/consumed-not-received',
    '...half.position(),',
    '...half.position(), ack: half.received,',
  ),
  registry(
    'the welcome says nothing of what was consumed',
    'resume/position',
    '...half.position(),',
    '...half.position(), ack: 0,',
  ),
  session(
    'a second hello is ignored',
    'hello/second',
    "case 'hello':\n        case 'welcome':",
    "case 'hello':\n          return\n        case 'welcome':",
  ),
  store('any epoch takes over', 'hello/old-epoch', "if (epoch <= stored.epoch) return 'stale'", ''),
  store('the same epoch takes over', 'hello/equal-epoch', 'epoch <= stored.epoch', 'epoch < stored.epoch'),
  store(
    'the epoch is that of a session, and forgotten with it',
    'hello/epoch-of-a-new-session',
    'Object.assign(stored, { sid: undefined,',
    'Object.assign(stored, { epoch: 0, sid: undefined,',
  ),
  store(
    'anybody takes over',
    'hello/wrong-key',
    "if (stored.key !== key || stored.principal !== principal) return 'forbidden'",
    '',
  ),
  store('the principal does not matter', 'hello/wrong-principal', ' || stored.principal !== principal', ''),
  store(
    'each hello without a session makes one',
    'hello/virgin-adopted',
    'else if (!isAsked && stored.sid && !stored.virgin)',
    'else if (!isAsked && stored.sid)',
  ),
  store(
    'a lost session is told once only',
    'hello/lost-told-again',
    'stored.tombs.find(tomb => tomb.sid === sid)',
    'stored.tombs.splice(0)[0]',
  ),
  store(
    'a client that has more than was sent is believed',
    'resume/ack-too-high',
    ' || far > stored.acked + stored.tail.length',
    '',
  ),
  store('a client that has less than it had is believed', 'resume/ack-too-low', 'far < stored.acked || ', ''),
  store(
    'a new session counts on',
    'lost/nothing-of-the-old',
    'node: undefined, done: 0,',
    'node: undefined,',
  ),
  store(
    'who is not known is told that all was consumed',
    'resume/unknown',
    "{ reason: 'unknown' }",
    "{ reason: 'unknown', ack: 0 }",
  ),
  outbox('numbers have gaps', 'msg/order', 'entry.seq = numbered.seq + 1', 'entry.seq = numbered.seq + 2'),
  frames(
    'what is in bytes is never text',
    'frames/text-in-bytes',
    "if (typeof data !== 'string' && data[0] !== BRACKET)",
    "if (typeof data !== 'string')",
  ),
  frames(
    'UTF-8 is not looked at',
    'frames/invalid-utf8',
    'return parseText(toText(data))',
    "return parseText(typeof data === 'string' ? data : new TextDecoder().decode(data))",
  ),
  frames(
    'numbers in bytes may be as long as they like',
    'frames/numbers-malformed',
    'return byte || scale === 1 ? value : NaN',
    'return value',
  ),
  frames(
    'extensions are refused',
    'frames/extension',
    "if (isCount(kind, FIRST_EXTENSION)) return { kind: 'unknown' }",
    '',
  ),
  frames(
    'unknown kinds are ignored',
    'frames/unknown-kind',
    'const FIRST_EXTENSION = 64',
    'const FIRST_EXTENSION = 7',
  ),
  frames('another version is no frame', 'hello/version', "v !== 1 ? 'version'", "v < 0 ? 'version'"),
  frames(
    'a hello may be of any length',
    'hello/too-long',
    'const LONGEST_HELLO = 4_096',
    'const LONGEST_HELLO = 40_960',
  ),
  frames('a fraction is a number', 'ack/malformed', 'Number.isSafeInteger(value) &&', ''),
  connection(
    'nobody waits for a hello in vain',
    'hello/first',
    "else if (frame.kind !== 'hello') close(4400, 'hello expected')",
    "else if (frame.kind !== 'hello') return",
  ),
  connection(
    'whoever is not authenticated is welcome',
    'hello/unauthenticated',
    "if (typeof principal !== 'string' || !principal) return close(4401, 'unauthenticated')",
    '',
  ),
  connection(
    'who may not is told to try again',
    'hello/forbidden',
    "if (principal === FORBIDDEN) return close(4403, 'forbidden')",
    '',
  ),
  connection(
    'a hello that does not come in time is a bad one',
    'hello/timeout',
    "close(4408, 'hello timeout')",
    "close(4400, 'hello timeout')",
  ),
]
