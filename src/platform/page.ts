/** What the page and the network say: hints that bring things forward or put them off, and never decide alone. */

/** What a page may tell. */
export type PageEvent = 'online' | 'offline' | 'visible' | 'suspend' | 'restore'

/** The page as the socket sees it: two questions, and whatever answers them. */
export interface Page {
  /** Whether the runtime believes to have a network. It lies both ways. */
  online(): boolean
  /** @returns stops the notices */
  listen(notify: (event: PageEvent) => void): () => void
}

const MEANINGS: { readonly [type: string]: PageEvent } = {
  online: 'online',
  offline: 'offline',
  visibilitychange: 'visible',
  pagehide: 'suspend',
  freeze: 'suspend',
  pageshow: 'restore',
  resume: 'restore',
}

/** The page this runs in. In a worker there is only `online` and `offline`, in Node nothing to listen to. */
export const browserPage: Page = {
  online: () => globalThis.navigator?.onLine !== false,

  listen(notify) {
    const controller = new AbortController()
    let latest: PageEvent = 'restore'
    const listener = ({ type }: Event) => {
      const event = MEANINGS[type] as PageEvent
      if (event === 'visible' && document.visibilityState !== event) return
      // A page leaves with `pagehide`, with `freeze`, or with both, and comes back likewise: told once
      if (event === 'suspend' || event === 'restore') {
        if (event === latest) return
        latest = event
      }
      notify(event)
    }
    // `freeze`, `resume` and `visibilitychange` are the document's, and pass by here on their way to it
    for (const type in MEANINGS)
      globalThis.addEventListener?.(type, listener, { capture: true, signal: controller.signal })
    return () => controller.abort()
  },
}
