import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { useLesson } from '@/lesson/lesson'
import { usePictures } from '@/lesson/pictures'
import { useScene } from '@/lesson/scene'
import type { EventMessage, ParticipantView } from '@/protocol/messages'
import { fakeTrack } from '../support/peer'
import { welcome } from '../support/server'

const lead: ParticipantView = {
  id: 'lead-1', role: 'lead', name: 'lead', presence: 'present', school: '', room: null, turns: 0,
  last_turn_at: 0, sources: [], sound: 'off', companion: false, lost_at: 0,
}
const said = (type: 'publication_started' | 'publication_ended'): EventMessage => ({
  type: 'event', seq: 11, at: 500, event: { type, participant: 'lead-1', source: 'screen' },
})

/** The screen's slot; `arrived`: its first packet has come. */
function slotShown(arrived: boolean): void {
  const track = Object.assign(fakeTrack('video'), { muted: !arrived })
  usePictures().slots = [
    { slot: { mid: '2', kind: 'video', use: 'screen', index: 0, participant: 'lead-1', source: 'screen' }, track },
  ]
}

beforeEach(() => {
  setActivePinia(createPinia())
  const message = welcome()
  useLesson().welcome({ ...message, lesson: { ...message.lesson, participants: [lead] } })
})

describe('slides', () => {
  it('are not shown before anything of them is there', () => {
    const { slides } = useScene()
    slotShown(false)
    expect(slides.value).toBeNull()
  })

  it('are shown with their first packet, whether or not the word about them has come', () => {
    const { slides } = useScene()
    slotShown(true)
    expect(slides.value?.owner).toBe('lead-1')
  })

  it('are taken away when they end, and come back with the next word', () => {
    const { slides } = useScene()
    const lesson = useLesson()
    slotShown(true)
    lesson.event(said('publication_started'))
    lesson.event(said('publication_ended'))
    expect(slides.value).toBeNull()
    lesson.event(said('publication_started'))
    expect(slides.value?.owner).toBe('lead-1')
  })

  it('that ended while the line was lost do not stay', () => {
    const { slides } = useScene()
    slotShown(true)
    expect(slides.value).not.toBeNull()
    const message = welcome()
    useLesson().welcome({ ...message, resumed: true, lesson: { ...message.lesson, participants: [lead] } })
    expect(slides.value).toBeNull()
  })
})
