/** The desk as one person sees it: who she is, and the view the server has worked out for her. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { DeskInfo, Role, Welcome } from '@/protocol/desk-messages'
import type { DeskCommand, DeskView, ViewOf } from './names'

export interface DeskPerson {
  person: string
  role: Role
  name: string
  grade: number | null
}

export const useDesk = defineStore('desk', () => {
  const me = ref<DeskPerson | null>(null)
  const info = shallowRef<DeskInfo | null>(null)
  const view = shallowRef<DeskView | null>(null)
  const mayCommand = ref<readonly string[]>([])
  /** The server's second at which `view` was true: older ones that come late are not shown. */
  let seenAt = 0

  function welcome(message: Welcome): void {
    me.value = { person: message.person, role: message.role, name: message.name, grade: message.grade }
    info.value = message.desk
    mayCommand.value = message.may_command
    seenAt = message.server_time
    view.value = message.view
  }

  function show(next: DeskView, at: number): void {
    if (at < seenAt) return
    seenAt = at
    view.value = next
  }

  function may(command: DeskCommand['type']): boolean {
    return mayCommand.value.includes(command)
  }

  const of = <T extends DeskView['type']>(type: T): ViewOf<T> | null =>
    view.value?.type === type ? (view.value as ViewOf<T>) : null

  const pupil = computed(() => of('pupil'))
  const tutor = computed(() => of('tutor'))
  const moderator = computed(() => of('moderator'))
  const planner = computed(() => of('duty_planner'))
  const guardian = computed(() => of('guardian'))
  const safeguarding = computed(() => of('safeguarding'))

  return { me, info, view, welcome, show, may, pupil, tutor, moderator, planner, guardian, safeguarding }
})
