/** The way to tonight's desk, asked for when it may be taken; without a desk there is none. */
import { computed, onScopeDispose, shallowRef, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { clockAt, endAt, isAllDay } from '@/desk/zone'
import { carry, isTonight, type Carried } from '@/school/carry'

/** A lesson that closes is put away for some seconds, and a line may be lost just then. */
const AGAIN_MS = [2_000, 6_000] as const

export interface Carry {
  /** null while there is none. */
  url: ComputedRef<string | null>
  /** When the desk is open, in words. */
  hours: ComputedRef<string>
  look: (t: number | null, entry?: string | null) => Promise<void>
}

export function useCarry(token: () => string, now: () => number): Carry {
  const { t: say } = useI18n()
  const found = shallowRef<Carried | null>(null)
  let isGone = false
  onScopeDispose(() => { isGone = true })
  return {
    url: computed(() => found.value?.url ?? null),
    hours: computed(() => {
      const desk = found.value?.desk
      if (!desk || desk.opens === null || desk.closes === null) return ''
      if (isAllDay(desk.opens, desk.closes)) return say('learner.carry.allDay')
      const [from, to] = [clockAt(desk.opens, desk.utc_offset_min), endAt(desk.closes, desk.utc_offset_min)]
      return desk.is_open ? say('learner.carry.until', { to }) : say('learner.carry.hours', { from, to })
    }),
    async look(t, entry = null) {
      for (const wait of [0, ...AGAIN_MS]) {
        await new Promise((resolve) => { setTimeout(resolve, wait) })
        if (isGone) return
        try {
          const carried = await carry(token(), t, entry)
          found.value = isTonight(carried, now()) ? carried : null
          return
        } catch {
          // No desk, or no line: nothing is promised that cannot be kept.
          found.value = null
        }
      }
    },
  }
}
