/** What the keys and buttons of the studio do. */
import { computed, type ComputedRef } from 'vue'
import type { LessonClient } from '@/lesson/client'
import { useInk } from '@/lesson/ink'
import { useLesson } from '@/lesson/lesson'
import { useLine } from '@/lesson/line'
import { useOwn } from '@/lesson/own'
import { useTools } from '@/lesson/tools'
import type { ClientCommand } from '@/protocol/names'
import { DeviceError } from '@/rtc/devices'

/** The lead hears at most this many rooms at once during group work. */
const LISTEN = 2

export interface StudioCommands {
  live: ComputedRef<boolean>
  mayCall: ComputedRef<boolean>
  callable(id: string): boolean
  toggle(id: string): void
  off(id: string): void
  offLast(): void
  clear(): void
  next(): void
  muteAll(): void
  listen(room: string): void
  turn(by: number): void
  wipe(): void
  share(): Promise<void>
}

export function useStudio(client: LessonClient): StudioCommands {
  const lesson = useLesson()
  const tools = useTools()
  const line = useLine()
  const own = useOwn()
  const ink = useInk()
  const live = computed(() => line.state === 'live')
  const mayCall = computed(() => lesson.may('call_on'))
  const run = (command: ClientCommand): Promise<boolean> => client.command(command)
  const go = (command: ClientCommand): void => void run(command)

  function callable(id: string): boolean {
    const seat = lesson.participant(id)
    if (!mayCall.value || seat === undefined || !live.value) return false
    return lesson.isOnStage(id) || (seat.presence === 'present' && lesson.phase !== 'closed')
  }
  function off(id: string): void {
    go({ type: 'stage_leave', participant: id })
  }
  function toggle(id: string): void {
    if (lesson.isOnStage(id)) off(id)
    else if (callable(id)) go({ type: 'call_on', participant: id })
  }
  function offLast(): void {
    const last = lesson.stage.at(-1)
    if (last !== undefined) off(last.participant)
  }
  function clear(): void {
    if (lesson.stage.length > 0) go({ type: 'stage_clear' })
  }
  function next(): void {
    if (mayCall.value && tools.next !== undefined && lesson.phase === 'live') go({ type: 'call_next' })
  }
  function muteAll(): void {
    if (tools.stage.places.some((one) => !one.muted)) go({ type: 'stage_mute_all' })
  }
  /** Hears a room of the group work, or no longer; a third one takes the first one's place. */
  function listen(room: string): void {
    const now = tools.groupWork?.listening
    if (now === undefined) return
    const rooms = now.includes(room) ? now.filter((one) => one !== room) : [...now, room].slice(-LISTEN)
    go({ type: 'listen_in', rooms })
  }
  function turn(by: number): void {
    const shown = tools.shownDocument
    const page = tools.slides.page + by
    if (shown !== undefined && page >= 1 && page <= shown.pages) go({ type: 'slide_turn', document: shown.document, page })
  }
  function wipe(): void {
    if (ink.document !== null) go({ type: 'ink_clear', document: ink.document, page: ink.page })
  }
  async function share(): Promise<void> {
    if (own.screen !== null) {
      own.stopScreen()
      return
    }
    try {
      await own.shareScreen()
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error
      line.tell({ zh: '屏幕没能共享，请再试一次', en: 'The screen could not be shared, please try again' })
    }
  }
  return { live, mayCall, callable, toggle, off, offLast, clear, next, muteAll, listen, turn, wipe, share }
}
