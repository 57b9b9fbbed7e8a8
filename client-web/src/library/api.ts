/** The library's HTTP interface. The token is a staff link's or a lesson's join link's. */
import { DeskError } from '@/school/api'
import type { Manifest, Span } from './manifest'

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
export interface Opened extends Entry {
  description: string; media: Media | null; resume_s: number; missed: Span[]
  may: Record<'edit' | 'cut' | 'export' | 'delete' | 'usage', boolean>; keep_until: string | null
}
export type Change = Partial<Pick<Entry, 'title' | 'subtitle' | 'subject' | 'grade' | 'edition' | 'points' | 'visibility'>> & { description?: string; keep?: boolean }
export interface CatchUp { media: Media; missed: Span[]; live_s: number }

const OFFLINE = { zh: '连不上服务器，请检查网络后再试。', en: 'The server does not answer; check the network and try again.' }
const BROKEN = { zh: '服务器出错了，请稍后再试。', en: 'The server made an error; try again later.' }

export class Library {
  constructor(private readonly token: string) {}

  search(query: URLSearchParams, signal?: AbortSignal): Promise<Page> { return this.ask('GET', `/api/library/lessons?${query.toString()}`, undefined, signal) }
  open(id: string): Promise<Opened> { return this.ask('GET', `/api/library/lessons/${encodeURIComponent(id)}`) }
  change(id: string, change: Change): Promise<Opened> { return this.ask('PATCH', `/api/library/lessons/${encodeURIComponent(id)}`, change) }
  catchUp(): Promise<CatchUp> { return this.ask('GET', '/api/catch-up') }

  /** Where one is; sent also while the page closes, so nobody waits for it. */
  stoppedAt(id: string, position: number): void {
    void fetch(`/api/library/lessons/${encodeURIComponent(id)}/position`, {
      method: 'POST', keepalive: true, body: JSON.stringify({ position_s: Math.max(0, position) }),
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
    }).catch(() => undefined)
  }

  async manifest(media: Media): Promise<Manifest> {
    return (await this.fetchText(media.base + media.manifest, {})) as Manifest
  }

  private ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` }
    const request: RequestInit = { method, headers }
    if (signal !== undefined) request.signal = signal
    if (body !== undefined) {
      headers['content-type'] = 'application/json'
      request.body = JSON.stringify(body)
    }
    return this.fetchText(path, request) as Promise<T>
  }

  private async fetchText(path: string, request: RequestInit): Promise<unknown> {
    let answer: Response
    let text: string
    try {
      answer = await fetch(path, request)
      text = await answer.text()
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      throw new DeskError(0, 'offline', OFFLINE)
    }
    try {
      const parsed: unknown = text === '' ? undefined : JSON.parse(text)
      if (answer.ok) return parsed
      const refusal = parsed as { code: string; text: { zh: string; en: string } }
      throw new DeskError(answer.status, refusal.code, refusal.text)
    } catch (error) {
      if (error instanceof DeskError) throw error
      throw new DeskError(answer.status, 'unexpected', BROKEN)
    }
  }
}
