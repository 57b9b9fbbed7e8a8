/**
 * The lesson's tools as this page was given them last. The server works out who may see what; each
 * `tool` message replaces one section whole, so nothing here has rules of its own. What is worked
 * out from a section (orders, sums, minutes) is in `figures.ts`.
 */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { CatchUpRoom, EchoRow, EventMessage, ParticipantView, Tool, ToolViews, Welcome } from '@/protocol/messages'
import { handOrder, nextRoom } from './figures'
import { useLesson } from './lesson'

/** A lesson without any tool in use; what stands here before `welcome`. */
export const NO_TOOLS: ToolViews = {
  hands: { type: 'hands', hands: [] },
  stage: { type: 'stage', limit: 16, places: [], spotlight: null, waiting: [] },
  attendance: { type: 'attendance', classes: [], pupils: [] },
  sound_check: { type: 'sound_check', running: false, current: null, step_ends_at: null, seconds: 5, rooms: [] },
  quiz: { type: 'quiz', current: null, asked: 0 },
  work: { type: 'work', countdown: null, group_work: null },
  agenda: { type: 'agenda', phases: [], cues: [], phase: null },
  backchannel: { type: 'backchannel', notes: [], pulses: [], sums: [] },
  own_class: { type: 'own_class', room: null, name: '', school: '', assistants: [], help: [] },
  teaching: { type: 'teaching', participant: null, away_since: null, offer: null, missed_s: 0 },
  chat: { type: 'chat', enabled: false, messages: [] },
  policy: { type: 'policy', hands_need_approval: false, public_chat: false, stage_limit: 16, hybrid: false, following: null },
  slides: { type: 'slides', documents: [], document: null, page: 1 },
  sound: { type: 'sound', companions: [], switched_off: [] },
  recording: { type: 'recording', state: 'off', since: null },
  catch_up: { type: 'catch_up', rooms: [] },
  echo: { type: 'echo', rows: [] },
  offline: { type: 'offline', records: [] },
}

export const useTools = defineStore('tools', () => {
  const lesson = useLesson()
  const views = shallowRef<ToolViews>(NO_TOOLS)

  function welcome(message: Welcome): void {
    views.value = message.lesson.tools
    lesson.setStage(views.value.stage.places)
  }

  /** Shows the tools as they were when the line went. */
  function restore(kept: ToolViews): void {
    views.value = { ...NO_TOOLS, ...kept }
  }

  function tool({ view }: Tool): void {
    // A section of a later server is ignored, as every unknown thing that we receive.
    if (!(view.type in NO_TOOLS)) return
    views.value = { ...views.value, [view.type]: view }
    if (view.type === 'stage') lesson.setStage(view.places)
  }

  /**
   * An echo is made quiet at once: the event is here a tenth of a second before the view that says
   * the same.
   */
  function event({ event: step }: EventMessage): void {
    if (step.type !== 'echo_found') return
    const { participant, trouble, since } = step
    const others = echoes.value.filter((one) => one.participant !== participant)
    const row: EchoRow = { participant, trouble, since, state: 'ducked', until: null, suspect: null, suspect_name: '' }
    views.value = { ...views.value, echo: { type: 'echo', rows: [...others, row] } }
  }

  const hands = computed(() => handOrder(views.value.hands.hands))
  const stage = computed(() => views.value.stage)
  const attendance = computed(() => views.value.attendance)
  const soundCheck = computed(() => views.value.sound_check)
  const quiz = computed(() => views.value.quiz.current)
  const asked = computed(() => views.value.quiz.asked)
  const countdown = computed(() => views.value.work.countdown)
  const groupWork = computed(() => views.value.work.group_work)
  const agenda = computed(() => views.value.agenda)
  const backchannel = computed(() => views.value.backchannel)
  const ownClass = computed(() => views.value.own_class)
  const teaching = computed(() => views.value.teaching)
  const chat = computed(() => views.value.chat)
  const policy = computed(() => views.value.policy)
  const slides = computed(() => views.value.slides)
  const catchUp = computed(() => views.value.catch_up.rooms)
  const echoes = computed(() => views.value.echo.rows)
  const echoOf = (participant: string): EchoRow | undefined => echoes.value.find((one) => one.participant === participant)
  const ownEcho = computed(() => (lesson.me === null ? null : (echoOf(lesson.me.participant) ?? null)))
  const switchedOff = computed(() => views.value.sound.switched_off)
  const soundOff = computed(() => lesson.me !== null && switchedOff.value.includes(lesson.me.participant))
  const companions = computed(() => views.value.sound.companions)

  /** The document that is shown now, with its page. */
  const shownDocument = computed(() =>
    slides.value.documents.find((one) => one.document === slides.value.document),
  )
  /** Who leads now, as the server says; else who has the role. */
  const teacher = computed<ParticipantView | undefined>(
    () =>
      lesson.participant(teaching.value.participant) ??
      lesson.leads.find((one) => one.role === 'lead') ??
      lesson.leads[0],
  )
  const iTeach = computed(
    () => lesson.me !== null && teaching.value.participant === lesson.me.participant,
  )
  const isOffered = computed(
    () => lesson.me !== null && (teaching.value.offer?.to.includes(lesson.me.participant) ?? false),
  )
  /** Whether a class watches what it missed and not the lesson, and up to when it is done with it. */
  const catchUpOf = (room: string | null): CatchUpRoom | undefined => catchUp.value.find((one) => one.room === room)
  /** Whom `call_next` would call. */
  const next = computed(() => lesson.participant(nextRoom(stage.value)))

  /** The name of somebody, or of a child of the own roster. */
  function nameOf(id: string): string {
    return (
      lesson.participant(id)?.name ??
      attendance.value.pupils.find((one) => one.id === id)?.name ??
      ownClass.value.assistants.find((one) => one.participant === id)?.name ??
      id
    )
  }

  return {
    views, hands, stage, attendance, soundCheck, quiz, asked, countdown, groupWork, agenda,
    backchannel, ownClass, teaching, chat, policy, slides, companions, shownDocument, teacher, iTeach,
    isOffered, next, catchUpOf, echoes, echoOf, ownEcho, switchedOff, soundOff, welcome, restore, tool, event, nameOf,
  }
})
