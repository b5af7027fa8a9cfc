/** Planted bugs: each is one change to the source of the machine that the suite must refuse. */

export interface Mutant {
  readonly bug: string
  readonly find: string
  readonly replace: string
}

const mutant = (bug: string, find: string, replace: string): Mutant => ({ bug, find, replace })

export const mutants: readonly Mutant[] = [
  mutant('an attempt is started beside the present one', 'if (from >= to)', 'if (!entered)'),
  mutant('a lost transport is not dropped', 'if (from >= to)', "if (entered === 'connecting' && from >= to)"),
  mutant(
    'replaced in connecting, no attempt is started',
    " || (entered === 'connecting' && next !== previous)",
    '',
  ),
  mutant('the queue is not flushed', 'if (entered)', "if (entered && entered !== 'open')"),
  mutant(
    'whoever awaits an answer has not asked',
    'next.pingedAt > previous.pingedAt',
    'next.pingedAt < previous.pingedAt',
  ),
  mutant('a deadline that is not due is obeyed', "if (type === 'deadline') return state", ''),
  mutant('an attempt is not bounded', 'until: at.now + at.connectTimeoutMs', 'until: Infinity'),
  mutant(
    'reconnect opens in a page that is put away',
    "return type === 'connect' || name === 'suspended' ? state",
    "return type === 'connect' ? state",
  ),
  mutant('connect pre-empts a wait', "return type === 'connect' || name", 'return name'),
  mutant('the handshake is skipped', 'return at.handshake ?', 'return false as boolean ?'),
  mutant(
    'welcomed opens whatever is',
    "return name === 'handshaking' ? established",
    "return name === 'handshaking' || name === 'waiting' ? established",
  ),
  mutant(
    'closing retries when the server confirms',
    "if (name === 'closing') return rest('closed', { ...state, close: { ...event.close, local: true } })",
    '',
  ),
  mutant('closing waits for ever', 'until: at.now + at.closeTimeoutMs', 'until: Infinity'),
  mutant(
    'close while waiting goes on waiting',
    'if (isOver(state)) return state',
    "if (isOver(state) || name === 'waiting') return state",
  ),
  mutant(
    'a page that is put away keeps its transport',
    "return linked || name === 'waiting' ? rest('suspended', replaced) : state",
    'return state',
  ),
  mutant(
    'a restored page trusts its old socket',
    "if (name === 'suspended' || name === 'open') return begin({",
    "if (name === 'suspended') return begin({",
  ),
  mutant(
    'a restored page stays asleep',
    "if (name === 'suspended' || name === 'open') return begin({",
    "if (name === 'open') return begin({",
  ),
  mutant('offline strands us', 'Math.max(state.until, offlineUntil(state, at))', 'Infinity'),
  mutant('offline brings a retry forward', 'Math.max(state.until, offlineUntil(state, at))', 'at.now + 1'),
  mutant(
    'while offline, attempts go on as ever',
    'at.online ? usual : Math.max(usual, offlineUntil(story, at))',
    'usual',
  ),
  mutant(
    'online overrules the server',
    'Math.max(waiting.notBefore, at.now + at.random * PROMPT_MS)',
    'at.now + at.random * PROMPT_MS',
  ),
  mutant('online puts a wait off', 'return until < waiting.until ?', 'return until !== waiting.until ?'),
  mutant(
    'an open connection without heartbeat is given up',
    'until: lastSeen + heartbeat.intervalMs',
    'until: lastSeen + Math.min(25, heartbeat.intervalMs)',
  ),
  mutant('minimum uptime is not asked for', 'upTo - open.since < at.minUptimeMs ?', '(false as boolean) ?'),
  mutant(
    'a stable connection does not reset the count',
    '{ ...open, attempt: 0, downSince',
    '{ ...open, downSince',
  ),
  mutant('a late timer judges', 'if (late && !open.secondChance)', 'if (false as boolean)'),
  mutant('second chances without end', 'ask({ ...open, secondChance: true }, at', 'ask(open, at'),
  mutant('an answer is overlooked', 'if (at.lastSeen >= open.pingedAt)', 'if (!open.pingedAt)'),
  mutant(
    'after a late answer the deadline is in the past',
    'return at.now < alive.until ? alive : ask(alive, at, late)',
    'return alive',
  ),
  mutant(
    'silence is never asked, only judged',
    'return at.now < alive.until ? alive : ask(alive, at, late)',
    "return at.now < alive.until ? alive : retry(alive, ended(1006, ''), at)",
  ),
  mutant(
    'a watchdog without a message asks when it is online',
    'at.lastSeen >= state.pingedAt && probes(at)',
    'at.lastSeen >= state.pingedAt',
  ),
  mutant(
    'who answered is not asked again until the deadline of the last question',
    'at.lastSeen >= state.pingedAt && probes(at)',
    '!state.pingedAt && probes(at)',
  ),
  mutant(
    'the time that it took to find out counts as outage',
    '{ ...open, attempt: 0, downSince: at.now }',
    '{ ...open, attempt: 0, downSince: upTo }',
  ),
  mutant(
    'the time that the page was away counts as outage',
    'begin({ ...replaced, downSince: at.now })',
    'begin(replaced)',
  ),
  mutant('a fatal failure is retried', 'const verdict = fatal ? false :', 'const verdict ='),
  mutant('fatal codes are retried', '!FATAL_CODES.includes(close.code)', 'true'),
  mutant(
    'the server asks for patience in vain',
    'chosen ? verdict : floorMs(close, at.random)',
    'chosen ? verdict : 0',
  ),
  mutant('maxAttempts is never reached', 'attempt >= at.maxAttempts', 'attempt > at.maxAttempts + 1'),
  mutant('maxElapsedMs is never reached', 'until - story.downSince > at.maxElapsedMs', 'false'),
  mutant('failures are not counted', 'const attempt = story.attempt + 1', 'const attempt = story.attempt'),
]
