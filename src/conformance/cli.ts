/** The command `reconnecting-socket-conformance`: judges a server, or with `client` a client, rule by rule. */

import { parseArgs } from 'node:util'
import forClients from '../../docs/protocol/client-exchanges.json'
import forServers from '../../docs/protocol/exchanges.json'
import { judgeClient } from './client'
import type { Outcome } from './player'
import { json, text } from './report'
import { judgeServer } from './server'
import { clientExchanges, serverExchanges } from './steps'

const USAGE = `Judges whether a server, or a client, speaks reconnecting-socket.v1.

  reconnecting-socket-conformance [options] ws://host:port/path
  reconnecting-socket-conformance client [options] -- command [arguments]

The command of a client is started for each rule, with an address as its last argument.

  --only name       only this rule, or with a slash at its end all rules of that group; may be repeated
  --timeout ms      how long an answer may take (2000)
  --parallel n      exchanges that are played at the same time (8)
  --allow-skipped   rules that cannot be judged are no failure
  --verbose         shows what was played, of rules that pass too
  --json            for programs
  --list            only names the rules

It ends with 0 if all rules pass, with 1 if one does not, with 2 if nobody could be judged.
`

class Misuse extends Error {}

const count = (name: string, value: string): number => {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new Misuse(`--${name}: expected a whole number from 1`)
}

const chosen = <Item extends { readonly rule: string }>(all: readonly Item[], only: readonly string[]) => {
  const isMeant = (name: string, rule: string) => (name.endsWith('/') ? rule.startsWith(name) : rule === name)
  for (const name of only)
    if (!all.some(({ rule }) => isMeant(name, rule))) throw new Misuse(`--only: there is no rule ${name}`)
  return only.length ? all.filter(({ rule }) => only.some(name => isMeant(name, rule))) : all
}

const parse = (args: string[]) => {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        timeout: { type: 'string', default: '2000' },
        parallel: { type: 'string', default: '8' },
        'allow-skipped': { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new Misuse((error as Error).message)
  }
}

/** @returns the exit code */
const main = async (args: string[]): Promise<number> => {
  const { values, positionals } = parse(args)
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const isClient = positionals[0] === 'client'
  const asked = isClient ? positionals.slice(1) : positionals
  const serverRules = chosen(serverExchanges.parse(forServers).exchanges, isClient ? [] : values.only)
  const clientRules = chosen(clientExchanges.parse(forClients).exchanges, isClient ? values.only : [])
  if (values.list) {
    for (const { rule, sentence } of isClient ? clientRules : serverRules) console.log(`${rule}  ${sentence}`)
    return 0
  }
  const judging = {
    timeoutMs: count('timeout', values.timeout),
    parallel: count('parallel', values.parallel),
  }
  const judge = (): Promise<Outcome[]> => {
    if (isClient && asked.length) return judgeClient(asked, clientRules, judging)
    const [url = '', ...rest] = asked
    if (!isClient && !rest.length && /^wss?:\/\//.test(url)) return judgeServer(url, serverRules, judging)
    throw new Misuse(isClient ? 'client: expected a command' : 'expected one address, ws:// or wss://')
  }
  const outcomes = await judge()
  console.log(values.json ? json(outcomes) : text(outcomes, values.verbose))
  const isGood = ({ verdict }: Outcome) =>
    verdict === 'pass' || (verdict === 'skip' && values['allow-skipped'])
  return outcomes.every(isGood) ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Misuse ? `${error.message}\n\n${USAGE}` : (error as Error).message)
  process.exitCode = 2
}
