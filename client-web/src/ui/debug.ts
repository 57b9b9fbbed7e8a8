/** `window.__twinclass`: what tests and support staff may look at. Shows no token. */
import type { LessonClient } from '@/lesson/client'
import { useLine } from '@/lesson/line'
import { usePictures } from '@/lesson/pictures'
import type { StatsEntry } from '@/rtc/statistics'
import { useInk } from '@/lesson/ink'
import { useTools } from '@/lesson/tools'
import type { ToolViews } from '@/protocol/messages'
import { setLanguage, type Language } from './i18n'

export interface DebugHandle {
  readonly state: string
  readonly reason: string | null
  readonly slots: readonly { mid: string; use: string; index: number; participant: string | null }[]
  /** The lesson's tools as the server gave them to this page. */
  readonly tools: ToolViews
  readonly strokes: number
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
  const tools = useTools()
  const ink = useInk()
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
    get tools() {
      return tools.views
    },
    get strokes() {
      return ink.strokes.size
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

/** The player of a recorded lesson, for tests: where the clock and each element are. */
export interface PlayerHandle {
  times(): Record<string, number>
  time(): number
  seek(time: number): void
  play(): void
  pause(): void
}

declare global {
  interface Window {
    __player?: PlayerHandle
  }
}
