/** What the service worker answers itself, and which of its caches stay. Pure. */

/** Shells of versions of the client, by their names. */
export const SHELL = 'twinclass-shell-'
/** Pages that open and reload without a server; the others have nothing to show then. */
const PAGES: readonly string[] = ['/room', '/assistant']

/** `page`: the network's first, else the kept shell. `file`: the kept one. `network`: not ours. */
export type Way = 'page' | 'file' | 'network'

export interface Asked {
  method: string
  mode: string
  url: string
}

/** How a request is answered. `files`: paths that the shell holds. */
export function wayOf(asked: Asked, origin: string, files: ReadonlySet<string>): Way {
  const url = new URL(asked.url)
  if (asked.method !== 'GET' || url.origin !== origin) return 'network'
  if (asked.mode === 'navigate') return PAGES.includes(url.pathname) ? 'page' : 'network'
  return files.has(url.pathname) ? 'file' : 'network'
}

/**
 * The shells that may go, of all caches in the order in which they were made. The one before stays:
 * a lesson that is open still runs on it and may ask for one of its parts.
 */
export function outdated(names: readonly string[], current: string): string[] {
  const others = names.filter((one) => one.startsWith(SHELL) && one !== current)
  return others.slice(0, -1)
}
