/** The real browser behind the interfaces of the desk. */
import type { DeskBrowser } from '@/desk/client'
import type { Decoded, Size } from '@/desk/photo'
import { BITS_PER_SECOND, type Recorder, type VoiceSource } from '@/desk/voice'
import type { ResumeRecord, ResumeStore, Socket, SocketHandlers } from '@/protocol/wire'
import { videoCodecNames } from '@/rtc/codecs'
import { browser, clock, mediaDevices } from '@/ui/browser'

const SUBPROTOCOL = 'twinclass.desk.v1'
/** Beside the token's key; `takeStaffEntrance` forgets it when another link is opened. */
const RESUME_KEY = 'twinclass.desk.resume'

function openSocket(handlers: SocketHandlers): Socket {
  const url = new URL('/desk', location.href)
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

const resume: ResumeStore = {
  load() {
    try {
      const text = sessionStorage.getItem(RESUME_KEY)
      return text === null ? null : (JSON.parse(text) as ResumeRecord)
    } catch {
      return null
    }
  },
  save(record) {
    try {
      if (record === null) sessionStorage.removeItem(RESUME_KEY)
      else sessionStorage.setItem(RESUME_KEY, JSON.stringify(record))
    } catch {
      // Without storage a reload is a new join; the server fences the old one.
    }
  },
}

export const deskBrowser: DeskBrowser = {
  clock, openSocket, resume,
  userAgent: navigator.userAgent,
  videoCodecs: videoCodecNames(browser.receiveVideoCodecs()),
}

/** A file as an upright picture. `createImageBitmap` needs less memory; old WebKit has only images. */
export async function decodePhoto(file: Blob): Promise<Decoded> {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
    return decoded(bitmap, bitmap, () => bitmap.close())
  } catch {
    const image = new Image()
    const url = URL.createObjectURL(file)
    image.src = url
    try {
      await image.decode()
    } catch (error) {
      URL.revokeObjectURL(url)
      throw error
    }
    return decoded(image, { width: image.naturalWidth, height: image.naturalHeight }, () => URL.revokeObjectURL(url))
  }
}

function decoded(source: CanvasImageSource, { width, height }: Size, close: () => void): Decoded {
  return {
    width, height, close,
    encode(size, quality) {
      const canvas = document.createElement('canvas')
      canvas.width = size.width
      canvas.height = size.height
      const paint = canvas.getContext('2d')
      if (paint === null) return Promise.resolve(null)
      // What is see-through in a screenshot would become black.
      paint.fillStyle = 'white'
      paint.fillRect(0, 0, size.width, size.height)
      paint.imageSmoothingQuality = 'high'
      paint.drawImage(source, 0, 0, size.width, size.height)
      return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality))
    },
  }
}

const TYPES = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus', 'audio/webm']

/** The microphone for spoken questions; null where a browser cannot record. */
export function voiceSource(): VoiceSource | null {
  const devices = mediaDevices()
  if (devices === undefined || typeof MediaRecorder !== 'function') return null
  const mimeType = TYPES.find((one) => MediaRecorder.isTypeSupported(one))
  if (mimeType === undefined) return null
  return {
    async open(): Promise<Recorder> {
      const stream = await devices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } })
      const close = (): void => stream.getTracks().forEach((track) => track.stop())
      const parts: Blob[] = []
      const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS_PER_SECOND })
      recorder.ondataavailable = (event) => parts.push(event.data)
      recorder.start()
      return {
        stop: () => new Promise((resolve, reject) => {
          recorder.onstop = () => { close(); resolve(new Blob(parts, { type: mimeType.split(';')[0] ?? mimeType })) }
          recorder.onerror = () => { close(); reject(new Error('recorder')) }
          // The system has taken the microphone away: what was said until then is kept.
          if (recorder.state === 'inactive') recorder.onstop(new Event('stop'))
          else recorder.stop()
        }),
        cancel: () => {
          recorder.ondataavailable = null
          if (recorder.state !== 'inactive') recorder.stop()
          close()
        },
      }
    },
  }
}

let sound: AudioContext | null = null

/** Sound may be made only after a touch: called with the first one. */
export function allowSound(): void {
  if (typeof AudioContext !== 'function') return
  sound ??= new AudioContext()
  void sound.resume().catch(() => undefined)
}

/** Two soft notes and a short buzz, where the device allows them. */
export function ring(): void {
  if ('vibrate' in navigator) navigator.vibrate([180, 90, 180])
  if (sound?.state !== 'running') return
  const begin = sound.currentTime + 0.02
  for (const [index, pitch] of [659, 880].entries()) {
    const note = sound.createOscillator()
    const volume = sound.createGain()
    const at = begin + index * 0.22
    note.frequency.value = pitch
    volume.gain.setValueAtTime(0, at)
    volume.gain.linearRampToValueAtTime(0.25, at + 0.02)
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.5)
    note.connect(volume).connect(sound.destination)
    note.start(at)
    note.stop(at + 0.55)
  }
}
