/**
 * The place in the lesson as a page needs it when it is opened again without a server: what it was
 * told last, and what was done on this device since. No token, no notes, no chat, nobody's call for
 * help: only what goes on without a line. Pupils' names are in it, of the own class, for its roll.
 */
import type { CountdownView, ToolViews } from '@/protocol/messages'
import type { KeptLesson } from '../lesson'
import { NO_TOOLS } from '../tools'

/** What is done on this device alone while the line is gone. */
export interface Local {
  page: { document: string; page: number } | null
  countdown: CountdownView | null
}

export const NO_LOCAL: Local = { page: null, countdown: null }

export interface Place {
  seat: string
  /** Of this device's clock, ms. */
  savedAt: number
  /** Server's clock minus this device's, s. */
  offsetS: number
  /** Since when the line is gone; of this device's clock, ms. */
  lostSince: number | null
  lesson: KeptLesson
  views: ToolViews
  local: Local
}

/** The views that go on without a line; the others are what they are before a lesson. */
export function keptViews(views: ToolViews): ToolViews {
  const { slides, attendance, quiz, work, agenda, own_class, policy } = views
  return { ...NO_TOOLS, slides, attendance, quiz, work, agenda, policy, own_class: { ...own_class, help: [] } }
}

/** Whether a place may still be shown: it is of today's lesson, and its clock has not run away. */
export function isFresh(place: Place, nowMs: number, forgetMs: number): boolean {
  return place.lesson.phase !== 'closed' && place.savedAt <= nowMs + 60_000 && nowMs - place.savedAt < forgetMs
}
