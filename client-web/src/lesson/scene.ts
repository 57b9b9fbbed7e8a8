/** What a viewer of the lesson is shown: slides, lead, and those on stage. */
import { computed, type ComputedRef } from 'vue'
import type { DocumentView, ParticipantView, StagePlace } from '@/protocol/messages'
import type { SlotTrack } from '@/rtc/downlink'
import { useLesson } from './lesson'
import { usePictures } from './pictures'
import { useTools } from './tools'

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
  /** The document to show where no screen is shared; it is drawn here, page by page. */
  deck: ComputedRef<DocumentView | null>
  lead: ComputedRef<Shown | null>
  /** Who leads, also when there is no picture. */
  leadSeat: ComputedRef<ParticipantView | undefined>
  /** Nobody leads at this moment: the line of who does is lost, and nobody has taken over yet. */
  leadAway: ComputedRef<boolean>
  /** On stage, without this page's own seat, in the order of the stage; who is enlarged is first. */
  others: ComputedRef<readonly StagePlace[]>
}

export function useScene(): Scene {
  const lesson = useLesson()
  const pictures = usePictures()
  const tools = useTools()

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
  const deck = computed(() => (slides.value === null ? (tools.shownDocument ?? null) : null))
  const lead = computed(() => shown(pictures.taken('lead')))
  const leadSeat = computed(
    () =>
      lesson.participant(tools.teaching.participant) ??
      lesson.participant(pictures.taken('lead')?.slot.participant ?? null) ??
      lesson.leads.find((one) => one.role === 'lead') ??
      lesson.leads[0],
  )
  const leadAway = computed(() => tools.teaching.away_since !== null || !lesson.leadPresent)
  const others = computed(() => {
    const { spotlight } = tools.stage
    return lesson.stage
      .filter((one) => one.participant !== lesson.mySeat)
      .sort((a, b) => Number(b.participant === spotlight) - Number(a.participant === spotlight))
  })
  return { slides, deck, lead, leadSeat, leadAway, others }
}
