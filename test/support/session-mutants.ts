/** Planted bugs: each is one change to the source of the session, which a schedule or the simulation must refuse. */

export interface SessionMutant {
  readonly bug: string
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Why nobody can see a difference. */
  readonly equivalent?: string
}

const planted =
  (file: string) =>
  (bug: string, find: string, replace: string, equivalent?: string): SessionMutant => ({
    bug,
    file,
    find,
    replace,
    ...(equivalent && { equivalent }),
  })

const session = planted('core/session')
const client = planted('core/client')
const registry = planted('core/registry')
const census = planted('core/census')
const store = planted('core/store')
const outbox = planted('core/outbox')
const frames = planted('wire/frames')

/** Those that the protocol's study had planted in its model. */
const OF_THE_STUDY: readonly SessionMutant[] = [
  client('an epoch for each success, not for each attempt', 'epoch: ++epoch', 'epoch: epoch || ++epoch'),
  store('any epoch takes over', "if (epoch <= stored.epoch) return 'stale'", ''),
  session('a duplicate is delivered', 'if (seq > received) {', 'if (seq <= received + 1) {'),
  session('a resumed session does not go back', '      outbox.rewind()\n', ''),
  client(
    'data before the welcome',
    'const { ack, ...takes } = session.position()',
    'const { ack, ...takes } = session.position()\n      if (sid) session.start({ ...takes, ack: outbox.acked.seq })',
  ),
  session('there is no window', 'Math.min(peer.win, allowance, LARGEST_WINDOW)', 'Infinity'),
  session(
    'what is received is acknowledged, not what is consumed',
    'received = seq\n',
    'received = done = seq\n',
  ),
  client(
    'a lost session is not reported',
    'output.lost({ ...tombstone, undelivered, received })',
    'void [undelivered, received]',
  ),
  registry(
    'the tombstone counts what was received, not what was consumed',
    'const isOurs = store.end(session.lease, token, now)',
    'while (session.half.done < session.half.received) { store.recv(session.lease); session.half.consumed(now) }\n    const isOurs = store.end(session.lease, token, now)',
  ),
  store(
    'each hello without a session makes one',
    'else if (!isAsked && stored.sid && !stored.virgin)',
    'else if (!isAsked && stored.sid)',
  ),
  store(
    'the old owner may go on at another node',
    'stored.sid === sid && stored.epoch === epoch',
    'stored.sid === sid',
  ),
  registry(
    'frames of old connections are heard',
    'if (session.connection !== connection) return\n      if (!session.touched)',
    'if (!session.touched)',
    'numbers make a zombie harmless at one node, and the store keeps another node out',
  ),
]

const OF_ONE_HALF: readonly SessionMutant[] = [
  session('a peer may ask for any window', ', LARGEST_WINDOW)', ')'),
  session('a gap is accepted', "if (seq > received + 1) return bad('gap')", ''),
  session('who exceeds the window is not stopped', "if (seq > done + win) return bad('too many')", ''),
  session('an echo of what was never sent is delivered', "return bad('not an echo')", ''),
  session('the impossible is acknowledged', 'if (ack > outbox.numbered.seq)', 'if (ack < 0)'),
  session('old acks count', 'else if (ack > outbox.acked.seq)', 'else if (ack >= 0)'),
  session('no slow start', 'const FIRST_WINDOW = 16', 'const FIRST_WINDOW = 1_000'),
  session('slow start for ever', 'allowance += ack - outbox.acked.seq', ''),
  session('each connection inherits the window', '      allowance = FIRST_WINDOW\n', ''),
  session('the first acks come late', 'const FIRST_ACK_MESSAGES = 8', 'const FIRST_ACK_MESSAGES = 128'),
  session('acks are as frequent as at first for ever', ' + (told - base) / 2', ''),
  session('each connection inherits the rhythm of acks', '      base = told\n', ''),
  session('a small window waits for a large ack', 'ACK_MESSAGES, win / 2', 'ACK_MESSAGES, win * 2'),
  session('acks are never late', 'else until = Math.min(until, now + ACK_DELAY_MS)', ''),
  session(
    'each message puts the ack off',
    'until = Math.min(until, now + ACK_DELAY_MS)',
    'until = now + ACK_DELAY_MS',
    'a stream fills the threshold; only its rhythm differs',
  ),
  session('a megabyte is not acknowledged before its time', '|| untoldBytes >= ACK_BYTES', ''),
  session('what came is never forgotten', '    untoldBytes = 0\n', ''),
  session('an ack that travelled travels again', '    told = done\n', ''),
  session('acks are acknowledged', 'if (live && told < done)', 'if (live)'),
  session('a timer that was set stays set', '    until = Infinity\n    return done', '    return done'),
  session('numbers are given too early', 'if (!entry.seq && entry.bytes > peer.max)', 'if (entry.bytes < 0)'),
  session('a full transport is filled', '!entry || !output.hasRoom()', '!entry'),
  session('a ping in an echo is answered', 'if (loopback) output.pong()\n          else', ''),
  session('an ack does not make the pump go on', '      pump(now)\n    },\n    pump,', '    },\n    pump,'),
  session(
    'volatile messages are written without a connection',
    'const isSent = live && bytes',
    'const isSent = bytes',
  ),
  session('volatile messages are too large for the peer', ' && bytes <= peer.max', ''),
  session('what is too large is delivered', "if (data.length > max) return bad('too large', 4413)", ''),
  session('bad luck is poison', 'position === struckAt ? strikes + 1 : 1', 'strikes + 1'),
  session('poison is never given up', 'return strikes >= STRIKES', 'return false'),
  session('a tombstone is not believed', 'entry.certain = isKnown', 'entry.certain = false'),
  session('everything is certain', 'entry.certain = isKnown', 'entry.certain = true'),
  session(
    'what the tombstone says was consumed is lost',
    'if (isKnown) output.settled(outbox.acknowledge(ack))',
    '',
  ),
  session(
    'after a bad frame it goes on',
    '    live = false\n    until = Infinity\n    output.close',
    '    output.close',
  ),
  session('a session that stopped hears', 'if (!live) return\n      if (typeof frame', 'if (typeof frame'),
  session('hello in between is ignored', "return bad('handshake out of turn')", 'return'),
  session(
    'what was consumed before a new connection stays consumed twice',
    'if (done === received) return\n',
    '',
    'whoever consumes, consumes each delivery once: this only guards against a shell that does not',
  ),
]

const OF_CLIENT_AND_SERVER: readonly SessionMutant[] = [
  client(
    'closed for good, and yet it goes on',
    '      begin()\n      return outbox.clear()',
    '      return outbox.clear()',
  ),
  registry('who is gone takes over', 'if (connection.isClosed) return', ''),
  store('tombstones are for ever', 'until > now)', 'until > 0)'),
  client('the welcome to an old hello counts', 'if (frame.welcome.nonce === nonce) welcomed', 'welcomed'),
  client(
    "another's hello counts as ours",
    'if (frame.hello.nonce === nonce) welcomed',
    'if (nonce) welcomed',
  ),
  client(
    'an echo that tells of others goes on',
    "if (sid === LOOPBACK && typeof frame !== 'string' && frame.kind === 'hello') output.unsupported()",
    '',
  ),
  client(
    'an echo begins where another session was',
    'newSid === LOOPBACK && !isResumed ? 0 : (peer.ack ?? 0)',
    'peer.ack ?? 0',
  ),
  client(
    'an echo is not known as one',
    'sid === LOOPBACK)\n    output.welcomed',
    'false)\n    output.welcomed',
  ),
  client('a position that cannot be is believed', 'if (far) {', 'if (far > 9) {'),
  client(
    'a session that cannot be is kept',
    "if (sid) lose({ reason: far < 0 ? 'regressed' : 'invalid' })",
    '',
  ),
  client(
    'what was consumed during the handshake waits',
    '    session.flush()\n',
    '',
    'the next message consumed or sent acknowledges it, and the server needs no ack to go on that it has in the hello',
  ),
  client('queued messages wait for the next', '    session.pump(now)\n', ''),
  client('small talk without end', '++strays > MAX_STRAYS', 'strays > MAX_STRAYS'),
  client('small talk adds up', '      strays = 0\n', ''),
  client('silence without end', '++timeouts >= MAX_TIMEOUTS', 'timeouts >= MAX_TIMEOUTS'),
  client(
    'a lost connection is silence',
    'isUnanswered && isTimeout && ++timeouts',
    'isUnanswered && ++timeouts',
  ),
  client('silence is never forgiven', 'timeouts = denials = 0', 'denials = 0'),
  client('refused credentials are tried for ever', 'denials++ ? false : 0', '0'),
  client('who was told to stop goes on', 'FATAL_CODES.includes(code) ? false : undefined', 'undefined'),
  client('a session that is gone is kept', "if (code === 4410 && sid) lose({ reason: 'gone' })", ''),
  client(
    'poison is forever',
    "&& session.strike() && sid) lose({ reason: 'poison' })",
    '&& session.strike() && sid);',
  ),
  client(
    'the connection is gone and it goes on writing',
    'nonce = undefined\n      session.stop()\n',
    'nonce = undefined\n',
  ),
  client(
    'another version is small talk',
    "if (frame === 'version') output.close(4426, frame)\n      else ",
    '',
  ),
  client(
    'a new session counts on',
    '    session = createSession(outbox, output, limits)\n    sid = undefined',
    '    sid = undefined',
  ),
  client(
    'a session that was lost is asked for again',
    'begin()\n    output.lost',
    'session = createSession(outbox, output, limits)\n    output.lost',
  ),
  registry('whoever was there goes on writing', '    session.connection = undefined\n    half.stop()\n', ''),
  registry(
    'two connections, one session',
    "        unbind(session, 4409, 'superseded')\n        // What",
    '        // What',
  ),
  registry('what a node remembers is trusted', ' && taken.owner === node', ''),
  registry(
    'whatever is consumed counts',
    'const isOurs = sessions.get(session.id) === session && store.recv(session.lease)',
    'const isOurs = true',
  ),
  registry(
    'numbers are given by whoever was the owner',
    'const isOurs = store.push(session.lease, entry)',
    'const isOurs = true',
  ),
  registry(
    'acknowledged messages stay in the store',
    'if (!store.ack(session.lease, outbox.acked.seq)) leave(session)',
    '',
  ),
  registry('a session without a connection is kept for ever', 'session.until = now + ttlMs\n', '\n'),
  registry('a session that was resumed expires', 'connection, until: Infinity })', 'connection })'),
  registry('an outbox without end', 'if (isFull && !session.connection)', 'if (isFull && isIn)'),
  registry(
    'the client says goodbye and is waited for',
    "if (code === 1000) end(session, 'closed', code, now)\n      else ",
    '',
  ),
  registry(
    'the end of an old connection ends the session',
    'if (session?.connection !== connection) return\n      session.connection',
    'if (!session) return\n      session.connection',
  ),
  registry('hello twice', "if (connection.session) return link.close(4400, 'handshake out of turn')", ''),
  registry(
    'the store does not know that the client knows',
    'if (!session.touched) session.touched = store.touch(session.lease)',
    '',
  ),
  registry('a session that is taken over starts from nothing', 'while (outbox.peek()) outbox.advance()', ''),
  registry(
    'consumed messages are consumed again by the next node',
    '      { win, max },\n      done,',
    '      { win, max },\n      0,',
  ),
  registry('no tick, no ack', 'else session.half.tick(now)', ''),
  store(
    'anybody takes over',
    "if (stored.key !== key || stored.principal !== principal) return 'forbidden'",
    '',
  ),
  store('the principal does not matter', ' || stored.principal !== principal', ''),
  store(
    'a lost session is told once only',
    'stored.tombs.find(tomb => tomb.sid === sid)',
    'stored.tombs.at(-1)',
  ),
  store('tombstones are forgotten', 'stored.tombs.push({ sid, reason, ack, until: now + TOMB_MS })', ''),
  store(
    'a client that has more than was sent is believed',
    ' || far > stored.acked + stored.tail.length',
    '',
  ),
  store('what was acknowledged stays', 'else if (isAsked) prune(stored, far)', ''),
  outbox('numbers have gaps', 'entry.seq = numbered.seq + 1', 'entry.seq = numbered.seq + 2'),
  outbox('what was put back comes last', 'else put(entry, outbox.numbered)', 'else put(entry, root.before)'),
  outbox('what may have arrived is certain', '        entry.certain = false\n', ''),
  outbox(
    'an ack of what is to be sent again leaves the cursor behind',
    '      if (outbox.sent === entry) outbox.sent = root\n',
    '',
  ),
  outbox('expired messages are sent', 'if (outbox.sent === outbox.numbered) prune(now)', ''),
  frames('numbers end at 32 bits', 'Math.floor(value / 128)', 'value >> 7'),
  frames(
    'what is binary is not text',
    "if (typeof data !== 'string' && data[0] !== BRACKET)",
    "if (typeof data !== 'string')",
  ),
]

const OF_THE_OUTBOX: readonly SessionMutant[] = [
  outbox('numbers begin again from where they were', '      root.seq = 0\n', ''),
  outbox('a full queue drops what is in flight', 'drop(outbox.numbered.after', 'drop(root.after'),
  outbox('what cannot fit drops the others', ' || bytes > maxBytes)', ')'),
  outbox('a refused message replaces nevertheless', '        if (old) put(old, before)\n', ''),
  outbox('what replaces goes to the tail', 'const { before } = old ?? root', 'const { before } = root'),
  outbox(
    'what replaces is put behind what was dropped',
    'before.after === before ? outbox.numbered : before',
    'before',
  ),
  outbox('a key is remembered after its message went', '      keyed.delete(entry.key)\n', ''),
  outbox('no key is a key', 'if (entry.key !== undefined) keyed', 'keyed'),
  outbox(
    'what is in flight can be taken back',
    '!entry.seq && entry.after !== entry',
    'entry.after !== entry',
  ),
  outbox('what is gone can be taken back again', '!entry.seq && entry.after !== entry', '!entry.seq'),
  outbox('a sweep expires what is in flight', 'if (!entry.seq && !expires', 'if (!expires'),
  outbox('a sweep forgets when to come again', 'remind(entry)\n    },', 'void entry\n    },'),
  outbox('expired a moment late', 'entry.expiresAt <= now', 'entry.expiresAt < now'),
  outbox(
    'what is gone still counts as in flight',
    'if (entry.seq) outbox.inFlightBytes += bytes',
    'if (entry.seq) outbox.inFlightBytes += entry.bytes',
  ),
  outbox(
    'half of a message has left, so all of it has',
    'outbox.inFlightBytes - entry.bytes >= buffered',
    'outbox.inFlightBytes > buffered',
  ),
  outbox('of two with a key the earlier is put back', '[...entries].reverse()', '[...entries]'),
  outbox(
    'what is put back takes the place of what is newer',
    'if (keyed.has(entry.key))',
    'if (keyed.has(entry))',
  ),
]

/** What an attacker would like. */
const OF_LIMITS: readonly SessionMutant[] = [
  registry('one message that never fits ends a session', ' && entry.bytes <= queue.maxBytes', ''),
  registry(
    'bytes in flight without end',
    '(isAgain || outbox.inFlightBytes < maxInFlightBytes)',
    '(isAgain || outbox.inFlightBytes < Infinity)',
  ),
  registry(
    'what has to be sent again waits for itself',
    '(isAgain || outbox.inFlightBytes < maxInFlightBytes)',
    '(outbox.inFlightBytes < maxInFlightBytes)',
  ),
  registry('who is refused takes a place', "      if (inTheWay) end(inTheWay, 'evicted', 1000, now)\n", ''),
  registry(
    'who resumes takes a place',
    'sessions.has(id) ? undefined : census.inTheWay(principal)',
    'census.inTheWay(principal)',
  ),
  registry(
    'the crowded are let in',
    "if (typeof inTheWay === 'string') return output.crowded(connection, inTheWay)",
    "if (typeof inTheWay === 'string') output.crowded(connection, inTheWay)",
  ),
  registry('who is back can be evicted', '      else census.back(session)\n', ''),
  registry('who has left is not counted', '        census.left(session, kept(session))\n', ''),
  registry('what ended is counted', '    census.ended(session)\n', ''),
  registry(
    'too much is kept for those who left',
    '        relieve(now)\n      }\n    },\n    send',
    '      }\n    },\n    send',
  ),
  registry(
    'what is sent to those who left is not counted',
    '      relieve(now)\n      return isIn',
    '      return isIn',
  ),
  registry('what has expired counts against the others', '      census.weigh(heavy, kept(heavy))\n', ''),
  census('one principal may have all', 'own.all >= sessionsPerPrincipal', 'own.all > sessions'),
  census(
    'the limit of one is paid by another',
    'return own.away.values().next().value',
    'return away.keys().next().value',
  ),
  census('sessions without end', 'all < sessions ?', 'all < Infinity ?'),
  census('who keeps nothing has to go', 'if (bytes) return session', 'return session'),
  census('a principal is remembered for ever', 'own && !--own.all', 'own && !own.all'),
  store('tombs without end', '    if (stored.tombs.length > tombs) stored.tombs.shift()\n', ''),
  store('a client is buried for each session', 'own.size > deadPerPrincipal', 'own.size > Infinity'),
  store('the dead without end', 'graves.size > dead', 'graves.size > Infinity'),
  store('who has come back is forgotten', '      revive(id, principal)\n', ''),
]

export const mutants: readonly SessionMutant[] = [
  ...OF_LIMITS,
  ...OF_THE_STUDY,
  ...OF_ONE_HALF,
  ...OF_CLIENT_AND_SERVER,
  ...OF_THE_OUTBOX,
]
