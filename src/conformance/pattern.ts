/**
 * Templates and patterns, as exchanges write them: JSON in which `"$name"` stands for a variable. A template is filled
 * with what is known; a pattern is held against what came, and what it names for the first time is known from then on.
 */

export type Variables = ReadonlyMap<string, unknown>

/** `$name`, `$name+1`, `$name-2`. */
const VARIABLE = /^\$(\w+?)(?:([+-])(\d+))?$/

interface Reference {
  readonly name: string
  readonly offset: number
}

const reference = (value: unknown): Reference | undefined => {
  const [, name, sign, digits] = (typeof value === 'string' && VARIABLE.exec(value)) || []
  return name ? { name, offset: Number(`${sign ?? '+'}${digits ?? 0}`) } : undefined
}

const resolve = ({ name, offset }: Reference, variables: Variables): unknown => {
  if (!variables.has(name)) throw new Error(`the exchange uses $${name} before it is known`)
  const value = variables.get(name)
  return offset ? Number(value) + offset : value
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands in the place of something else, such as `{"$pad": 5}`. */
const operator = (value: unknown, name: string): value is Readonly<Record<string, unknown>> =>
  isObject(value) && name in value

/** A copy with variables put in, and `{"$pad": n}` as a text of n characters. */
export const fill = (template: unknown, variables: Variables): unknown => {
  const known = reference(template)
  if (known) return resolve(known, variables)
  if (Array.isArray(template)) return template.map(item => fill(item, variables))
  if (operator(template, '$pad')) return 'x'.repeat(amount(template.$pad, variables))
  if (!isObject(template)) return template
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, fill(value, variables)]))
}

/** A number, or a variable that is one. */
export const amount = (template: unknown, variables: Variables): number => Number(fill(template, variables))

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/**
 * Lists are as long as their pattern. Objects have at least what their pattern has.
 * @param learned what the pattern names for the first time is put in here
 * @returns what is different, and where; `undefined` if nothing is
 */
export const difference = (
  pattern: unknown,
  value: unknown,
  learned: Map<string, unknown>,
  path = '',
): string | undefined => {
  const other = (expected: string) => `${path || 'it'} is ${show(value)}, expected ${expected}`
  const known = reference(pattern)
  if (known) {
    if (known.name === '_') return value === undefined ? other('anything') : undefined
    if (!known.offset && !learned.has(known.name)) {
      learned.set(known.name, value)
      return value === undefined ? other('anything') : undefined
    }
    const expected = resolve(known, learned)
    return Object.is(value, expected) ? undefined : other(show(expected))
  }
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length !== pattern.length) return other(show(pattern))
    return first(pattern, (item, index) => difference(item, value[index], learned, `${path}[${index}]`))
  }
  if (operator(pattern, '$pad')) return difference(fill(pattern, learned), value, learned, path)
  if (operator(pattern, '$absent')) return (value ?? null) === null ? undefined : other('nothing')
  if (operator(pattern, '$text')) return typeof value === 'string' && value ? undefined : other('a text')
  if (operator(pattern, '$not'))
    return difference(pattern.$not, value, learned) ? undefined : other('another')
  if (operator(pattern, '$any')) {
    const choices = pattern.$any as readonly unknown[]
    return choices.some(choice => !difference(choice, value, learned)) ? undefined : other(show(choices))
  }
  if (operator(pattern, '$min') || operator(pattern, '$max')) {
    const least = amount(pattern.$min ?? 0, learned)
    const most = amount(pattern.$max ?? Number.MAX_SAFE_INTEGER, learned)
    const isWithin = Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most
    return isWithin ? undefined : other(`a whole number from ${least} to ${most}`)
  }
  if (isObject(pattern)) {
    if (!isObject(value)) return other(show(pattern))
    return first(Object.entries(pattern), ([name, inner]) =>
      difference(inner, value[name], learned, `${path}.${name}`),
    )
  }
  return Object.is(pattern, value) ? undefined : other(show(pattern))
}

const first = <Item>(
  items: readonly Item[],
  look: (item: Item, index: number) => string | undefined,
): string | undefined => {
  for (const [index, item] of items.entries()) {
    const found = look(item, index)
    if (found !== undefined) return found
  }
  return undefined
}
