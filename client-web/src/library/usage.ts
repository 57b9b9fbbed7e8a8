/** The table of a month: its order, its months. Pure. */
import type { EffectRow, Weight } from './api'

export const COLUMNS = ['title', 'lead', 'school', 'subject', 'grade', 'adopting_classes', 'plays', 'home_pupils', 'completion', 'reuse', 'rating', 'quiz_gain', 'effect'] as const
export type Column = (typeof COLUMNS)[number]
export interface Order { by: Column; falling: boolean }

const WORDS: ReadonlySet<Column> = new Set(['title', 'lead', 'school', 'subject', 'grade'])
export const isWord = (column: Column): boolean => WORDS.has(column)
export const WEIGHTS: readonly Weight[] = ['classes', 'completion', 'reuse', 'quiz_gain', 'rating']

/** Chosen again, a column turns round; another one begins where one looks first: words at A, figures
 *  at the largest. */
export function reorder(order: Order, by: Column): Order {
  return order.by === by ? { by, falling: !order.falling } : { by, falling: !isWord(by) }
}

/** What was not measured stands last, whichever way the others go. */
export function sorted(rows: readonly EffectRow[], { by, falling }: Order, language: string): EffectRow[] {
  const words = new Intl.Collator(language, { numeric: true })
  return [...rows].sort((a, b) => {
    const [one, other] = [a[by], b[by]]
    if (one === null || other === null) return Number(one === null) - Number(other === null)
    const order = typeof one === 'string' || typeof other === 'string' ? words.compare(String(one), String(other)) : one - other
    return (falling ? -order : order) || words.compare(a.id, b.id)
  })
}

/** "2026-11" of a day, as people there count. */
export const monthOf = (day: Date): string => `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, '0')}`

/** A month so many months later. */
export function monthAfter(month: string, by: number): string {
  const [year, number] = month.split('-').map(Number)
  return monthOf(new Date(year ?? 0, (number ?? 1) - 1 + by, 1))
}

/** The newest months first. */
export const months = (last: string, count: number): string[] => Array.from({ length: count }, (_, n) => monthAfter(last, -n))
