/** Catching up while the lesson goes on: what to offer, where to go, when it is live again. Pure. */
import type { Span } from '../manifest'

/** Less than this is no reason to leave the lesson that goes on. */
export const WORTH_S = 10
/** As near to the lesson as a recording gets: its last pieces are on their way to the disk, and a
 *  segment is told when the next one has begun. */
export const LIVE_S = 6
/** Standing still near the lesson, in all so long: what is waited for is as good as live, and at
 *  1.25× the wait would come again with every segment. */
export const NEAR_S = 20
const WAIT_NEAR_MS = 4_000
/** Anywhere else nobody is left before a picture that stands still. */
const WAIT_MS = 12_000

/** Whether waiting for the recording is over, and the lesson better. `near_ms`: waited in all near
 *  the lesson; `now_ms`: for the last picture. */
export const isStuck = (near_ms: number, now_ms: number): boolean => near_ms > WAIT_NEAR_MS || now_ms > WAIT_MS

/** What is new since somebody last decided, long enough to be offered. */
export function offered(missed: readonly Span[], decidedUntil: number): Span[] {
  const spans = missed.filter((span) => span.end_s > decidedUntil + 1)
  return spans.reduce((sum, span) => sum + span.end_s - span.start_s, 0) >= WORTH_S ? spans : []
}

/** Where to go from `time`: on (null), over what was seen live, or back to the lesson ('live').
 *  Whoever catches up misses the lesson meanwhile, so after the last stretch it goes on to its end. */
export function catchUpStep(spans: readonly Span[], time: number, recorded: number): number | 'live' | null {
  if (time >= recorded - LIVE_S) return 'live'
  for (const span of spans.slice(0, -1)) {
    if (time < span.start_s) return span.start_s
    if (time < span.end_s) return null
  }
  const last = spans.at(-1)
  return last !== undefined && time < last.start_s ? last.start_s : null
}

/** What is left of a route to watch, for whom the lesson has called at `until`. */
export function owed(route: readonly Span[], time: number, until: number): Span[] {
  return route
    .map((span) => ({ start_s: Math.max(span.start_s, time), end_s: Math.min(span.end_s, until) }))
    .filter((span) => span.end_s > span.start_s)
}
