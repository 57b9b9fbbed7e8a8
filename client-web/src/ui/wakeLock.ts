import { onScopeDispose } from 'vue'

/** Keeps the screen on while the page is shown; browsers drop the lock with every hiding. */
export function useWakeLock(): void {
  let lock: WakeLockSentinel | null = null
  const ask = (): void => {
    if (!('wakeLock' in navigator) || document.visibilityState !== 'visible') return
    navigator.wakeLock.request('screen').then(
      (sentinel) => {
        lock = sentinel
      },
      // Refused on low battery; the room's own power settings decide then.
      () => undefined,
    )
  }
  ask()
  document.addEventListener('visibilitychange', ask)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', ask)
    void lock?.release()
  })
}
