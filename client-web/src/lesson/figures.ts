/** What pages work out from the tools they were given: orders, sums, minutes. Pure functions. */
import type {
  AgendaView,
  BackchannelView,
  ClassCounts,
  CueView,
  HandView,
  QuizView,
  RoomWait,
  StageView,
} from '@/protocol/messages'
import type { PulseKind } from '@/protocol/names'

/** A room that has waited this long for a turn is marked. */
export const FAIR_S = 600
/** Cues are announced this long ahead. */
export const CUE_AHEAD_MIN = 2

/** Whole minutes of a span, never negative. */
export function minutes(seconds: number): number {
  return Math.max(0, Math.floor(seconds / 60))
}

/** Seconds until `endsAt`, never negative; rounded up, so that 0 means over. */
export function secondsLeft(endsAt: number, now: number): number {
  return Math.max(0, Math.ceil(endsAt - now))
}

/** Hands for whoever calls: let through first, each longest up first. */
export function handOrder(hands: readonly HandView[]): HandView[] {
  return [...hands].sort(
    (a, b) =>
      Number(b.approved) - Number(a.approved) ||
      a.raised_at - b.raised_at ||
      a.participant.localeCompare(b.participant),
  )
}

/** All heads behind the hands. */
export function handsUp(hands: readonly HandView[]): number {
  return hands.reduce((sum, one) => sum + one.count, 0)
}

/** The hands of one class, heads of its homes included. */
export function handsOf(hands: readonly HandView[], room: string): number {
  return handsUp(hands.filter((one) => one.participant === room || one.room === room))
}

/** Whom `call_next` would call; null when nobody waits. */
export function nextRoom(stage: StageView): string | null {
  return stage.waiting[0]?.room ?? null
}

export function waitOf(stage: StageView, room: string): RoomWait | undefined {
  return stage.waiting.find((one) => one.room === room)
}

/** Whether a room has waited so long that it is to be marked. */
export function isOverdue(wait: RoomWait | undefined, now: number): boolean {
  return wait !== undefined && now - wait.since >= FAIR_S
}

/** "3 of 12 rooms: slower". */
export interface PulseAggregate {
  kind: PulseKind
  rooms: readonly string[]
  of: number
  /** Of the newest signal. */
  at: number
}

/**
 * Signals that are neither over nor answered, most rooms first. Worked out from the single signals,
 * because these end by the clock and the server need not say so.
 */
export function pulseSums({ pulses, sums }: BackchannelView, now: number): PulseAggregate[] {
  const found = new Map<PulseKind, { rooms: Set<string>; at: number }>()
  for (const one of pulses) {
    if (one.expires_at <= now || one.answered_by !== null) continue
    const entry = found.get(one.kind) ?? { rooms: new Set<string>(), at: 0 }
    entry.rooms.add(one.room)
    entry.at = Math.max(entry.at, one.at)
    found.set(one.kind, entry)
  }
  const of = Math.max(0, ...sums.map((one) => one.of))
  return [...found]
    .map(([kind, { rooms, at }]) => ({ kind, rooms: [...rooms], of: Math.max(of, rooms.size), at }))
    .sort((a, b) => b.rooms.length - a.rooms.length || a.at - b.at || a.kind.localeCompare(b.kind))
}

/** The kinds of signal that one room has open. */
export function pulsesOf({ pulses }: BackchannelView, room: string, now: number): PulseKind[] {
  return pulses
    .filter((one) => one.room === room && one.expires_at > now && one.answered_by === null)
    .map((one) => one.kind)
}

/** Who answered what, as shares of the tallest bar; `counts` may be empty. */
export function shares(counts: readonly number[]): number[] {
  const most = Math.max(0, ...counts)
  return counts.map((one) => (most === 0 ? 0 : one / most))
}

/** Per cent of all, rounded; all 0 without answers. */
export function percents(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, one) => sum + one, 0)
  return counts.map((one) => (all === 0 ? 0 : Math.round((one / all) * 100)))
}

/** How many columns a question has: its options, or the two of judge and number. */
export function columnsOf(quiz: Pick<QuizView, 'kind' | 'options'>): number {
  return quiz.kind === 'judge' || quiz.kind === 'number' ? 2 : quiz.options.length
}

/** Columns that are right; of a number question the first one. */
export function rightColumns(quiz: Pick<QuizView, 'kind' | 'correct' | 'correct_number'>): number[] {
  if (quiz.kind === 'number') return quiz.correct_number === null ? [] : [0]
  return [...quiz.correct]
}

/** A, B, C … */
export function letter(index: number): string {
  return String.fromCharCode(65 + index)
}

/** Rooms that have told and rooms that have not, of a question that staff look at. */
export function roomsTold(quiz: QuizView): { told: number; of: number } {
  const rooms = quiz.bars.filter((one) => one.room !== null)
  return { told: rooms.filter((one) => one.source !== 'none').length, of: rooms.length }
}

/** Where the plan is. */
export interface PlanAt {
  /** Minutes since the bell; null before it. */
  minute: number | null
  /** Length of the plan in minutes: its phases, at least the planned minutes. */
  length: number
  /** Index of the phase that runs, by hand or by the minute; null before the bell, or without. */
  phase: number | null
  /** Minutes beyond the planned end. */
  overrun: number
  /** Cues that are not done, those that are due and those of the next minutes. */
  due: readonly PlannedCue[]
  soon: readonly PlannedCue[]
}

export interface PlannedCue {
  index: number
  cue: CueView
}

export function planAt(
  agenda: AgendaView,
  openedAt: number | null,
  now: number,
  plannedMinutes: number,
): PlanAt {
  const length = Math.max(plannedMinutes, ...agenda.phases.map((one) => one.end_minute))
  const minute = openedAt === null ? null : Math.max(0, (now - openedAt) / 60)
  const open = agenda.cues.map((cue, index) => ({ index, cue })).filter(({ cue }) => !cue.done)
  if (minute === null) return { minute, length, phase: agenda.phase, overrun: 0, due: [], soon: open.filter(({ cue }) => cue.minute <= 0) }
  const byMinute = agenda.phases.findIndex((one) => minute >= one.start_minute && minute < one.end_minute)
  const last = agenda.phases.length - 1
  return {
    minute,
    length,
    phase: agenda.phase ?? (byMinute >= 0 ? byMinute : last >= 0 ? last : null),
    overrun: Math.max(0, minute - plannedMinutes),
    due: open.filter(({ cue }) => cue.minute <= minute),
    soon: open.filter(({ cue }) => cue.minute > minute && cue.minute - minute <= CUE_AHEAD_MIN),
  }
}

/** Present of one class: in the room and at home; null when nobody has told yet. */
export function presentOf(counts: ClassCounts | undefined): number | null {
  if (counts === undefined || counts.in_room === null) return null
  return counts.in_room + counts.home_here
}

/** The sums of all classes. */
export function rollCall(classes: readonly ClassCounts[]): { called: number; of: number; present: number; absent: number; late: number } {
  const called = classes.filter((one) => one.roll_called_at !== null)
  const sum = (of: (one: ClassCounts) => number): number => called.reduce((all, one) => all + of(one), 0)
  return {
    called: called.length,
    of: classes.length,
    present: sum((one) => (one.in_room ?? 0) + one.home_here),
    absent: sum((one) => one.absent),
    late: sum((one) => one.late),
  }
}
