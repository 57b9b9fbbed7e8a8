/** The lesson as this page knows it: a copy of the server's view, brought forward by its messages. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type {
  Counts,
  EventMessage,
  LessonView,
  ParticipantView,
  Presence,
  StagePlace,
  Welcome,
} from '@/protocol/messages'
import type { ClientCommand, Role, Source } from '@/protocol/names'

const SOURCES: readonly Source[] = ['camera', 'microphone', 'screen', 'screen_audio', 'document']

export const NO_COUNTS: Counts = {
  rooms_present: 0,
  rooms_expected: 0,
  homes_present: 0,
  homes_expected: 0,
}

export interface Me {
  participant: string
  role: Role
  name: string
  room: string | null
  /** A further device of a room: no sound, no camera, no commands. */
  companion: boolean
}

/** What a page without a server shows of the lesson; `ParticipantView`s are not kept. */
export interface KeptLesson {
  me: Me
  id: string
  title: string
  subtitle: string
  phase: LessonView['phase']
  openedAt: number | null
  plannedMinutes: number
  mayCommand: readonly string[]
}

export const useLesson = defineStore('lesson', () => {
  const me = ref<Me | null>(null)
  const id = ref('')
  const title = ref('')
  const subtitle = ref('')
  const phase = ref<LessonView['phase']>('pre_class')
  const openedAt = ref<number | null>(null)
  const plannedMinutes = ref(40)
  const counts = ref<Counts>(NO_COUNTS)
  const stage = ref<readonly StagePlace[]>([])
  const participants = shallowRef<ReadonlyMap<string, ParticipantView>>(new Map())
  /** "participant/source" of what was sent once and no longer is. */
  const ended = ref<ReadonlySet<string>>(new Set())
  const speakers = ref<readonly string[]>([])
  const mayPublish = ref<readonly Source[]>([])
  const mayCommand = ref<readonly string[]>([])

  const everybody = computed(() => [...participants.value.values()])
  const rooms = computed(() => everybody.value.filter((one) => one.role === 'room' && !one.companion))
  const homes = computed(() =>
    everybody.value.filter((one) => one.role === 'home_learner' || one.role === 'home_group'),
  )
  const leads = computed(() =>
    everybody.value.filter((one) => one.role === 'lead' || one.role === 'co_lead'),
  )
  const leadPresent = computed(() => leads.value.some((one) => one.presence === 'present'))
  /** The seat that is called on: of a room's further device the room's. */
  const mySeat = computed(() => (me.value?.companion ? me.value.room : me.value?.participant) ?? null)
  const meOnStage = computed(
    () => stage.value.some((one) => one.participant === mySeat.value),
  )

  const observers = computed(() =>
    everybody.value.filter((one) => one.role === 'observer' && one.presence !== 'left'),
  )

  function participant(key: string | null): ParticipantView | undefined {
    return key === null ? undefined : participants.value.get(key)
  }

  function isOnStage(key: string): boolean {
    return stage.value.some((one) => one.participant === key)
  }

  function may(command: ClientCommand['type']): boolean {
    return mayCommand.value.includes(command)
  }

  function welcome(message: Welcome): void {
    me.value = {
      participant: message.participant,
      role: message.role,
      name: message.name,
      room: message.room,
      companion: message.companion,
    }
    mayPublish.value = message.may_publish
    mayCommand.value = message.may_command
    const view = message.lesson
    id.value = view.id
    title.value = view.title
    subtitle.value = view.subtitle
    phase.value = view.phase
    openedAt.value = view.opened_at
    plannedMinutes.value = view.planned_minutes
    counts.value = view.counts
    stage.value = view.stage
    // After an outage the list is the truth: what is not on it has ended, seen by us or not.
    const known = participants.value.size > 0
    for (const one of known ? view.participants : []) noteEnded(one.id, SOURCES, one.sources)
    participants.value = new Map(view.participants.map((one) => [one.id, one]))
  }

  /** What is worth keeping for a page that is opened without a server; null before `welcome`. */
  function kept(): KeptLesson | null {
    if (me.value === null) return null
    return {
      me: me.value, id: id.value, title: title.value, subtitle: subtitle.value, phase: phase.value,
      openedAt: openedAt.value, plannedMinutes: plannedMinutes.value, mayCommand: mayCommand.value,
    }
  }

  /** Shows a lesson as it was when the line went; `welcome` replaces all of it. */
  function restore(one: KeptLesson): void {
    me.value = one.me
    id.value = one.id
    title.value = one.title
    subtitle.value = one.subtitle
    phase.value = one.phase
    openedAt.value = one.openedAt
    plannedMinutes.value = one.plannedMinutes
    mayCommand.value = one.mayCommand
  }

  function presence(message: Presence): void {
    counts.value = message.counts
    const next = new Map(participants.value)
    for (const one of message.participants) {
      noteEnded(one.id, next.get(one.id)?.sources ?? [], one.sources)
      next.set(one.id, one)
    }
    participants.value = next
  }

  function noteEnded(key: string, before: readonly Source[], after: readonly Source[]): void {
    const gone = before.filter((source) => !after.includes(source)).map((source) => `${key}/${source}`)
    if (gone.length > 0) ended.value = new Set([...ended.value, ...gone])
  }

  /** Whether somebody sends a source, as far as this page was told. */
  function isSending(key: string, source: Source): boolean {
    return participants.value.get(key)?.sources.includes(source) ?? false
  }

  function change(key: string, part: Partial<ParticipantView>): void {
    const before = participants.value.get(key)
    if (before === undefined) return
    participants.value = new Map(participants.value).set(key, { ...before, ...part })
  }

  function event({ at, event: step }: EventMessage): void {
    switch (step.type) {
      case 'lesson_opened':
        phase.value = 'live'
        openedAt.value = at
        break
      case 'lesson_closed':
        phase.value = 'closed'
        stage.value = []
        break
      case 'participant_joined':
      case 'participant_recovered':
        change(step.participant, { presence: 'present', lost_at: 0 })
        break
      case 'participant_lost':
        change(step.participant, { presence: 'lost', lost_at: at })
        break
      case 'participant_left':
        change(step.participant, { presence: 'left', ...(step.reason === 'timeout' ? {} : { lost_at: 0 }) })
        break
      case 'stage_enter': {
        stage.value = [
          ...stage.value.filter((one) => one.participant !== step.participant),
          { participant: step.participant, since: at },
        ]
        const turns = (participants.value.get(step.participant)?.turns ?? 0) + 1
        change(step.participant, { turns, last_turn_at: at })
        break
      }
      case 'stage_leave':
        stage.value = stage.value.filter((one) => one.participant !== step.participant)
        break
      case 'publication_started':
        setSource(step.participant, step.source, true)
        break
      case 'publication_ended':
        setSource(step.participant, step.source, false)
        break
      default:
        // Steps of later versions, and those that change nothing here (called_on).
        break
    }
  }

  /** The stage in its order, which events of entering and leaving alone do not tell. */
  function setStage(places: readonly StagePlace[]): void {
    stage.value = places
  }

  function setSource(key: string, source: Source, there: boolean): void {
    const before = participants.value.get(key)?.sources ?? []
    const others = before.filter((one) => one !== source)
    if (!there) noteEnded(key, [source], [])
    change(key, { sources: there ? [...others, source] : others })
  }

  return {
    me, id, title, subtitle, phase, openedAt, plannedMinutes, counts, stage, participants,
    ended, speakers, mayPublish, mayCommand, rooms, homes, leads, observers, leadPresent,
    mySeat, meOnStage,
    participant, isOnStage, isSending, may, setStage, welcome, kept, restore, presence, event,
  }
})
