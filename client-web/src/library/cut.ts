/** Choosing a stretch of a lesson, for a micro-video. Pure. */
import type { Span } from './manifest'

/** As the server's: shorter is a mistake of the hand, longer a lesson. */
export const SHORTEST_CLIP_S = 3
export const LONGEST_CLIP_S = 3600

const tenths = (time: number): number => Math.round(time * 10) / 10

/** Moves one end; the other one stays as long as there is room, so that what was set before is not lost. */
export function moveEnd(span: Span, end: 'start' | 'end', to: number, duration: number): Span {
  if (end === 'start') {
    const start = Math.min(Math.max(0, to), Math.max(0, duration - SHORTEST_CLIP_S))
    return fit(start, Math.min(Math.max(span.end_s, start + SHORTEST_CLIP_S), start + LONGEST_CLIP_S), duration)
  }
  const finish = Math.max(Math.min(duration, to), Math.min(duration, SHORTEST_CLIP_S))
  return fit(Math.max(Math.min(span.start_s, finish - SHORTEST_CLIP_S), finish - LONGEST_CLIP_S), finish, duration)
}

const fit = (start: number, end: number, duration: number): Span => ({ start_s: Math.max(0, tenths(start)), end_s: Math.min(Math.floor(duration * 10) / 10, tenths(end)) })

/** A minute around a moment, to begin with. */
export function around(time: number, duration: number): Span {
  const start = Math.max(0, Math.min(time, duration - 60))
  return { start_s: tenths(start), end_s: tenths(Math.min(duration, start + 60)) }
}

/** Seconds of "1:02:05.5", "2:05" or "125"; null: it is none of them. */
export function readTime(text: string): number | null {
  const found = /^\s*(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,5}(?:\.\d{1,3})?)\s*$/.exec(text.replaceAll('：', ':').replaceAll('。', '.'))
  if (found === null) return null
  if (found[2] !== undefined && Number(found[3]) >= 60) return null
  return Number(found[1] ?? 0) * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3])
}

/** "2:05.5" or "1:02:05.0": to tenths, as they are cut. */
export function writeTime(time: number): string {
  const all = Math.round(Math.max(0, time) * 10)
  const [hours, minutes, rest] = [Math.floor(all / 36_000), Math.floor((all % 36_000) / 600), all % 600]
  const tail = `${String(Math.floor(rest / 10)).padStart(2, '0')}.${rest % 10}`
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}

/** Moves one of a list to another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const one = list[from]
  if (one === undefined || to < 0 || to >= list.length) return [...list]
  const rest = list.filter((_, at) => at !== from)
  return [...rest.slice(0, to), one, ...rest.slice(to)]
}
