/** What a value that a user handed over must be, and what it is if there is none. Used for every option there is. */

import { SocketError } from './errors'

/** What an option is settled to: what was asked for, or else the default. Throws for what cannot be. */
export type Rule<T> = (value: unknown, path: string) => T

export const amount =
  (usual: number, least = 1, most = Infinity): Rule<number> =>
  (value = usual, path) =>
    typeof value === 'number' && value >= least && value <= most
      ? value
      : refuse(path, `${least} to ${most}`, value)

/** setTimeout counts in 32 bits. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Of what a timer waits for, in ms. */
export const duration = (usual: number) => amount(usual, 1, LONGEST_TIMER_MS)

/** The first by default. */
export const choice =
  <T>(...choices: readonly T[]): Rule<T> =>
  (value = choices[0], path) =>
    choices.includes(value as T) ? (value as T) : refuse(path, choices.join(' or '), value)

export const optional =
  <T>(type: 'function' | 'object', ...methods: readonly (keyof T & string)[]): Rule<T | undefined> =>
  (value, path) => {
    const has = (method: string) => typeof (value as Record<string, unknown>)[method] === 'function'
    const fits = value && typeof value === type && methods.every(has)
    return value === undefined || fits ? (value as T) : refuse(path, [type, ...methods].join(' '), value)
  }

export const group =
  <T extends object>(rules: { readonly [name in keyof T]-?: Rule<T[name]> }): Rule<T> =>
  (value = {}, path) => {
    const given = Object(value)
    if (given !== value) refuse(path || 'options', 'object', value)
    const settled: Partial<T> = {}
    for (const name in { ...given, ...rules } as typeof rules) {
      const at = path && `${path}.`
      const rule = rules[name] ?? refuse(at + name, 'nothing by this name', given[name])
      settled[name] = rule(given[name], at + name)
    }
    return settled as T
  }

export const refuse = (option: string, expected: string, value: unknown): never => {
  // Objects are only named by their type: their own toString may throw, or tell a secret
  const got = Object(value) === value ? typeof value : JSON.stringify(value)
  throw new SocketError('invalid-option', `${option}: expected ${expected}, got ${got}`)
}
