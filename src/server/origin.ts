/**
 * From which pages a server may be visited. A browser says in each WebSocket's request which page opened it (RFC 6455
 * §10.2, RFC 6454 §7), and sends our cookies with it whatever page that is; nobody else says so, or may say anything.
 */

/** Whether a page, by its origin, may open a connection. */
export type OriginCheck<Request = unknown> = (origin: string | undefined, request: Request) => boolean

/** As browsers spell it: scheme, host, and a port that is not the usual one; or `null`, for pages without any. */
export const isOrigin = (value: unknown): boolean => {
  if (typeof value !== 'string') return false
  if (value === 'null') return true
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#\s]+$/.test(value)) return false
  try {
    const { origin } = new URL(value)
    // Of schemes that it does not know, such as those of extensions, it says nothing
    return origin === 'null' || origin === value
  } catch {
    return false
  }
}

/**
 * The header of a request as Node has it, with `headers` as an object of lower-case names; or as `fetch` has it, with
 * `headers.get`.
 * @returns `undefined` if there is none; `false` if this is no such request
 */
export const originOf = (request: unknown): string | undefined | false => {
  const { headers }: { readonly headers?: unknown } = Object(request)
  if (!headers || typeof headers !== 'object') return false
  const { get }: { readonly get?: unknown } = headers
  const origin: unknown =
    typeof get === 'function' ? get.call(headers, 'origin') : (headers as { origin?: unknown }).origin
  return origin === undefined || origin === null ? undefined : String(origin)
}

/**
 * Those who say no origin are no browsers, and need none to be let in: what they are is for `authenticate` to say. A
 * request that cannot be read is refused, or a list would be there for nothing.
 */
export const mayEnter = (origins: readonly string[] | OriginCheck | undefined, request: unknown): boolean => {
  if (!origins) return true
  const origin = originOf(request)
  // A promise would be as good as yes
  if (typeof origins === 'function') return origins(origin || undefined, request) === true
  return origin === undefined || (origin !== false && origins.includes(origin))
}
