/** The desk's HTTP interface: lessons, links, classes to choose from, the roster's import. */
import { ask, bring, DeskError, offline, refused, type Texts } from './ask'

export { DeskError }

export interface Person { id: string; name: string; school: string }
export interface ClassChoice { id: string; name: string; grade: string; pupils: number; homes: number; teachers: string[] }
export interface School { id: string; name: string; classes: ClassChoice[] }
export interface Choices { schools: School[]; teachers: Person[]; me: { id: string; name: string; role: 'operator' | 'lead' } }
export type LessonState = 'upcoming' | 'open' | 'live' | 'past'
export interface LessonEntry {
  id: string; title: string; subject: string; starts_at: string; planned_minutes: number
  lead: string | null; lead_name: string; state: LessonState; class_names: string[]; homes: number
}
export interface LessonLists { live: LessonEntry[]; upcoming: LessonEntry[]; past: LessonEntry[] }
export type LinkRole = 'lead' | 'co_lead' | 'room' | 'assistant' | 'home_learner' | 'home_group' | 'observer'
export interface JoinLink { id: string; role: LinkRole; subject: string; room: string | null; name: string; school: string; url: string }
/** Rules at the start of a lesson, as the server keeps them. */
export interface Policy {
  hands_need_approval: boolean; public_chat: boolean; stage_limit: number
  hybrid_room: string | null; following: string | null; record: boolean
}
export interface Phase { title: string; minutes: number }
export type Who = 'all' | 'lead' | 'co_lead' | 'assistant'
export interface Cue { minute: number; text: string; who: Who; room: string | null }
export interface Slides { document: string; pages: number; sha256: string; title: string }
export interface Sheet extends Omit<LessonEntry, 'class_names' | 'homes'> {
  classes: string[]; co_leads: string[]; observers: number
  policy: Partial<Policy>; phases: Phase[]; cues: Cue[]
  assistants: { person: string; class_id: string }[]
  rooms: { id: string; name: string; school: string; pupils: number }[]
  links: JoinLink[]
}
export interface Wish {
  title: string; subject: string; starts_at: string; planned_minutes: number
  classes: string[]; lead: string | null; co_leads: string[]; observers: number
  policy: Policy; phases: Phase[]; cues: Cue[]
  assistants: { person: string; class_id: string }[]
}
export interface FileReport { file: string; read: number; created: number; changed: number; unchanged: number; errors: number }
export interface RowError { file: string; line: number; code: string; zh: string; en: string }
export interface ImportReport { dry_run: boolean; files: FileReport[]; errors: RowError[]; seconds: number }
export interface Progress { phase: 'upload' | 'rows'; done: number; total: number; file: string }

export class Desk {
  constructor(private readonly token: string) {}

  choices(): Promise<Choices> { return this.ask('GET', '/api/school') }
  lessons(): Promise<LessonLists> { return this.ask('GET', '/api/lessons') }
  staffLink(person: string): Promise<{ url: string; name: string; expires_at: string }> { return this.ask('POST', '/api/staff-links', { person }) }
  sheet(id: string): Promise<Sheet> { return this.ask('GET', `/api/lessons/${id}`) }
  create(wish: Wish): Promise<{ id: string }> { return this.ask('POST', '/api/lessons', wish) }
  change(id: string, wish: Wish): Promise<{ id: string }> { return this.ask('PUT', `/api/lessons/${id}`, wish) }
  remove(id: string): Promise<void> { return this.ask('DELETE', `/api/lessons/${id}`) }
  open(id: string): Promise<void> { return this.ask('POST', `/api/lessons/${id}/open`) }
  slides(id: string): Promise<{ slides: Slides[] }> { return this.ask('GET', `/api/lessons/${id}/slides`) }
  removeSlides(id: string, sha256: string): Promise<void> { return this.ask('DELETE', `/api/lessons/${id}/slides/${sha256}`) }
  revoke(id: string, link: string): Promise<void> { return this.ask('POST', `/api/lessons/${id}/links/${link}/revoke`) }

  bringSlides(id: string, file: File, onProgress: (share: number) => void): Promise<Slides> { return bring(this.token, `/api/lessons/${id}/slides`, file, 'application/pdf', onProgress) }

  private ask<T>(method: string, path: string, body?: unknown): Promise<T> { return ask(this.token, method, path, body) }

  /** XMLHttpRequest, because fetch does not tell how much of an upload is sent. */
  importRoster(file: File, dryRun: boolean, onProgress: (progress: Progress) => void): Promise<ImportReport> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      let read = 0
      request.open('POST', `/api/roster/import?dry_run=${dryRun ? 1 : 0}`)
      request.setRequestHeader('authorization', `Bearer ${this.token}`)
      request.setRequestHeader('x-file-name', encodeURIComponent(file.name))
      request.upload.onprogress = (event) => {
        onProgress({ phase: 'upload', done: event.loaded, total: event.total, file: '' })
      }
      const lines = (): void => {
        for (let end = request.responseText.indexOf('\n', read); end >= 0; end = request.responseText.indexOf('\n', read)) {
          const line = JSON.parse(request.responseText.slice(read, end)) as {
            progress?: { file: string; rows: number }; report?: ImportReport; error?: { code: string; text: Texts }
          }
          read = end + 1
          if (line.progress) onProgress({ phase: 'rows', done: line.progress.rows, total: 0, file: line.progress.file })
          if (line.report) resolve(line.report)
          if (line.error) reject(new DeskError(503, line.error.code, line.error.text))
        }
      }
      request.onprogress = () => { if (request.status === 200) lines() }
      request.onload = () => {
        if (request.status !== 200) { reject(refused(request.status, request.responseText)); return }
        lines()
        // Nothing happens here when the report was there.
        reject(refused(500, ''))
      }
      request.onerror = () => { reject(offline()) }
      request.send(file)
    })
  }
}
