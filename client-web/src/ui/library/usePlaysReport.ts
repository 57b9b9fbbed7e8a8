/** Tells the server what is watched on a page: every minute, at pauses, at the end, when it closes. */
import { onBeforeUnmount, ref, watch, type Ref } from 'vue'
import type { Library } from '@/library/api'
import { WatchLog, type Playback } from '@/library/player/watched'
import { DeskError } from '@/school/api'

const now = (): number => performance.now() / 1000

export interface PlaysReport {
  /** The class it is shown to; empty: nobody but oneself. */
  shownTo: Ref<string>
  look(playback: Playback, ended: boolean): void
  jump(): void
}

/** `view`: sealed by the server, and made anew by `renew` when it is too old. */
export function usePlaysReport(library: Library, id: string, view: () => string | null, renew: () => Promise<void>): PlaysReport {
  const log = new WatchLog()
  const shownTo = ref('')
  let wasEnded = false

  async function tell(classId: string, closing = false): Promise<void> {
    const sealed = view()
    if (sealed === null) return
    const spans = log.take(now())
    if (spans.length === 0) return
    try {
      await library.played(id, sealed, spans, classId, closing)
      log.answered(true)
    } catch (error) {
      const status = error instanceof DeskError ? error.status : 0
      // What the server will never take is not told again; everything else is, with the next report.
      log.answered(status === 400 || status === 403 || status === 404 || status === 413 || status === 422)
      if (error instanceof DeskError && error.code === 'view_expired') await renew().catch(() => undefined)
    }
  }
  const leave = (): void => { void tell(shownTo.value, true) }
  const hide = (): void => { if (document.visibilityState === 'hidden') leave() }
  // What was seen before belongs to the class that it was shown to.
  watch(shownTo, (_, before) => { void tell(before) })
  window.addEventListener('pagehide', leave)
  document.addEventListener('visibilitychange', hide)
  onBeforeUnmount(() => {
    window.removeEventListener('pagehide', leave)
    document.removeEventListener('visibilitychange', hide)
    leave()
  })
  return {
    shownTo,
    look(playback, ended) {
      log.look(now(), playback)
      if ((ended && !wasEnded) || log.isDue(now())) void tell(shownTo.value)
      wasEnded = ended
    },
    jump: () => log.cut(),
  }
}
