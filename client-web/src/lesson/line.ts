/** The line to the server: state of the session, quality, and the server's clock. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { BilingualText, Quality, Recorder } from '@/protocol/messages'
import type { Route } from '@/rtc/path'
import type { SessionReason, SessionState } from '@/protocol/wire'

/** Something to tell the person once; the page shows it for a while. */
export interface Notice {
  key: number
  text: BilingualText
}

export const useLine = defineStore('line', () => {
  const state = ref<SessionState>('idle')
  const reason = ref<SessionReason | null>(null)
  /** When the line was lost (wall clock of this page, ms), null while it is there. */
  const lostSince = ref<number | null>(null)
  const quality = ref<Quality | null>(null)
  /** What of the pictures is held back because this line is narrow; `none` also while it is lost. */
  const held = computed(() => (state.value === 'live' ? (quality.value?.held ?? 'none') : 'none'))
  /** How the recording goes on disk; staff only. */
  const recorder = ref<Recorder | null>(null)
  const offsetS = ref(0)
  const notice = ref<Notice | null>(null)
  /** How media goes in each direction. */
  const uplinkRoute = ref<Route>('')
  const downlinkRoute = ref<Route>('')
  /** How often media came back after its path was lost. */
  const restored = ref(0)
  /** The longer way of the two: what a person may want to know. */
  const route = computed<Route>(() => {
    const both = [uplinkRoute.value, downlinkRoute.value]
    return (['relay', 'tcp', 'udp'] as const).find((one) => both.includes(one)) ?? ''
  })
  let keys = 0

  function setState(next: SessionState, why: SessionReason | null): void {
    state.value = next
    if (why !== null || next === 'live') reason.value = why
    if (next === 'live') lostSince.value = null
    else if (next === 'reconnecting') lostSince.value ??= Date.now()
  }

  function setServerTime(serverTime: number): void {
    offsetS.value = serverTime - Date.now() / 1000
  }

  /** The server's wall clock in seconds. */
  function serverNow(): number {
    return Date.now() / 1000 + offsetS.value
  }

  function tell(text: BilingualText): void {
    keys += 1
    notice.value = { key: keys, text }
  }

  return {
    state, reason, lostSince, quality, held, recorder, offsetS, notice, uplinkRoute, downlinkRoute, route, restored,
    setState, setServerTime, serverNow, tell,
  }
})
