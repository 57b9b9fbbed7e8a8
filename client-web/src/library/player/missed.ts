/** Playing only the minutes somebody missed, one stretch after another. Pure. */
import type { Span } from '../manifest'

/** Where to go from `time`: stay (null), jump to the next stretch, or the end of the list. */
export function nextOf(spans: readonly Span[], time: number): number | 'done' | null {
  for (const span of spans) {
    if (time < span.start_s) return span.start_s
    if (time < span.end_s) return null
  }
  return 'done'
}

export const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, span) => sum + span.end_s - span.start_s, 0)

/** How much of the list is still to come at `time`. */
export function left(spans: readonly Span[], time: number): number {
  return spans.reduce((sum, span) => sum + Math.max(0, span.end_s - Math.max(span.start_s, time)), 0)
}
