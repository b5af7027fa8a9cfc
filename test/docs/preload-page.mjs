/** Run before the React example of the README: a page, and someone who looks at it. */

import { JSDOM } from 'jsdom'
import { act, createElement } from 'react'

const { window } = new JSDOM('<main></main>')
Object.assign(globalThis, {
  window,
  document: window.document,
  navigator: window.navigator,
  IS_REACT_ACT_ENVIRONMENT: true,
})

/** Prints each text that the component shows, until the socket is closed. */
globalThis.show = async (Component, socket) => {
  // React DOM looks at the page when it is imported
  const { createRoot } = await import('react-dom/client')
  const main = document.querySelector('main')
  const shown = []
  const look = () => {
    if (main.textContent !== shown.at(-1)) shown.push(main.textContent)
  }
  const until = name =>
    new Promise(resolve => {
      if (socket.state.name === name) return resolve()
      const off = socket.on('state', async state => {
        await act(async () => {})
        look()
        if (state.name !== name) return
        off()
        resolve()
      })
    })
  await act(async () => createRoot(main).render(createElement(Component)))
  look()
  await until('open')
  look()
  const closed = until('closed')
  await socket.close()
  await closed
  process.stdout.write(JSON.stringify(shown))
}
