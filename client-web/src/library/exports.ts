/** Exports of a lesson: asked for, watched, given up. The token is a staff link's. */
import { ask } from '@/school/ask'
import type { Texts } from './manifest'
import type { Layout } from './player/schedule'

export type ExportKind = 'mp4' | 'zip'
export type ExportState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
export interface Export {
  id: string; kind: ExportKind; layout: Layout | null; state: ExportState; progress: number
  bytes: number; url: string | null; asked_at: number; expires_at: number | null; text: Texts | null
}

export const isUnderWay = (one: Export): boolean => one.state === 'waiting' || one.state === 'running'

export class Exports {
  constructor(private readonly token: string, private readonly lesson: string) {}

  async list(signal?: AbortSignal): Promise<Export[]> {
    const found = await this.ask('GET', this.path, undefined, signal === undefined ? {} : { signal })
    return (found as { exports: Export[] }).exports
  }

  async start(kind: ExportKind, layout: Layout): Promise<Export> {
    return (await this.ask('POST', this.path, kind === 'mp4' ? { kind, layout } : { kind })) as Export
  }

  /** Ends one that is under way, forgets one that is over. */
  async remove(id: string): Promise<void> { await this.ask('DELETE', `/api/library/exports/${encodeURIComponent(id)}`) }

  private get path(): string { return `/api/library/lessons/${encodeURIComponent(this.lesson)}/exports` }

  private ask(method: string, path: string, body?: unknown, more?: RequestInit): Promise<unknown> { return ask(this.token, method, path, body, more) }
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
