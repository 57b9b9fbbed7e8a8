/** Keeps the client on devices of classrooms, so that their pages open without a server. */
import type { LessonPageName } from '@/ui/pages/names'

/** Learners' phones are not asked to hold five megabytes that only a classroom needs. */
const OF_A_ROOM: readonly string[] = ['room', 'assistant'] satisfies readonly LessonPageName[]

export function keepShell(page: string): void {
  if (!import.meta.env.PROD || !OF_A_ROOM.includes(page) || !('serviceWorker' in navigator)) return
  // Not in the way of the lesson: what it loads comes first.
  const register = (): void => {
    navigator.serviceWorker.register('/sw.js').catch(() => {
      // Certificates that nobody vouches for, private windows: the page works, only not offline.
    })
  }
  if (document.readyState === 'complete') register()
  else window.addEventListener('load', register, { once: true })
}
