/** `GET /api/operations`: how everything stands, as the server judges it. */

export interface Texts { zh: string; en: string }
export type Light = 'green' | 'amber' | 'red' | 'grey'
export interface Need { code: string; state: Light; what: Texts; todo: Texts; where: string[]; lesson: string }
export interface RoomLight { id: string; name: string; school: string; state: Light; code: string; reason: Texts }
export interface LessonLine {
  id: string; title: string; phase: 'pre_class' | 'live' | 'closed'; state: Light; minutes: number | null; planned_minutes: number
  rooms_present: number; rooms_expected: number; homes_present: number; homes_expected: number
  recording: Texts; recording_state: Light; rooms: RoomLight[]
}
export interface Disk { state: Light; free_bytes: number | null; total_bytes: number; lesson_hours: number | null }
export interface Store { state: Light; is_up: boolean; latency_ms: number | null; memory_bytes: number | null; is_ours: boolean }
export interface MediaWorker { index: number; state: Light; is_up: boolean; cpu: number | null; viewers: number; memory_bytes: number; is_outdated: boolean }
export interface RecorderLine { state: Light; lessons: number; bytes_per_s: number; is_outdated: boolean }
export interface Certificate { state: Light; days_left: number | null }
export interface Operations {
  at: number; version: string; uptime_s: number; needs: Need[]; lessons: LessonLine[]; elsewhere: number
  disk: Disk; redis: Store; database: Store; workers: MediaWorker[]; recorder: RecorderLine; certificate: Certificate
}

/** A refusal; `status` 0: nothing answered. */
export class LookRefused extends Error {
  constructor(readonly status: number) {
    super(`operations: ${status}`)
  }
}

/** A server that takes longer does not answer, for whoever looks. */
const PATIENCE_MS = 5000

export async function look(token: string): Promise<Operations> {
  let answer: Response
  try {
    answer = await fetch('/api/operations', { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(PATIENCE_MS) })
    if (answer.ok) return (await answer.json()) as Operations
  } catch {
    throw new LookRefused(0)
  }
  throw new LookRefused(answer.status)
}
