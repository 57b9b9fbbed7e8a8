/**
 * Captions of a lesson (WebVTT): what is said at a moment. Pure.
 *
 * Read by ourselves because pictures come and go while the captions stay: a <track> belongs to one
 * media element. Where cues stand and how they look is the player's, so settings, styles, regions and
 * notes are passed over. Spec: W3C WebVTT 1, sections 4 and 6.
 */
export interface Cue { start_s: number; end_s: number; text: string }

/** A lesson of three hours, spoken fast, has some 6,000. */
const MAX_CUES = 20_000
const STAMP = String.raw`(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})`
const TIMING = new RegExp(`^\\s*${STAMP}[ \\t]*-->[ \\t]*${STAMP}(?:\\s|$)`)
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', nbsp: '\u00a0', lrm: '', rlm: '' }

const seconds = (found: readonly (string | undefined)[], at: number): number =>
  Number(found[at] ?? 0) * 3600 + Number(found[at + 1]) * 60 + Number(found[at + 2]) + Number(found[at + 3]) / 1000

/** Cues in the order of their starts; empty when it is no WebVTT. */
export function parseCaptions(source: string): Cue[] {
  const text = source.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n').replaceAll('\0', '\ufffd')
  if (!/^WEBVTT(?:[ \t\n]|$)/.test(text)) return []
  const cues: Cue[] = []
  for (const block of text.split(/\n{2,}/)) {
    const lines = block.split('\n').filter((line) => line !== '')
    // Before the timing there may be one line, the cue's name.
    const at = lines.slice(0, 2).findIndex((line) => line.includes('-->'))
    const found = TIMING.exec(lines[at] ?? '')
    if (found === null) continue
    const cue = { start_s: seconds(found, 1), end_s: seconds(found, 5), text: plain(lines.slice(at + 1).join('\n')) }
    if (cue.end_s > cue.start_s && cue.text !== '' && cues.length < MAX_CUES) cues.push(cue)
  }
  return cues.sort((a, b) => a.start_s - b.start_s)
}

/** Who speaks is kept as words; other tags say how it would look. */
function plain(text: string): string {
  return text
    .replace(/<v(?:\.[^\s>]*)?[ \t]+([^>]*)>/g, (_, who: string) => `${who.trim()}: `)
    .replace(/<[^>]*>/g, '')
    .replace(/&(\w+);/g, (all, name: string) => ENTITIES[name] ?? all)
    .trim()
}

/** What is said at a moment: cues that overlap stand one under the other. */
export function captionAt(cues: readonly Cue[], time: number): string {
  return cues.filter((cue) => time >= cue.start_s && time < cue.end_s).map((cue) => cue.text).join('\n')
}
