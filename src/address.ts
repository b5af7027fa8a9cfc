/** Where to connect to, and by which subprotocols: checked as a browser would, before it is asked. */

import type { Provider } from './options'
import { refuse } from './rules'

/** A value is checked, and resolved, once: the page may move to another address by pushState. */
export const provider = <T, Checked extends T>(
  asked: Provider<T>,
  check: (value: T) => Checked,
): Provider<T> => (typeof asked === 'function' ? asked : check(asked as T))

/**
 * Resolves a relative URL against the page, and `http(s)` to `ws(s)`, as the WHATWG WebSocket constructor does.
 * @throws SocketError `invalid-option`
 */
export const checkUrl = (input: string | URL): string => {
  try {
    // A token that is missing must not become ws://server/undefined
    const { href } = new URL(
      typeof input === 'string' ? input : input.href.slice(),
      globalThis.document?.baseURI ?? globalThis.location?.href,
    )
    const url = href.replace(/^http/, 'ws').replace(/#.*/, '')
    if (/^wss?:/.test(url)) return url
  } catch {}
  return refuse('url', 'a ws:, wss:, http: or https: URL', input)
}

/**
 * What a browser's constructor would refuse: WHATWG WebSockets, RFC 6455 §4.1; a token is that of RFC 9110 §5.6.2.
 * @throws SocketError `invalid-option`
 */
export const checkProtocols = (input: string | readonly string[]): string[] => {
  const names: unknown[] = [input].flat()
  const isToken = (name: unknown) => typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name)
  if (new Set(names).size < names.length || !names.every(isToken))
    refuse('protocols', 'distinct tokens', input)
  return names as string[]
}
