/**
 * The service worker of the room screen and the assistant's console: keeps the built client, so that
 * both open and reload while the server cannot be reached.
 *
 * Theory of operation. A version of the client is a list of files with a hash in their names and the
 * page that names them; a worker belongs to one version and keeps all of it or none. Pages come from
 * the network while there is one, so nobody is ever held on an old version; only without a network
 * comes the page of the version that was kept last. A new worker takes over at once, which reloads
 * nothing: an open lesson goes on with what it has loaded, and finds its later parts in the shell
 * before. Kept are files of the client alone: no answers of the server, no addresses with a token
 * (tokens are in fragments, which never come here), nothing of a person.
 *
 * Not handled: slides (`ui/slides/kept.ts` has them, with bounds of their own) and places
 * (`ui/offline/shelf.ts`).
 */
import { outdated, SHELL, wayOf } from './rules'

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface Fetching extends Lasting {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface Scope {
  readonly location: Location
  readonly clients: { claim(): Promise<void> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void
}

declare const self: Scope
/** Filled in by the build: the version, and the paths of its files. */
declare const __SHELL_VERSION__: string
declare const __SHELL_FILES__: readonly string[]

/** Its page is kept under this name; `/room` and `/assistant` are the same page. */
const PAGE = '/index.html'
/** A network that says nothing for so long is none: a class waits before a white screen. */
const PAGE_MS = 4_000

const cacheName = SHELL + __SHELL_VERSION__
const files = new Set<string>(__SHELL_FILES__)

async function install(): Promise<void> {
  const cache = await caches.open(cacheName)
  await cache.addAll([...files])
  const page = await fetch(PAGE, { cache: 'no-cache' })
  const text = await page.clone().text()
  // Between two versions of the server the page might be the next one's: then not this time.
  if (!page.ok || !/\/assets\/[^"]+\.js/.test(text) || ![...text.matchAll(/"(\/assets\/[^"]+)"/g)].every(([, path]) => files.has(path ?? ''))) {
    await caches.delete(cacheName)
    throw new Error('the page is of another version')
  }
  await cache.put(PAGE, page)
  await self.skipWaiting()
}

async function activate(): Promise<void> {
  for (const name of outdated(await caches.keys(), cacheName)) await caches.delete(name)
  await self.clients.claim()
}

async function page(request: Request): Promise<Response> {
  const cancel = new AbortController()
  const timer = setTimeout(() => cancel.abort(), PAGE_MS)
  try {
    const answer = await fetch(request, { signal: cancel.signal })
    // A proxy whose server is away says so with 502 or 504.
    if (answer.status < 500) return answer
  } catch {
    // No network.
  } finally {
    clearTimeout(timer)
  }
  return (await (await caches.open(cacheName)).match(PAGE)) ?? Response.error()
}

async function file(request: Request): Promise<Response> {
  const kept = (await (await caches.open(cacheName)).match(request, { ignoreVary: true })) ?? (await caches.match(request, { ignoreVary: true }))
  return kept ?? fetch(request)
}

self.addEventListener('install', (event) => event.waitUntil(install()))
self.addEventListener('activate', (event) => event.waitUntil(activate()))
self.addEventListener('fetch', (event) => {
  const { request } = event
  switch (wayOf(request, self.location.origin, files)) {
    case 'page':
      event.respondWith(page(request))
      break
    case 'file':
      event.respondWith(file(request))
      break
    case 'network':
      // An open page of the version before asks for its own parts: they are not in `files`.
      if (request.method === 'GET' && new URL(request.url).pathname.startsWith('/assets/')) event.respondWith(file(request))
      break
  }
})
