/** Which files belong to a moment of a lesson, and which picture is the large one. Pure. */
import type { Chapter, Manifest, Span, Track } from '../manifest'

/** What one media element plays: a run by its playlist, or one file of it. */
export interface Piece { id: string; track: Track; start: number; end: number; url: string; hls: boolean }

export type Layout = 'auto' | 'lead' | 'screen' | 'side'
/** Elements are made this long before they are needed, and kept this long after. */
export const AHEAD_S = 6
const BEHIND_S = 2
/** More pictures than a stage shows at once would only cost. */
const MAX_PIECES = 24

export function pieces(manifest: Manifest): Piece[] {
  const made: Piece[] = []
  for (const track of manifest.tracks) {
    for (const run of track.runs) {
      if (run.playlist !== undefined && run.playlist !== '') {
        made.push({ id: run.id, track, start: run.start_s, end: run.start_s + run.duration_s, url: run.playlist, hls: true })
      } else {
        run.parts.forEach((part, at) => {
          made.push({ id: `${run.id}.${at}`, track, start: part.start_s, end: part.start_s + part.duration_s, url: part.path, hls: false })
        })
      }
    }
  }
  return made.sort((a, b) => a.start - b.start)
}

export const isActive = (piece: Piece, time: number): boolean => time >= piece.start && time < piece.end

/** Where in its file a piece is at a moment. A clip's files begin a little before zero, at the
 *  keyframe: they are entered there, never played from their start. */
export const placeIn = (piece: Piece, time: number): number => Math.max(0, time - piece.start)

/** Where to begin: devices come a little after the bell, and nobody wants to wait for them again. */
export const firstPlace = (all: readonly Piece[]): number => Math.max(0, all[0]?.start ?? 0)

/** What should be loaded at a moment: what plays, what comes soon, what has just ended. Sound first. */
export function needed(all: readonly Piece[], time: number): Piece[] {
  return all
    .filter((piece) => time >= piece.start - AHEAD_S && time < piece.end + BEHIND_S)
    .sort((a, b) => Number(isActive(b, time)) - Number(isActive(a, time)) || Number(b.track.kind === 'audio') - Number(a.track.kind === 'audio'))
    .slice(0, MAX_PIECES)
}

export interface Scene { main: Piece | null; others: Piece[] }

const RANK: Record<string, number> = { screen: 0, document: 1, camera: 2 }

/** Who is large and who is small. `lead`: whose camera counts as the teacher's. */
export function scene(all: readonly Piece[], time: number, layout: Layout, leads: ReadonlySet<string>, hasSlide: boolean): Scene {
  const shown = all.filter((piece) => piece.track.kind === 'video' && isActive(piece, time))
  const order = (piece: Piece): number => {
    const isLead = leads.has(piece.track.participant)
    if (piece.track.source !== 'camera') return layout === 'lead' ? 10 + (RANK[piece.track.source] ?? 9) : RANK[piece.track.source] ?? 9
    return isLead ? 5 : 20
  }
  shown.sort((a, b) => order(a) - order(b) || a.start - b.start)
  // Slides take the large place unless the teacher was asked for, or a screen is shared.
  const takesSlide = hasSlide && layout !== 'lead' && (shown[0]?.track.source ?? 'camera') === 'camera'
  return takesSlide ? { main: null, others: shown } : { main: shown[0] ?? null, others: shown.slice(1) }
}

/** The chapter of a kind that holds at a moment. */
export function chapterAt(chapters: readonly Chapter[], kind: Chapter['kind'], time: number): Chapter | null {
  return chapters.find((chapter) => chapter.kind === kind && time >= chapter.start_s && time < chapter.end_s) ?? null
}

/** Where nothing at all was recorded: gaps of every track of the lead at once. */
export function emptySpans(manifest: Manifest): Span[] {
  const covered = manifest.tracks.flatMap((track) => track.runs.map((run) => ({ start_s: run.start_s, end_s: run.start_s + run.duration_s }))).sort((a, b) => a.start_s - b.start_s)
  const found: Span[] = []
  let at = 0
  for (const span of covered) {
    if (span.start_s - at > 1) found.push({ start_s: at, end_s: span.start_s })
    at = Math.max(at, span.end_s)
  }
  if (manifest.state === 'closed' && manifest.duration_s - at > 1) found.push({ start_s: at, end_s: manifest.duration_s })
  return found
}
