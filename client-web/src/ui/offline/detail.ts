import type { OfflineRecord } from '@/lesson/offline/records'

type Translate = (key: string, values: Record<string, unknown>) => string

/** A record in a few words: figures, no names. */
export function detail(record: OfflineRecord, t: Translate): string {
  switch (record.type) {
    case 'roll':
      return record.present === null
        ? t('offline.detail.roll', { absent: record.absent.length, late: record.late.length })
        : t('offline.detail.heads', { n: record.present })
    case 'tally':
      return t('offline.detail.tally', { quiz: record.quiz, counts: letters(record.counts) })
    case 'count':
      return letters(record.counts)
    case 'hands':
      return t('offline.detail.hands', { n: record.count })
  }
}

/** Counts with the letters of the cards: A 12  B 3. */
export function letters(counts: readonly number[]): string {
  return counts.map((one, index) => `${String.fromCharCode(65 + index)}\u00a0${one}`).join('  ')
}
