/** The library's HTTP interface. The token is a staff link's or a lesson's join link's. */
import { ask, bring, refused, said, understood } from '@/school/ask'
import type { Manifest, Span, Texts } from './manifest'
import type { Watched } from './player/watched'

export type EntryState = 'ready' | 'transcoding' | 'live'
export interface Entry {
  id: string; kind: 'lesson' | 'clip' | 'package'; title: string; subtitle: string
  subject: string; grade: string; edition: string; points: string[]; school: string; lead: string
  taught_at: string; duration_s: number; cover_url: string | null
  visibility: 'private' | 'school' | 'city'; plays: number; state: EntryState
}
export interface FacetValue { value: string; count: number }
export type FacetName = 'subject' | 'grade' | 'edition' | 'point'
export interface Page { total: number; took_ms: number; items: Entry[]; facets: Record<FacetName, FacetValue[]> }
export interface Media { base: string; manifest: string; expires_at: number }
export type AttachmentKind = 'slides' | 'homework_sample' | 'paper' | 'picture'
export interface Attachment { sha256: string; kind: AttachmentKind; title: string; media_type: string; bytes: number; url: string | null }
export interface CaptionFile { language: string; url: string }
/** `mean`: null while too few have given stars to say it. */
export interface Rating { mine: number | null; mean: number | null; raters: number }
export interface ShownTo { id: string; name: string; school: string }
export interface Opened extends Entry {
  description: string; media: Media | null; converted: number | null; resume_s: number; missed: Span[]
  attachments: Attachment[]; captions: CaptionFile[]; members: Entry[]; in_packages: { id: string; title: string }[]
  classes: ShownTo[]; view: string; rating: Rating
  may: Record<'edit' | 'cut' | 'export' | 'delete' | 'usage' | 'rate', boolean>; keep_until: string | null
}
/** How one entry was used. Shares are 0 to 1, `done60` counts who saw 60 %; `bucket_s`: length of the stretches that `buckets` counts. */
export interface Usage {
  plays: number; classes: number; homes: number; schools: number; completion: { median: number | null; done60: number }
  days: { day: string; plays: number }[]; bucket_s: number; buckets: number[]
  chapters: { title: Texts; start_s: number; end_s: number; times: number }[]
}
export type Weight = 'classes' | 'completion' | 'reuse' | 'quiz_gain' | 'rating'
export interface EffectRow {
  id: string; title: string; lead: string; school: string; subject: string; grade: string
  adopting_classes: number; plays: number; home_pupils: number; completion: number | null; reuse: number | null
  rating: number | null; raters: number; quiz_gain: number | null; effect: number
}
export interface MonthUsage { month: string; weights: Record<Weight, number>; rows: EffectRow[] }
export type Change = Partial<Pick<Entry, 'title' | 'subtitle' | 'subject' | 'grade' | 'edition' | 'points' | 'visibility'>> & { description?: string; keep?: boolean }
export interface CatchUp { media: Media; missed: Span[]; live_s: number }

export class Library {
  constructor(private readonly token: string) {}

  search(query: URLSearchParams, signal?: AbortSignal): Promise<Page> { return this.ask('GET', `/api/library/lessons?${query.toString()}`, undefined, signal === undefined ? {} : { signal }) }
  open(id: string): Promise<Opened> { return this.ask('GET', at(id)) }
  change(id: string, change: Change): Promise<Opened> { return this.ask('PATCH', at(id), change) }
  catchUp(): Promise<CatchUp> { return this.ask('GET', '/api/catch-up') }

  rate(id: string, stars: number): Promise<{ rating: Rating }> { return this.ask('PUT', `${at(id)}/rating`, { stars }) }
  cut(id: string, clip: { title: string } & Span): Promise<{ id: string }> { return this.ask('POST', `${at(id)}/clips`, clip) }
  remove(id: string): Promise<void> { return this.ask('DELETE', at(id)) }
  pack(title: string, members: readonly string[]): Promise<{ id: string }> { return this.ask('POST', '/api/library/packages', { title, members }) }
  setMembers(id: string, members: readonly string[]): Promise<void> { return this.ask('PUT', `/api/library/packages/${encodeURIComponent(id)}/members`, { members }) }
  detach(id: string, sha256: string): Promise<void> { return this.ask('DELETE', `${at(id)}/attachments/${sha256}`) }
  usage(id: string): Promise<Usage> { return this.ask('GET', `${at(id)}/usage`) }
  month(month: string): Promise<MonthUsage> { return this.ask('GET', `/api/library/usage?month=${month}`) }

  /** The table of a month, to be saved. */
  async monthFile(month: string): Promise<Blob> {
    const { answer, text } = await said(`/api/library/usage.csv?month=${month}`, { headers: { authorization: `Bearer ${this.token}` } })
    if (!answer.ok) throw refused(answer.status, text)
    // Spreadsheets know UTF-8 by the mark that reading the text took off.
    return new Blob(['\ufeff', text], { type: 'text/csv' })
  }

  /** What was watched. `closing`: the page goes, and nobody waits for the answer. */
  async played(id: string, view: string, spans: readonly Watched[], classId: string, closing = false): Promise<void> {
    await this.ask('POST', `${at(id)}/plays`, { view, spans, ...(classId === '' ? {} : { class_id: classId }) }, { keepalive: closing })
  }

  attach(id: string, kind: Exclude<AttachmentKind, 'slides'>, file: File, onProgress: (share: number) => void): Promise<Attachment> {
    return bring(this.token, `${at(id)}/attachments?kind=${kind}`, file, file.type, onProgress)
  }

  async captions(url: string): Promise<string> {
    const { answer, text } = await said(url)
    if (!answer.ok) throw refused(answer.status, text)
    return text
  }

  /** Where one is; sent also while the page closes, so nobody waits for it. */
  stoppedAt(id: string, position: number): void {
    void fetch(`${at(id)}/position`, {
      method: 'POST', keepalive: true, body: JSON.stringify({ position_s: Math.max(0, position) }),
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
    }).catch(() => undefined)
  }

  /** Without the token: the address is the right, and caches may keep what it gives. */
  async manifest(media: Media): Promise<Manifest> { return understood(await said(media.base + media.manifest)) as Manifest }

  private ask<T>(method: string, path: string, body?: unknown, more?: RequestInit): Promise<T> { return ask(this.token, method, path, body, more) }
}

const at = (id: string): string => `/api/library/lessons/${encodeURIComponent(id)}`

/** What a link says of its bearer. It decides what is offered and no more: the server decides what is
 *  answered. */
function claimsOf(token: string): { aud?: string; role?: string } {
  try {
    const bytes = Uint8Array.from(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0))
    return JSON.parse(new TextDecoder().decode(bytes)) as { aud?: string; role?: string }
  } catch {
    return {}
  }
}

/** Whether the bearer of a link may be shown figures of use. */
export function maySeeUsage(token: string): boolean {
  const { aud, role } = claimsOf(token)
  return aud === 'twinclass-staff' && ['operator', 'librarian', 'lead'].includes(role ?? '')
}

/** Whether she may take a moment of her lesson to the evening desk. */
export function mayCarry(token: string): boolean {
  const { aud, role } = claimsOf(token)
  return aud === 'twinclass' && role === 'home_learner'
}

/** Whether a link shows one entry and nothing around it. */
export const isChapterLink = (token: string): boolean => claimsOf(token).aud === 'twinclass-chapter'
