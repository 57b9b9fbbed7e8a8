/** How long it will be, and whose turn it is: figures for the pupil's page. */
import type { OwnQuestion, Wait } from '@/protocol/desk-messages'
import type { ViewOf } from './names'

/** Whole minutes of a range, rounded outwards: a promise that is kept rather than a close one. */
export function minutesOf(wait: Wait): { low: number; high: number } {
  const low = Math.max(0, Math.floor(wait.low_s / 60))
  return { low, high: Math.max(low + 1, Math.ceil(wait.high_s / 60)) }
}

/** What a pupil has to be called for: something that needs her now, or comes to her. */
export type Call = 'tutor' | 'session' | 'answer' | 'bank'

/** Returns what has come between two views; null: nothing that she must be called for. */
export function callOf(before: ViewOf<'pupil'> | null, after: ViewOf<'pupil'> | null): Call | null {
  if (before === null || after === null) return null
  if (after.session !== null && before.session === null) return 'session'
  const [was, is] = [before.question, after.question]
  if (is !== null && was?.question === is.question && was.state !== is.state) {
    if (is.state === 'claimed') return 'tutor'
    if (is.state === 'bank_matched') return 'bank'
  }
  if (was !== null && answered(after, was.question) && !answered(before, was.question)) return 'answer'
  return null
}

const answered = (view: ViewOf<'pupil'>, question: number): boolean =>
  view.done.some((one) => one.question === question && one.state === 'answered_async')

/** The answers that she has neither understood nor asked about again, newest first. */
export const unread = (view: ViewOf<'pupil'>): OwnQuestion[] => view.done.filter((one) => one.state === 'answered_async').reverse()
