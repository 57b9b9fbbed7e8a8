/** What arrives: the slots of the downlink and their tracks. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { useLine } from './line'
import type { Source, SlotUse } from '@/protocol/names'
import type { SlotTrack } from '@/rtc/downlink'

export const usePictures = defineStore('pictures', () => {
  const line = useLine()
  const slots = shallowRef<readonly SlotTrack[]>([])
  const audio = computed(() => slots.value.filter((one) => one.slot.kind === 'audio'))
  const video = computed(() => slots.value.filter((one) => one.slot.kind === 'video'))

  /** The slot of one use that is taken, if any. */
  function taken(use: SlotUse): SlotTrack | undefined {
    return video.value.find((one) => one.slot.use === use && one.slot.participant !== null)
  }

  /** The best picture of a participant; `uses` in order of preference. */
  function pictureOf(
    participant: string,
    uses: readonly SlotUse[],
    source: Source = 'camera',
  ): SlotTrack | undefined {
    for (const use of uses) {
      const found = video.value.find(
        ({ slot }) =>
          slot.use === use && slot.participant === participant && (slot.source ?? source) === source,
      )
      if (found !== undefined) return found
    }
    return undefined
  }

  /** A picture that the server does not send now, as this line is too narrow for it. */
  function isStopped(track: MediaStreamTrack): boolean {
    const stopped = line.quality?.stopped
    if (stopped === undefined || stopped.length === 0) return false
    return video.value.some((one) => one.track === track && stopped.includes(one.slot.mid))
  }

  return { slots, audio, video, taken, pictureOf, isStopped }
})
