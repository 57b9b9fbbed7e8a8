/** The real browser behind the interfaces of the cores. */
import type { Clock } from '@/protocol/clock'
import type { ResumeRecord, ResumeStore, Socket, SocketHandlers } from '@/protocol/wire'
import type { Browser } from '@/lesson/client'
import { forgetSwitches } from '@/lesson/switches'
import { quieten } from './quieten'

export const clock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

const SUBPROTOCOL = 'twinclass.v1'

function openSocket(handlers: SocketHandlers): Socket {
  const url = new URL('/signal', location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.hash = ''
  const socket = new WebSocket(url, SUBPROTOCOL)
  socket.addEventListener('open', () => handlers.onOpen())
  socket.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (typeof event.data === 'string') handlers.onText(event.data)
  })
  socket.addEventListener('close', () => handlers.onClose())
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: () => socket.close(),
  }
}

const RESUME_KEY = 'twinclass.resume'
const TOKEN_KEY = 'twinclass.token'

const resume: ResumeStore = {
  load() {
    try {
      const text = sessionStorage.getItem(RESUME_KEY)
      return text === null ? null : (JSON.parse(text) as ResumeRecord)
    } catch {
      return null
    }
  },
  save(record: ResumeRecord | null) {
    if (record === null) forgetSwitches()
    try {
      if (record === null) sessionStorage.removeItem(RESUME_KEY)
      else sessionStorage.setItem(RESUME_KEY, JSON.stringify(record))
    } catch {
      // Without storage a reload is a new join; the server fences the old one.
    }
  },
}

/** True when this tab was in the lesson before a reload. */
export function wasInLesson(): boolean {
  return resume.load() !== null
}

export interface Entrance {
  token: string
  language: string | null
}

/**
 * Takes the token out of the address: a fragment never reaches a server, and after this it is in
 * no history entry either. A reload finds it in this tab's storage.
 */
export function takeEntrance(): Entrance {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const given = fragment.get('token')
  let token = given ?? ''
  try {
    if (given === null) token = sessionStorage.getItem(TOKEN_KEY) ?? ''
    else {
      // Another person's seat must not be resumed with this one's token.
      if (sessionStorage.getItem(TOKEN_KEY) !== given) resume.save(null)
      sessionStorage.setItem(TOKEN_KEY, given)
    }
  } catch {
    // Without storage the token lives in this page only.
  }
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  return { token, language: fragment.get('lang') }
}

/** Forgets the token and the seat of this tab. */
export function forgetEntrance(): void {
  resume.save(null)
  try {
    sessionStorage.removeItem(TOKEN_KEY)
  } catch {
    // Nothing was kept.
  }
}

/** A random UUID; `crypto.randomUUID` itself is there on secure pages only. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

export const hasWebRtc = typeof RTCPeerConnection === 'function'

const codecs = (side: 'send' | 'receive'): readonly RTCRtpCodec[] => {
  if (!hasWebRtc) return []
  const of = side === 'send' ? RTCRtpSender : RTCRtpReceiver
  return of.getCapabilities('video')?.codecs ?? []
}

export const browser: Browser = {
  clock,
  openSocket,
  createPeerConnection: (configuration) => new RTCPeerConnection(configuration),
  sendVideoCodecs: () => codecs('send'),
  receiveVideoCodecs: () => codecs('receive'),
  userAgent: navigator.userAgent,
  quieten,
  resume,
}

interface NetworkInformation extends EventTarget {
  readonly type?: string
}

/**
 * Calls back when the device comes onto another network, until the returned function is called.
 * `change` of `navigator.connection` is also told for each new estimate of its speed; only another
 * kind of network counts, which phones and tablets tell.
 */
export function whenNetworkChanges(callback: () => void): () => void {
  const { connection } = navigator as Navigator & { connection?: NetworkInformation }
  let kind = connection?.type
  const onChange = (): void => {
    if (connection?.type === kind) return
    kind = connection?.type
    if (kind !== 'none') callback()
  }
  window.addEventListener('online', callback)
  connection?.addEventListener('change', onChange)
  return () => {
    window.removeEventListener('online', callback)
    connection?.removeEventListener('change', onChange)
  }
}

/** `navigator.mediaDevices` is missing on pages that are not secure, whatever its type says. */
export function mediaDevices(): MediaDevices | undefined {
  return 'mediaDevices' in navigator ? navigator.mediaDevices : undefined
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // The clipboard needs a secure page; the old way works everywhere.
    const field = document.createElement('textarea')
    field.value = text
    field.style.position = 'fixed'
    field.style.opacity = '0'
    document.body.append(field)
    field.select()
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- no other way without HTTPS
    const done = document.execCommand('copy')
    field.remove()
    return done
  }
}
