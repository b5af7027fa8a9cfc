/** What the page and the network say: hints that bring things forward or put them off, and never decide alone. */

export type PageEvent = 'online' | 'offline' | 'visible' | 'suspend' | 'restore'

export interface Page {
  /** Whether the runtime believes to have a network. It lies both ways. */
  online(): boolean
  /** @returns stops the notices */
  listen(notify: (event: PageEvent) => void): () => void
}

/** The page this runs in. In a worker there is only `online` and `offline`, in Node nothing to listen to. */
export const browserPage: Page = {
  online: () => globalThis.navigator?.onLine !== false,

  listen(notify) {
    const { document } = globalThis
    const controller = new AbortController()
    const on = (target: EventTarget | undefined, type: string, listener: () => void) =>
      target?.addEventListener?.(type, listener, { signal: controller.signal })
    let away = false
    const leave = () => {
      if (!away) notify('suspend')
      away = true
    }
    // A page comes back with `resume`, with `pageshow`, or with both: told once
    const comeBack = () => {
      if (away) notify('restore')
      away = false
    }
    on(globalThis, 'online', () => notify('online'))
    on(globalThis, 'offline', () => notify('offline'))
    on(globalThis, 'pagehide', leave)
    on(globalThis, 'pageshow', comeBack)
    // Page Lifecycle dispatches these two on the document
    on(document, 'freeze', leave)
    on(document, 'resume', comeBack)
    on(document, 'visibilitychange', () => document.visibilityState === 'visible' && notify('visible'))
    return () => controller.abort()
  },
}
