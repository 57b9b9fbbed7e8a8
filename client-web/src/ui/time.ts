import { onScopeDispose, ref, type Ref } from 'vue'
import { useLine } from '@/lesson/line'

/** The server's wall clock in seconds, ticking. */
export function useServerNow(periodMs = 500): Ref<number> {
  const line = useLine()
  const now = ref(line.serverNow())
  const timer = setInterval(() => {
    now.value = line.serverNow()
  }, periodMs)
  onScopeDispose(() => clearInterval(timer))
  return now
}

/** Seconds as m:ss. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
