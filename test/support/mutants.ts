/** Planted bugs: each is one change to the source of the machine that the suite must refuse. */

export interface Mutant {
  readonly bug: string
  readonly find: string
  readonly replace: string
}

export const mutants: readonly Mutant[] = [
  {
    bug: 'two transports: an attempt is started beside the present one',
    find: "const drop: Effect[] = linked ? ['drop'] : []",
    replace: 'const drop: Effect[] = []',
  },
  {
    bug: 'a deadline that is not due is obeyed',
    find: "if (type === 'deadline') return [state]",
    replace: '',
  },
  {
    bug: 'reconnect opens in a page that is put away',
    find: "type === 'connect' || name === 'suspended' ? [state]",
    replace: "type === 'connect' ? [state]",
  },
  {
    bug: 'the handshake is skipped',
    find: 'return policy.handshake ?',
    replace: 'return false as boolean ?',
  },
  {
    bug: 'welcomed opens whatever is',
    find: "return name === 'handshaking' ? established",
    replace: "return name === 'handshaking' || name === 'waiting' ? established",
  },
  {
    bug: 'closing retries when the server confirms',
    find: "if (name === 'closing') return rest('closed', { ...state, close: { ...event.close, local: true } })",
    replace: '',
  },
  {
    bug: 'closing waits for ever',
    find: "name: 'closing', until: at.now + policy.closeTimeoutMs",
    replace: "name: 'closing', until: Infinity",
  },
  {
    bug: 'close while waiting goes on waiting',
    find: "return over && name !== 'idle' ? [state]",
    replace: "return (over && name !== 'idle') || name === 'waiting' ? [state]",
  },
  {
    bug: 'a page that is put away keeps its transport',
    find: "return over || name === 'suspended' ? [state] : rest('suspended', replaced)",
    replace: 'return [state]',
  },
  {
    bug: 'a restored page trusts its old socket',
    find: "if (name === 'suspended' || name === 'open') return begin(replaced)",
    replace: "if (name === 'suspended') return begin(replaced)",
  },
  {
    bug: 'a restored page stays asleep',
    find: "if (name === 'suspended' || name === 'open') return begin(replaced)",
    replace: "if (name === 'open') return begin(replaced)",
  },
  {
    bug: 'offline strands us',
    find: 'Math.max(state.until, at.now + OFFLINE_RETRY_MS)',
    replace: 'Infinity',
  },
  {
    bug: 'offline brings a retry forward',
    find: 'Math.max(state.until, at.now + OFFLINE_RETRY_MS)',
    replace: 'at.now + 1',
  },
  { bug: 'while offline, attempts go on as ever', find: 'at.online ? 0 : OFFLINE_RETRY_MS', replace: '0' },
  {
    bug: 'online overrules the server',
    find: 'Math.max(waiting.notBefore, at.now + at.random * PROMPT_MS)',
    replace: 'at.now + at.random * PROMPT_MS',
  },
  {
    bug: 'online puts a wait off',
    find: 'return until < waiting.until ?',
    replace: 'return until !== waiting.until ?',
  },
  {
    bug: 'an open connection without heartbeat is given up',
    find: 'heartbeat ? now + heartbeat.intervalMs : Infinity',
    replace: 'now + 25',
  },
  {
    bug: 'minimum uptime is not asked for',
    find: 'return upTo - open.since < policy.minUptimeMs ? open',
    replace: 'return false as boolean ? open',
  },
  {
    bug: 'a stable connection does not reset the count',
    find: '{ ...open, attempt: 0, downSince: upTo }',
    replace: '{ ...open, downSince: upTo }',
  },
  {
    bug: 'a late timer judges',
    find: 'if (late && !open.secondChance) return',
    replace: 'if (false as boolean) return',
  },
  {
    bug: 'second chances without end',
    find: 'ask({ ...open, secondChance: true }, at, policy, true)',
    replace: 'ask(open, at, policy, true)',
  },
  {
    bug: 'an answer is overlooked',
    find: 'open.pingedAt === undefined || at.lastSeen >= open.pingedAt',
    replace: 'open.pingedAt === undefined',
  },
  {
    bug: 'after a late answer the deadline is in the past',
    find: 'return at.now < until ? [alive] : ask(alive, at, policy, late)',
    replace: 'return [alive]',
  },
  {
    bug: 'silence is never asked, only judged',
    find: 'return at.now < until ? [alive] : ask(alive, at, policy, late)',
    replace: 'return at.now < until ? [alive] : retry(alive, SILENT, at, policy)',
  },
  {
    bug: 'a watchdog without a message pings',
    find: "...(active ? (['ping'] as const) : [])",
    replace: "...(['ping'] as const)",
  },
  { bug: 'a fatal failure is retried', find: 'const verdict = fatal ? false :', replace: 'const verdict =' },
  { bug: 'fatal codes are retried', find: '!FATAL_CODES.includes(close.code)', replace: 'true' },
  { bug: 'the server asks for patience in vain', find: 'floor, at.online', replace: '0, at.online' },
  {
    bug: 'maxAttempts is never reached',
    find: 'attempt >= policy.maxAttempts',
    replace: 'attempt > policy.maxAttempts + 1',
  },
  {
    bug: 'failures are not counted',
    find: 'const attempt = story.attempt + 1',
    replace: 'const attempt = story.attempt',
  },
  {
    bug: 'a lost transport is not dropped',
    find: "return [{ ...next, name: 'waiting' }, 'drop']",
    replace: "return [{ ...next, name: 'waiting' }]",
  },
  {
    bug: 'an attempt is not bounded',
    find: "name: 'connecting', until: at.now + policy.connectTimeoutMs",
    replace: "name: 'connecting', until: Infinity",
  },
  {
    bug: 'the queue is not flushed',
    find: "secondChance: false }, 'flush']",
    replace: 'secondChance: false }]',
  },
]
