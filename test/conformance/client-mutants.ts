/** Planted bugs of a client, and the rule that finds each. */

import { type Mutant, planted } from './rig'

const session = planted('core/session')
const client = planted('core/client')
const lifecycle = planted('core/lifecycle')
const resumable = planted('resumable')
const outbox = planted('core/outbox')

export const mutants: readonly Mutant[] = [
  client(
    'an epoch for each success, not for each attempt',
    'hello/each-attempt',
    'epoch: ++epoch',
    'epoch: epoch || ++epoch',
  ),
  client(
    'a session is not asked for again',
    'hello/resumes',
    '...(sid && { sid, ack }),',
    '...(sid && { ack }),',
  ),
  client(
    'data before the welcome',
    'welcome/nothing-before',
    'const { ack, ...takes } = session.position()',
    'const { ack, ...takes } = session.position()\n      if (sid) queueMicrotask(() => { session.start({ ...takes, ack: outbox.acked.seq }); session.pump(0) })',
  ),
  client(
    'the welcome to an old hello counts',
    'welcome/other-nonce',
    'if (frame.welcome.nonce === nonce) welcomed',
    'welcomed',
  ),
  client('small talk without end', 'welcome/no-server', '++strays > MAX_STRAYS', 'strays > MAX_STRAYS'),
  client('no small talk', 'welcome/preamble', 'const MAX_STRAYS = 8', 'const MAX_STRAYS = 0'),
  client('silence without end', 'welcome/late', '++timeouts >= MAX_TIMEOUTS', 'timeouts >= MAX_TIMEOUTS'),
  client(
    'another version is small talk',
    'welcome/version',
    "if (frame === 'version') output.close(4426, frame)\n      else ",
    '',
  ),
  client(
    'a session that was lost is not told',
    'lost/begins-anew',
    'output.lost({ ...tombstone, undelivered, received })',
    'void [undelivered, received]',
  ),
  session(
    'a tombstone is not looked at',
    'lost/tombstone',
    'if (isKnown) output.settled(outbox.acknowledge(ack))',
    '',
  ),
  client('a position that cannot be is believed', 'lost/ack-too-high', 'if (far) {', 'if (far < 0) {'),
  client('a position that was passed is believed', 'lost/ack-too-low', 'if (far) {', 'if (far > 0) {'),
  client('refused credentials are tried for ever', 'close/unauthenticated', 'denials++ ? false : 0', '0'),
  client(
    'refused credentials are never forgotten',
    'close/unauthenticated-later',
    'timeouts = denials = 0',
    'timeouts = 0',
  ),
  client('who is superseded comes again', 'close/superseded', '4403, 4409, 4410', '4403, 4410'),
  client('who is forbidden comes again', 'close/forbidden', '4403, 4409, 4410', '4409, 4410'),
  client('a session that has ended is asked for again', 'close/normal', '[1000, 4403', '[4403'),
  client('a server that goes away is not waited for', 'close/kept', '[1000, 4403', '[1000, 1001, 4403'),
  client(
    'poison is for ever',
    'poison/three-times',
    "&& session.strike() && sid) lose({ reason: 'poison' })",
    '&& session.strike() && sid);',
  ),
  client(
    "an echo's hello is small talk",
    'echo/own-hello',
    'if (frame.hello.nonce === nonce) welcomed(LOOPBACK, frame.hello, now)\n        else output.unsupported()',
    'output.preamble(frame)',
  ),
  client(
    "another's hello counts as ours",
    'echo/of-others',
    'if (frame.hello.nonce === nonce) welcomed',
    'if (nonce) welcomed',
  ),
  lifecycle(
    'the server asks for patience in vain',
    'close/retry',
    'chosen ? verdict : floorMs(close, at.random)',
    'chosen ? verdict : 0',
  ),
  lifecycle(
    'a server that restarts is called at once',
    'close/restart',
    'if (code === 1012 || code === 1013) return',
    'if (code === 1013) return',
  ),
  resumable(
    'the hb of the server is not heeded',
    'ping/silence',
    'beat.intervalMs = Math.min(hb, settings.heartbeat.intervalMs)',
    'void hb',
  ),
  resumable(
    'what to be authenticated by is asked for once',
    'hello/auth',
    "typeof auth === 'function' ? await auth(context) : auth",
    "typeof auth === 'function' ? await ((auth as { once?: unknown }).once ??= auth(context)) : auth",
  ),
  resumable(
    'each hello has another key',
    'hello/each-attempt',
    'hello = { v: 1, id, key,',
    'hello = { v: 1, id, key: unguessable(16),',
  ),
  session(
    'what is received is acknowledged, not what is consumed',
    'ack/consumed-not-received',
    'position: () => ({ ack: acknowledging(), win, max }),',
    'position: () => ({ ack: received, win, max }),',
  ),
  session('acks are never late', 'ack/in-time', 'else until = Math.min(until, now + ACK_DELAY_MS)', ''),
  session('a megabyte is not acknowledged before its time', 'ack/bytes', '|| untoldBytes >= ACK_BYTES', ''),
  session(
    'the first acks come late',
    'ack/first',
    'const FIRST_ACK_MESSAGES = 8',
    'const FIRST_ACK_MESSAGES = 64',
  ),
  session(
    'the impossible is acknowledged',
    'ack/beyond-sent',
    "if (ack > outbox.numbered.seq) bad('ack of what was not sent')\n    else ",
    '',
  ),
  session('a resumed session does not go back', 'resume/replays', '      outbox.rewind()\n', ''),
  session(
    'a duplicate is delivered',
    'resume/deduplicates',
    'if (seq > received) {',
    'if (seq <= received + 1) {',
  ),
  session('no slow start', 'resume/first-sixteen', 'const FIRST_WINDOW = 16', 'const FIRST_WINDOW = 1_000'),
  session('a gap is accepted', 'msg/gap', "if (seq > received + 1) return bad('gap')", ''),
  session(
    'the window of the server is ignored',
    'window/of-the-server',
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
    'the server is sent what it does not take',
    'size/of-the-server',
    'if (!entry.seq && entry.bytes > peer.max)',
    'if (entry.bytes < 0)',
  ),
  session('a ping is not answered', 'ping/answered', "else output.write({ kind: 'pong' })", ''),
  session(
    'an echo of what was never sent is delivered',
    'echo/not-an-echo',
    "if (loopback && seq > outbox.numbered.seq) return bad('not an echo')",
    '',
  ),
  outbox('numbers have gaps', 'msg/order', 'entry.seq = numbered.seq + 1', 'entry.seq = numbered.seq + 2'),
]
