/** Exports of a lesson: asked for, watched, given up. The token is a staff link's. */
import { DeskError } from '@/school/api'
import type { Texts } from './manifest'
import type { Layout } from './player/schedule'

export type ExportKind = 'mp4' | 'zip'
export type ExportState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
export interface Export {
  id: string; kind: ExportKind; layout: Layout | null; state: ExportState; progress: number
  bytes: number; url: string | null; asked_at: number; expires_at: number | null; text: Texts | null
}

export const isUnderWay = (one: Export): boolean => one.state === 'waiting' || one.state === 'running'

const OFFLINE: Texts = { zh: '连不上服务器，请检查网络后再试。', en: 'The server does not answer; check the network and try again.' }
const BROKEN: Texts = { zh: '服务器出错了，请稍后再试。', en: 'The server made an error; try again later.' }

export class Exports {
  constructor(private readonly token: string, private readonly lesson: string) {}

  async list(signal?: AbortSignal): Promise<Export[]> {
    const found = await this.ask('GET', this.path, undefined, signal)
    return (found as { exports: Export[] }).exports
  }

  async start(kind: ExportKind, layout: Layout): Promise<Export> {
    return (await this.ask('POST', this.path, kind === 'mp4' ? { kind, layout } : { kind })) as Export
  }

  /** Ends one that is under way, forgets one that is over. */
  async remove(id: string): Promise<void> { await this.ask('DELETE', `/api/library/exports/${encodeURIComponent(id)}`) }

  private get path(): string { return `/api/library/lessons/${encodeURIComponent(this.lesson)}/exports` }

  private async ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` }
    const request: RequestInit = { method, headers }
    if (signal !== undefined) request.signal = signal
    if (body !== undefined) {
      headers['content-type'] = 'application/json'
      request.body = JSON.stringify(body)
    }
    let status: number
    let text: string
    try {
      const answer = await fetch(path, request)
      status = answer.status
      text = await answer.text()
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      throw new DeskError(0, 'offline', OFFLINE)
    }
    try {
      const parsed: unknown = text === '' ? undefined : JSON.parse(text)
      if (status < 300) return parsed
      const refusal = parsed as { code: string; text: Texts }
      throw new DeskError(status, refusal.code, refusal.text)
    } catch (error) {
      if (error instanceof DeskError) throw error
      throw new DeskError(status, 'unexpected', BROKEN)
    }
  }
}

/** Figures before are too rough to be told. */
const STEADY_S = 3
const STEADY_SHARE = 0.01

/** How long an export still takes, from how fast it went since it was first seen. */
export class Remaining {
  private readonly first = new Map<string, { at: number; share: number }>()

  /** Seconds, or null while nothing can be said. `now`: seconds of any clock. */
  of(one: Export, now: number): number | null {
    if (one.state !== 'running') {
      this.first.delete(one.id)
      return null
    }
    const first = this.first.get(one.id)
    if (first === undefined) {
      this.first.set(one.id, { at: now, share: one.progress })
      return null
    }
    const [took, done] = [now - first.at, one.progress - first.share]
    if (took < STEADY_S || done < STEADY_SHARE) return null
    return ((1 - one.progress) * took) / done
  }
}
