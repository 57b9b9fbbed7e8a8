/**
 * Files of slides on this device, by the SHA-256 in their address: so a room turns pages without a
 * network, and a kept copy is never out of date. Nothing of a person is in here, and no token: the
 * request that is kept has no headers.
 */

const CACHE = 'twinclass-slides'
/** A lesson's documents and those of the lessons before and after it in the same room. */
const MAX_FILES = 12
/** Three of the largest that can be uploaded (50 MB); a classroom's computer has that to spare. */
const MAX_BYTES = 150 * 1024 * 1024
/** A school day. */
const FORGET_MS = 24 * 3600 * 1000
const KEPT_AT = 'x-kept-at'
const LESSON = 'x-lesson'

interface Kept {
  request: Request
  bytes: number
  at: number
}

/** Only secure pages have storage and digests; elsewhere the file lives as long as the page. */
export const isSecure = typeof caches !== 'undefined'

/** The bytes that are kept under an address, or null. */
export async function keptFile(url: string): Promise<Uint8Array | null> {
  if (!isSecure) return null
  try {
    const found = await (await caches.open(CACHE)).match(url)
    return found === undefined ? null : new Uint8Array(await found.arrayBuffer())
  } catch {
    return null
  }
}

/** Keeps a file of a lesson; what is too much or too old goes, the oldest first. */
export async function keep(url: string, data: Uint8Array, lesson: string, nowMs = Date.now()): Promise<void> {
  if (!isSecure || data.byteLength > MAX_BYTES) return
  try {
    const cache = await caches.open(CACHE)
    await cache.put(url, new Response(data.slice(), {
      headers: { 'Content-Length': String(data.byteLength), [KEPT_AT]: String(nowMs), [LESSON]: encodeURIComponent(lesson) },
    }))
    await prune(nowMs)
  } catch {
    // A full disk costs a second fetch, nothing else.
  }
}

/** Drops what is older than a day, and what is more than the bounds. */
export async function prune(nowMs = Date.now()): Promise<void> {
  if (!isSecure) return
  const cache = await caches.open(CACHE)
  const all: Kept[] = []
  for (const request of await cache.keys()) {
    const headers = (await cache.match(request))?.headers
    all.push({ request, bytes: Number(headers?.get('Content-Length') ?? 0), at: Number(headers?.get(KEPT_AT) ?? 0) })
  }
  for (const url of surplus(all.map((one) => ({ ...one, url: one.request.url })), nowMs)) await cache.delete(url)
}

/** The addresses that have to go. */
export function surplus(all: readonly { url: string; bytes: number; at: number }[], nowMs: number): string[] {
  const gone: string[] = []
  let files = 0
  let bytes = 0
  for (const one of [...all].sort((a, b) => b.at - a.at)) {
    files += 1
    bytes += one.bytes
    if (nowMs - one.at >= FORGET_MS || files > MAX_FILES || bytes > MAX_BYTES) gone.push(one.url)
  }
  return gone
}

/** The lesson is over: its files leave this device. */
export async function forgetLesson(lesson: string): Promise<void> {
  if (!isSecure) return
  try {
    const cache = await caches.open(CACHE)
    for (const request of await cache.keys()) {
      const found = await cache.match(request)
      if (found?.headers.get(LESSON) === encodeURIComponent(lesson)) await cache.delete(request)
    }
  } catch {
    // Gone within a day anyway.
  }
}
