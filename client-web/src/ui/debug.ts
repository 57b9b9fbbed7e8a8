/** `window.__twinclass`: what tests and support staff may look at. Shows no token. */
import type { LessonClient } from '@/lesson/client'
import { useLine } from '@/lesson/line'
import { usePictures } from '@/lesson/pictures'
import type { StatsEntry } from '@/rtc/statistics'
import { setLanguage, type Language } from './i18n'

export interface DebugHandle {
  readonly state: string
  readonly reason: string | null
  readonly slots: readonly { mid: string; use: string; index: number; participant: string | null }[]
  setLanguage(language: Language): void
  /** What arrives on an m-line of the downlink. */
  track(mid: string): MediaStreamTrack | null
  stats(): Promise<{ uplink: StatsEntry[]; downlink: StatsEntry[] }>
}

declare global {
  interface Window {
    __twinclass?: DebugHandle
  }
}

let client: LessonClient | null = null

/** Names the client whose connections are shown. */
export function debugClient(current: LessonClient): void {
  client = current
}

export function exposeDebug(): void {
  const line = useLine()
  const pictures = usePictures()
  window.__twinclass = {
    get state() {
      return line.state
    },
    get reason() {
      return line.reason?.code ?? null
    },
    get slots() {
      return pictures.slots.map(({ slot, track }) => ({ ...slot, track: track?.id ?? null }))
    },
    setLanguage,
    track(mid) {
      return pictures.slots.find(({ slot }) => slot.mid === mid)?.track ?? null
    },
    async stats() {
      return (await client?.statistics()) ?? { uplink: [], downlink: [] }
    },
  }
}
