/** Catching up with a lesson that goes on: what was missed, the recording of it, the way back.
 *  A home's card and a class's screen show it; nothing here knows how. */
import { computed, onBeforeUnmount, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { Library, type CatchUp } from '@/library/api'
import type { Manifest, Span } from '@/library/manifest'
import { catchUpStep, isStuck, NEAR_S, offered, owed } from '@/library/player/catchup'
import { Engine, type Playing } from '@/library/player/engine'
import { lengthOf } from '@/library/player/missed'
import { emptySpans } from '@/library/player/schedule'
import { useLesson } from '@/lesson/lesson'
import { useLine } from '@/lesson/line'
import { useOwn } from '@/lesson/own'
import { usePreferences } from '@/lesson/preferences'

export const RATE = 1.25
/** The server gathers who was away; a piece of recording needs half a second. */
const ASK_AFTER_MS = 1500
const LOOK_MS = 2000
const STEP_MS = 250

export interface CatchingUp {
  state: Ref<'none' | 'offer' | 'loading' | 'playing' | 'failed'>
  /** Seconds that are offered. */
  missed: ComputedRef<number>
  /** Seconds behind the lesson. */
  behind: Ref<number>
  time: Ref<number>
  active: ShallowRef<Playing[]>
  manifest: ShallowRef<Manifest | null>
  base: Ref<string>
  ask: () => Promise<void>
  askSoon: () => void
  start: () => Promise<void>
  /** Back to the lesson: all until now is done with. */
  back: () => void
  /** Back to the lesson without having wanted to: what is left is offered again. */
  interrupt: () => void
  later: () => void
}

/** `doneUntil`: what was missed before this second of the lesson is not offered; `ended`: it is live
 *  again, or nothing is there to be watched. */
export function useCatchUp(token: () => string, doneUntil: () => number, ended: () => void): CatchingUp {
  const lesson = useLesson()
  const line = useLine()
  const own = useOwn()
  const preferences = usePreferences()
  const library = new Library(token())
  const state: CatchingUp['state'] = ref('none')
  const spans = ref<Span[]>([])
  const behind = ref(0)
  const time = ref(0)
  const active = shallowRef<Playing[]>([])
  const manifest = shallowRef<Manifest | null>(null)
  const base = ref('')
  let answer: CatchUp | null = null
  let engine: Engine | null = null
  let decidedUntil = 0
  /** What was left when the lesson called. */
  let left: Span[] = []
  /** What is watched: what was missed, then what is missed meanwhile. */
  let route: Span[] = []
  let timers: ReturnType<typeof setInterval>[] = []
  let asking: ReturnType<typeof setTimeout> | undefined

  const isLoading = (): boolean => state.value === 'loading'
  const isBusy = (): boolean => state.value === 'playing' || isLoading()
  const live = (): number => line.serverNow() - (lesson.openedAt ?? line.serverNow())

  async function ask(): Promise<void> {
    if (isBusy()) return
    try {
      answer = await library.catchUp()
      const until = Math.max(decidedUntil, doneUntil())
      spans.value = offered([...left, ...answer.missed.filter((one) => one.end_s > until + 1)], 0)
      state.value = spans.value.length > 0 ? 'offer' : 'none'
    } catch {
      answer = null
      spans.value = []
      state.value = 'none' // Not recorded, or not now: nothing to offer.
    }
  }
  function askSoon(): void {
    clearTimeout(asking)
    asking = setTimeout(() => void ask(), ASK_AFTER_MS)
  }
  function decide(): void {
    decidedUntil = Math.max(decidedUntil, ...spans.value.map((one) => one.end_s))
    left = []
  }
  async function start(): Promise<void> {
    if (isBusy()) return
    if (spans.value.length === 0) await ask()
    if (answer === null || spans.value.length === 0) {
      ended()
      return
    }
    // What was watched live between coming back and beginning is not watched again.
    route = [...spans.value, { start_s: live(), end_s: Infinity }]
    decide()
    state.value = 'loading'
    try {
      const { media } = answer
      const found = await library.manifest(media)
      if (!isLoading()) return
      const made = new Engine(found, media.base, { changed: () => { active.value = made.active() }, failed: () => undefined })
      engine = made
      manifest.value = found
      base.value = media.base
      made.setSpeaker(preferences.remembered.speaker)
      made.setRate(RATE)
      made.seek(route[0]?.start_s ?? 0)
      made.start()
      made.play()
      own.catchingUp = true
      state.value = 'playing'
      let recorded = found.duration_s
      let empty = emptySpans(found)
      let movedAt = performance.now()
      let steppedAt = movedAt
      let waitedNear = 0
      const step = (): void => {
        time.value = made.time
        // Not behind the recording: that grows by leaps, and who gets nearer would see it go up.
        behind.value = Math.max(0, live() - made.time)
        const at = performance.now()
        if (!made.clock.stalled) movedAt = at
        else if (recorded - made.time < NEAR_S) waitedNear += at - steppedAt
        steppedAt = at
        const next = isStuck(waitedNear, at - movedAt) ? 'live' : catchUpStep(route, made.time, recorded)
        if (next === 'live') {
          back()
          ended()
          return
        }
        // Where nobody was recorded there is nothing to wait for.
        const gap = empty.find((one) => made.time >= one.start_s && made.time < one.end_s)
        const to = next ?? gap?.end_s ?? null
        if (to !== null) {
          made.seek(to)
          movedAt = performance.now()
        }
      }
      step()
      timers.push(
        setInterval(step, STEP_MS),
        setInterval(() => {
          void library.manifest(media).then((grown) => { recorded = grown.duration_s; empty = emptySpans(grown); manifest.value = grown; made.update(grown) }).catch(() => undefined)
        }, LOOK_MS),
      )
    } catch {
      stop()
      state.value = 'failed'
      ended()
    }
  }
  function stop(): void {
    for (const timer of timers) clearInterval(timer)
    timers = []
    engine?.stop()
    engine = null
    active.value = []
    spans.value = []
    own.catchingUp = false
    state.value = 'none'
  }
  function back(): void {
    // All until now was seen, in the recording or not at all on purpose.
    decidedUntil = live()
    left = []
    stop()
  }
  function interrupt(): void {
    if (!isBusy()) return
    decidedUntil = live()
    left = owed(route, engine?.time ?? 0, decidedUntil)
    stop()
  }
  function later(): void {
    decide()
    spans.value = []
    state.value = 'none'
  }

  // Back on the line, or late: both may have missed something.
  watch(() => line.state, (now, before) => { if (now === 'live' && before !== 'live' && lesson.phase === 'live') askSoon() })
  if (line.state === 'live' && lesson.phase === 'live') askSoon()
  watch(() => lesson.phase, (phase) => { if (phase === 'closed') stop() })
  onBeforeUnmount(() => { clearTimeout(asking); stop() })

  return {
    state, behind, time, active, manifest, base, ask, askSoon, start, back, interrupt, later,
    missed: computed(() => lengthOf(spans.value)),
  }
}
