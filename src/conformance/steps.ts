/**
 * The format of `docs/protocol/exchanges.json` and `docs/protocol/client-exchanges.json`: what an exchange may consist
 * of. docs/CONFORMANCE.md tells what each step means, for those who play them in another language.
 */

import * as z from 'zod'

/** JSON with variables: see `pattern.ts`. */
const json = z.unknown().refine(value => value !== undefined)
const name = z.string().regex(/^\w+$/)
/** A number, or a variable that is one. */
const amount = z.union([z.number(), z.string().regex(/^\$\w+?([+-]\d+)?$/)])
const fields = z.record(z.string(), json)
const hex = z.string().regex(/^([\da-f]{2} ?)*$/)

/** The connection that it is about: if none is named, the one that was made last. */
const on = name.optional()
/** Of the step, for each `$n` from the first to the last. */
const n = z.tuple([amount, amount]).optional()
/** How long it may take, in ms. */
const within = amount.optional()

const connect = z.strictObject({
  connect: name,
  hello: z.union([fields, z.literal(false)]).optional(),
  without: z.array(z.string()).optional(),
  welcome: json.optional(),
})

const accept = z.strictObject({
  accept: name,
  hello: json.optional(),
  welcome: fields.optional(),
  without: z.array(z.string()).optional(),
  within,
})

const common = [
  z.strictObject({ send: json, on, n, binary: z.literal(true).optional() }),
  z.strictObject({ sendText: z.string(), on }),
  z.strictObject({ sendBinary: hex, on }),
  z.strictObject({ expect: json, on, n, within, past: z.array(json).optional() }),
  z.strictObject({ expectAck: amount, on, within }),
  z.strictObject({
    expectNothing: amount,
    on,
    ackAtMost: amount.optional(),
    acks: z.literal(false).optional(),
  }),
  z.strictObject({
    expectClose: z.union([z.int(), z.array(z.int())]),
    on,
    within,
    reason: json.optional(),
    orSkip: z.string().optional(),
  }),
  z.strictObject({ drop: name }),
  z.strictObject({ close: name, code: z.int().optional(), reason: z.string().optional() }),
  z.strictObject({ pause: name }),
  z.strictObject({ unpause: name }),
  z.strictObject({ wait: amount }),
] as const

const hello = z.strictObject({
  hello: fields,
  without: z.array(z.string()).optional(),
  on,
  binary: z.literal(true).optional(),
})

const welcome = z.strictObject({ welcome: fields, without: z.array(z.string()).optional(), on })

const expectNoConnection = z.strictObject({ expectNoConnection: amount })

const rule = {
  /** A stable name: what it is about, and what about it. */
  rule: z.string().regex(/^[a-z]+\/[a-z\d-]+$/),
  /** What whoever is judged must do. */
  sentence: z.string().min(1),
  /** What has to be so for this to be played, as a pattern for what is known of the server. */
  needs: fields.optional(),
  /** How long all may take from the first connection on, in ms. */
  limit: z.int().optional(),
}

const file = <Step extends z.ZodType>(step: Step) =>
  z.strictObject({
    protocol: z.literal('reconnecting-socket.v1'),
    exchanges: z
      .array(z.strictObject({ ...rule, steps: z.array(step).min(1) }))
      .refine(all => new Set(all.map(({ rule }) => rule)).size === all.length, 'each rule once'),
  })

/** Played by a client, to judge a server. */
export const serverExchanges = file(z.union([connect, hello, ...common]))

/** Played by a server, to judge a client. */
export const clientExchanges = file(z.union([accept, welcome, expectNoConnection, ...common]))

export type ServerExchange = z.output<typeof serverExchanges>['exchanges'][number]
export type ClientExchange = z.output<typeof clientExchanges>['exchanges'][number]
export type Exchange = ServerExchange | ClientExchange
export type Step = Exchange['steps'][number]
export type StepOf<Action extends string> = Extract<Step, Readonly<Record<Action, unknown>>>
