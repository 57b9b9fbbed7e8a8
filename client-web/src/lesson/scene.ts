/** What a viewer of the lesson is shown: slides, lead, and those on stage. */
import { computed, type ComputedRef } from 'vue'
import type { ParticipantView, StagePlace } from '@/protocol/messages'
import type { SlotTrack } from '@/rtc/downlink'
import { useLesson } from './lesson'
import { usePictures } from './pictures'

export interface Shown {
  picture: SlotTrack
  seat: ParticipantView | undefined
  owner: string
  /** Whether the seat says that this source is sent; frames may come a little before or after. */
  sending: boolean
}

export interface Scene {
  /** Screen, else document camera; null while nobody shows one. */
  slides: ComputedRef<Shown | null>
  lead: ComputedRef<Shown | null>
  /** Who leads, also when there is no picture. */
  leadSeat: ComputedRef<ParticipantView | undefined>
  /** On stage, without this page's own seat, in the order of entering. */
  others: ComputedRef<readonly StagePlace[]>
}

export function useScene(): Scene {
  const lesson = useLesson()
  const pictures = usePictures()

  /**
   * A slot names its owner also while nothing is sent; the seat says what is. Packets may be
   * faster than the word about them (and come while the server cannot write its log): a first
   * picture counts, one that was stopped does not.
   */
  function shown(picture: SlotTrack | undefined): Shown | null {
    if (picture === undefined) return null
    const owner = picture.slot.participant ?? ''
    const seat = lesson.participant(owner)
    const source = picture.slot.source
    const isFirst = picture.track?.muted === false && !lesson.ended.has(`${owner}/${source}`)
    const sending = seat === undefined || source === null || lesson.isSending(owner, source) || isFirst
    return { picture, seat, owner, sending }
  }

  function sent(picture: SlotTrack | undefined): Shown | null {
    const found = shown(picture)
    return found?.sending === true ? found : null
  }

  const slides = computed(() => sent(pictures.taken('screen')) ?? sent(pictures.taken('document')))
  const lead = computed(() => shown(pictures.taken('lead')))
  const leadSeat = computed(
    () =>
      lesson.participant(pictures.taken('lead')?.slot.participant ?? null) ??
      lesson.leads.find((one) => one.role === 'lead') ??
      lesson.leads[0],
  )
  const others = computed(() =>
    lesson.stage.filter((one) => one.participant !== lesson.mySeat),
  )
  return { slides, lead, leadSeat, others }
}
