/**
 * What is taken down while the line is gone: which commands, what becomes of each record, when it is
 * forgotten. The server's log is the judge: a record is done with when its key stands there, or when
 * the answer is an error that does not pass.
 *
 * Pure; storage and lines are elsewhere.
 */
import type { BilingualText, OfflineRecordView, RecordOffline } from '@/protocol/messages'
import type { ClientCommand } from '@/protocol/names'

export type OfflineRecord = RecordOffline['record']
export type OfflineKind = OfflineRecordView['kind']

/** On this device until the log has it. Times are the server's clock in seconds. */
export interface KeptRecord {
  key: string
  /** Lesson and participant, as `seatOf` gives them. */
  seat: string
  takenAt: number
  record: OfflineRecord
  /** The server will not take it; kept until somebody has read why. */
  refused: BilingualText | null
}

/** What became of a record, to be told. */
export interface MergeResult {
  key: string
  kind: OfflineKind
  takenAt: number
  record: OfflineRecord
  outcome: OfflineRecordView['outcome'] | 'refused'
  /** Of how many pupils something stands that was told later. */
  kept: number
  text: BilingualText | null
}

/** Fewer than the server takes of a class (100): one in 40 s of a lesson that has no line at all. */
export const MAX_KEPT = 60
/** Whatever is left of a lesson on this device goes after this. */
export const FORGET_MS = 24 * 3600 * 1000

/** The line is gone, or the server is busy: the same may be taken later. */
const PASSING: ReadonlySet<string> = new Set([
  'not_connected', 'not_delivered', 'log_unavailable', 'busy', 'rate_limited', 'lesson_moved', 'internal',
])
/** Only these say that a command did not arrive. */
const UNDELIVERED: ReadonlySet<string> = new Set(['not_connected', 'not_delivered'])

export const isPassing = (code: string): boolean => PASSING.has(code)
export const isUndelivered = (code: string): boolean => UNDELIVERED.has(code)

/** A command of the console as a record, null for those that make no sense afterwards. */
export function recordOf(command: ClientCommand): OfflineRecord | null {
  switch (command.type) {
    case 'roll_call':
      return { type: 'roll', absent: command.absent ?? [], late: command.late ?? [], present: command.present ?? null }
    case 'quiz_tally':
      return { type: 'tally', quiz: command.quiz, counts: command.counts }
    default:
      return null
  }
}

/** Whose records and whose place: of this lesson and this person, whatever link she came by. */
export function seatOf(token: string): string | null {
  try {
    const body = token.split('.')[1] ?? ''
    const bytes = Uint8Array.from(atob(body.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0))
    const { lesson, sub } = JSON.parse(new TextDecoder().decode(bytes)) as { lesson?: unknown; sub?: unknown }
    return typeof lesson === 'string' && typeof sub === 'string' ? `${lesson}/${sub}` : null
  } catch {
    return null
  }
}

/** The next one to be brought: the oldest that was neither brought nor refused. */
export function nextOf(records: readonly KeptRecord[], sent: ReadonlySet<string>): KeptRecord | undefined {
  return records
    .filter((one) => one.refused === null && !sent.has(one.key))
    .reduce<KeptRecord | undefined>((first, one) => (first === undefined || one.takenAt < first.takenAt ? one : first), undefined)
}

/** Parts records into those still to be brought and what is to be told of those in the log. */
export function settle(
  records: readonly KeptRecord[],
  logged: readonly OfflineRecordView[],
): { open: KeptRecord[]; results: MergeResult[] } {
  const known = new Map(logged.map((one) => [one.key, one]))
  const open: KeptRecord[] = []
  const results: MergeResult[] = []
  for (const one of records) {
    const found = known.get(one.key)
    if (found === undefined) open.push(one)
    else {
      const { outcome, kept } = found
      results.push({ key: one.key, kind: one.record.type, takenAt: found.taken_at, record: one.record, outcome, kept, text: null })
    }
  }
  return { open, results }
}

/** A refusal as it is told. */
export function refusal(one: KeptRecord, text: BilingualText): MergeResult {
  return { key: one.key, kind: one.record.type, takenAt: one.takenAt, record: one.record, outcome: 'refused', kept: 0, text }
}

/** The roll that was called last without a line: what the console shows until the log has it. */
export function lastRoll(records: readonly KeptRecord[]): (KeptRecord & { record: { type: 'roll' } }) | null {
  let last: (KeptRecord & { record: { type: 'roll' } }) | null = null
  for (const one of records) {
    if (one.record.type !== 'roll' || one.refused !== null) continue
    if (last === null || one.takenAt >= last.takenAt) last = one as KeptRecord & { record: { type: 'roll' } }
  }
  return last
}
