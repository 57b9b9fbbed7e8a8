/** The desk's HTTP interface: what is personal or large, and what outlives an evening. */
import type { Duty } from '@/protocol/desk-messages'
import type { Texts } from '@/library/manifest'
import { ask, offline, refused, said, understood, type Found } from '@/school/ask'

export type FoundWords = Found

export interface StoredPhoto { photo: string; width: number; height: number }
export interface StoredVoice { voice: string; seconds: number }
export interface ShownPhoto { photo: string; url: string; thumb: string; width: number; height: number }
/** A question or an answer as it was stored; addresses end after two hours. */
export interface Content {
  content: string; text: string; photos: ShownPhoto[]; voice: { url: string; seconds: number } | null; by: 'pupil' | 'tutor'
}
/** The moment of a lesson that a question comes from; `t`: seconds from the bell; `url`: to watch it. */
export interface Origin { lesson: string; title: string; phase: Texts | null; page: number | null; t: number | null; url: string | null }
export interface NamedPoint { id: string; name: string }
/** `url`: null where the recording is not open to her. */
export interface Chapter { entry: string; title: string; t: number; url: string | null }
export interface BankCard {
  entry: string; subject: string; grade: number; points: NamedPoint[]; question: string; answer: string
  thumb: string | null; rating: number | null; chapter: Chapter | null
}
/** A part is null when what it says is gone. */
export interface BankEntry extends Omit<BankCard, 'question' | 'answer'> { question: Content | null; answer: Content | null }
export interface BankQuery { q?: string; subject?: string; grade?: number | null; point?: string; page?: number }
/** An answer that may become an entry of the bank, when a moderator lets it. */
export interface Proposed {
  id: number; subject: string; grade: number; points: NamedPoint[]; question: Content; answer: Content; proposed_at: number
}
export interface Review { publish: boolean; question_text?: string; answer_text?: string; points?: string[]; question_photos?: boolean }
/** A text that was stopped; nobody but moderators sees it. */
export interface FlaggedText { n: number; evening: string; author: string; role: 'pupil' | 'tutor'; text: string; found: FoundWords[]; at: string | number }
export interface HeldRating { id: number; at: number; text: string; question: number | null }
export interface TutorTally {
  points_term: number; points_cap: number; yuan: number
  helps: { question: number | null; subject: string; kind: 'written' | 'one_to_one' | 'one_to_many'; points: number; at: number; capped: boolean }[]
  ratings: { understood: number; patient: number; again: number; n: number } | null
  texts: string[]
}
export interface PastSession {
  child: string; child_name: string; tutor_name: string; subject: string; kind: 'one_to_one' | 'one_to_many'; started_at: number; ended_at: number | null
}
export interface Consent {
  child: string; child_name: string; purpose: ConsentPurpose; version: string; given_at: number | null; withdrawn_at: number | null
}
export const PURPOSES = ['desk', 'photo', 'recording'] as const
export type ConsentPurpose = (typeof PURPOSES)[number]
export interface Approval { officer: string; name: string; at: number; reason: string }
export interface SafetyCase {
  id: number; evening: string; case: number; at: number; reporter_role: 'pupil' | 'tutor'; outcome: string | null
  question: number | null; session: number | null; late: boolean; recording: boolean; approvals: Approval[]; open_until: number | null
  log: { at: number; name: string; action: string }[]
}
/** `of`: the date has a roster of its own, that of its weekday, or none was made. */
export interface RosterSheet { date: string; weekday: number; of: 'date' | 'weekday' | 'nothing'; duties: Duty[]; names: Record<string, string> }
export interface Staff { id: string; name: string; subjects: string[]; school: string }

export class DeskApi {
  constructor(private readonly token: string) {}

  photo(image: Blob, onProgress: (share: number) => void = () => undefined): Promise<StoredPhoto> { return this.bring('/api/desk/photos', image, onProgress) }
  voice(sound: Blob, onProgress: (share: number) => void = () => undefined): Promise<StoredVoice> { return this.bring('/api/desk/voices', sound, onProgress) }
  store(content: { text: string; photos: readonly string[]; voice: string | null }): Promise<{ content: string }> { return this.ask('POST', '/api/desk/contents', content) }
  /** `question`: of this evening, through which one may see it; not needed for one's own. */
  content(content: string, question: number | null): Promise<Content> {
    return this.ask('GET', `/api/desk/contents/${encodeURIComponent(content)}${question === null ? '' : `?question=${question}`}`)
  }

  /** `question`: of this evening, which comes from there; null: her own link does. */
  origin(origin: string, question: number | null): Promise<Origin> {
    return this.ask('GET', `/api/desk/origins/${encodeURIComponent(origin)}${question === null ? '' : `?question=${question}`}`)
  }

  bank(query: BankQuery, signal?: AbortSignal): Promise<{ entries: BankCard[]; total: number }> {
    const asked = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== null && value !== '') asked.set(name, String(value))
    return this.ask('GET', `/api/desk/bank?${asked.toString()}`, undefined, signal === undefined ? {} : { signal })
  }
  points(): Promise<{ points: (NamedPoint & { subject: string })[] }> { return this.ask('GET', '/api/desk/points') }
  entry(entry: string): Promise<BankEntry> { return this.ask('GET', `/api/desk/bank/${encodeURIComponent(entry)}`) }
  helpful(entry: string, helpful: boolean): Promise<void> { return this.ask('POST', `/api/desk/bank/${encodeURIComponent(entry)}/helpful`, { helpful }) }
  proposed(): Promise<{ answers: Proposed[] }> { return this.ask('GET', '/api/desk/bank/review') }
  review(id: number, review: Review): Promise<void> { return this.ask('POST', `/api/desk/bank/review/${id}`, review) }

  rate(question: number, text: string): Promise<void> { return this.ask('POST', '/api/desk/ratings', { question, text }) }
  heldRatings(): Promise<{ ratings: HeldRating[] }> { return this.ask('GET', '/api/desk/ratings/held') }
  decideRating(id: number, publish: boolean): Promise<void> { return this.ask('POST', `/api/desk/ratings/${id}`, { publish }) }
  flags(): Promise<{ flags: FlaggedText[] }> { return this.ask('GET', '/api/desk/flags') }
  seen(n: number): Promise<void> { return this.ask('POST', `/api/desk/flags/${n}`) }

  tally(): Promise<TutorTally> { return this.ask('GET', '/api/desk/tally') }
  /** `day`: a date, or a weekday from 0 (Monday) to 6; empty: this evening. */
  roster(day: string): Promise<RosterSheet> { return this.ask('GET', `/api/desk/roster?date=${encodeURIComponent(day)}`) }
  /** null: the date has the roster of its weekday again. */
  setRoster(day: string, duties: readonly Duty[] | null): Promise<RosterSheet> { return this.ask('PUT', `/api/desk/roster?date=${encodeURIComponent(day)}`, { duties }) }
  tutors(): Promise<{ people: Staff[] }> { return this.ask('GET', '/api/desk/people?role=tutor') }
  /** The ledger of a span of days, to be saved. */
  async credits(from: string, to: string): Promise<Blob> {
    const { answer, text } = await said(`/api/desk/credits.csv?from=${from}&to=${to}`, { headers: { authorization: `Bearer ${this.token}` } })
    if (!answer.ok) throw refused(answer.status, text)
    // Spreadsheets know UTF-8 by the mark that reading the text took off.
    return new Blob(['\ufeff', text], { type: 'text/csv' })
  }

  pastSessions(): Promise<PastSession[]> { return this.ask('GET', '/api/desk/sessions') }
  consents(): Promise<{ consents: Consent[]; officer: string }> { return this.ask('GET', '/api/desk/consents') }
  consent(child: string, purpose: ConsentPurpose, given: boolean): Promise<{ consents: Consent[]; officer: string }> { return this.ask('POST', '/api/desk/consents', { child, purpose, given }) }
  cases(): Promise<{ cases: SafetyCase[] }> { return this.ask('GET', '/api/desk/cases') }
  approve(id: number, reason: string): Promise<SafetyCase> { return this.ask('POST', `/api/desk/cases/${id}/approve`, { reason }) }
  recording(id: number): Promise<{ url: string; expires_at: number }> { return this.ask('GET', `/api/desk/cases/${id}/recording`) }

  private ask<T>(method: string, path: string, body?: unknown, more?: RequestInit): Promise<T> { return ask(this.token, method, path, body, more) }

  /** XMLHttpRequest, because fetch does not tell how much of an upload is sent. */
  private bring<T>(path: string, body: Blob, onProgress: (share: number) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open('POST', path)
      request.setRequestHeader('authorization', `Bearer ${this.token}`)
      request.setRequestHeader('content-type', body.type)
      request.upload.onprogress = (event) => { onProgress(event.total === 0 ? 1 : event.loaded / event.total) }
      request.onload = () => {
        const { status, responseText: text } = request
        if (status < 200 || status > 299) { reject(refused(status, text)); return }
        try { resolve(understood({ answer: new Response(null, { status: 200 }), text }) as T) } catch (error) { reject(error instanceof Error ? error : offline()) }
      }
      request.onerror = () => { reject(offline()) }
      request.ontimeout = () => { reject(offline()) }
      request.timeout = 60_000
      request.send(body)
    })
  }
}
