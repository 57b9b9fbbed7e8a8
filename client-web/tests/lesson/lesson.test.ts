import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { useLesson } from '@/lesson/lesson'
import type { EventMessage, ParticipantView } from '@/protocol/messages'
import { welcome } from '../support/server'

const room = (id: string, part: Partial<ParticipantView> = {}): ParticipantView => ({
  id, role: 'room', name: id, presence: 'present', school: '', room: id, turns: 0, last_turn_at: 0,
  sources: [], sound: 'off', companion: false, lost_at: 0, ...part,
})
const event = (seq: number, at: number, step: EventMessage['event']): EventMessage => ({
  type: 'event', seq, at, event: step,
})

beforeEach(() => {
  setActivePinia(createPinia())
  const lesson = useLesson()
  const message = welcome()
  lesson.welcome({
    ...message,
    lesson: { ...message.lesson, participants: [room('room-1'), room('room-2')] },
  })
})

describe('the lesson', () => {
  it('follows the stage and counts turns', () => {
    const lesson = useLesson()
    lesson.event(event(11, 500, { type: 'stage_enter', participant: 'room-1' }))
    expect(lesson.meOnStage).toBe(true)
    expect(lesson.participant('room-1')).toMatchObject({ turns: 1, last_turn_at: 500 })
    lesson.event(event(12, 510, { type: 'stage_enter', participant: 'room-2' }))
    expect(lesson.stage.map((one) => one.participant)).toEqual(['room-1', 'room-2'])
    lesson.event(event(13, 520, { type: 'stage_leave', participant: 'room-1', reason: 'staff', actor: null }))
    expect(lesson.meOnStage).toBe(false)
  })

  it('remembers since when a line is lost', () => {
    const lesson = useLesson()
    lesson.event(event(11, 600, { type: 'participant_lost', participant: 'room-2' }))
    const since = (): number | undefined => lesson.participant('room-2')?.lost_at
    expect(since()).toBe(600)
    const counts = { rooms_present: 1, rooms_expected: 2, homes_present: 0, homes_expected: 0 }
    lesson.presence({ type: 'presence', counts, participants: [room('room-2', { presence: 'lost', lost_at: 600 })] })
    expect(since()).toBe(600)
    lesson.event(event(12, 660, { type: 'participant_left', participant: 'room-2', reason: 'timeout' }))
    expect(since()).toBe(600)
    lesson.event(event(13, 680, { type: 'participant_joined', participant: 'room-2', role: 'room', room: 'room-2', companion: false }))
    expect(since()).toBe(0)
    expect(lesson.counts.rooms_present).toBe(1)
  })

  it('knows what is being sent', () => {
    const lesson = useLesson()
    lesson.event(event(11, 1, { type: 'publication_started', participant: 'room-2', source: 'camera' }))
    lesson.event(event(12, 1, { type: 'publication_started', participant: 'room-2', source: 'camera' }))
    expect(lesson.participant('room-2')?.sources).toEqual(['camera'])
    lesson.event(event(13, 1, { type: 'publication_ended', participant: 'room-2', source: 'camera' }))
    expect(lesson.participant('room-2')?.sources).toEqual([])
  })

  it('opens and closes', () => {
    const lesson = useLesson()
    lesson.event(event(11, 700, { type: 'lesson_opened', actor: 'lead' }))
    expect([lesson.phase, lesson.openedAt]).toEqual(['live', 700])
    lesson.event(event(12, 701, { type: 'stage_enter', participant: 'room-2' }))
    lesson.event(event(13, 800, { type: 'lesson_closed', actor: 'lead' }))
    expect([lesson.phase, lesson.stage.length]).toEqual(['closed', 0])
  })

  it('takes seats it had not heard of from presence only', () => {
    const lesson = useLesson()
    lesson.event(event(11, 1, { type: 'participant_joined', participant: 'x', role: 'observer', room: null, companion: false }))
    expect(lesson.participant('x')).toBeUndefined()
  })
})
