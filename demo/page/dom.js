// @ts-check
/** Finding, making and writing elements. */

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new TypeError(`#${id} is no ${type.name}`)
  return element
}

/**
 * @param {string} id
 * @param {string} text
 */
export function put(id, text) {
  write(byId(id, HTMLElement), text)
}

/**
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  // Writing the same text again would make a screen reader say it again
  if (element.textContent !== text) element.textContent = text
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 */
export function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`)
  element.append(...children)
  return element
}

/** @param {string} state */
export const mark = state =>
  svg('svg', { class: 'mark', 'aria-hidden': 'true' }, svg('use', { href: `#mark-${state}` }))
