/** What the server says in ids and seconds, in words of the page's language. */
import { useI18n } from 'vue-i18n'
import { useDesk } from '@/desk/desk'
import { clockAt, endAt, formatAt, isAllDay } from '@/desk/zone'
import type { Texts } from '@/library/manifest'
import { DeskError } from '@/school/ask'

/* Functions, not methods: parts take single ones out. */
export interface DeskWords {
  subject: (id: string) => string
  grade: (grade: number) => string
  /** "20:30" of a second of Unix time, as the desk's clock has it. */
  time: (seconds: number) => string
  /** As `time`, of the end of something: midnight is 24:00. */
  end: (seconds: number) => string
  /** "20:30–22:00", or that it is all day. */
  hours: (from: number, to: number) => string
  /** "11月25日 20:30" */
  moment: (seconds: number | string) => string
  /** "2 分 10 秒", "5 min". */
  span: (seconds: number) => string
  texts: (text: Texts) => string
  problem: (error: unknown) => string
}

const seconds = (moment: number | string): number => (typeof moment === 'number' ? moment : Date.parse(moment) / 1000)

export function useWords(): DeskWords {
  const i18n = useI18n()
  const { t, locale } = i18n
  const knows = (key: string): boolean => i18n.te(key, 'zh-CN')
  const desk = useDesk()
  const offset = (): number => desk.info?.utc_offset_min ?? 0
  const texts = (text: Texts): string => (locale.value === 'en' ? text.en : text.zh)
  return {
    // An id without a word of ours is still better than nothing.
    subject: (id) => (knows(`desk.subjects.${id}`) ? t(`desk.subjects.${id}`) : id),
    grade: (grade) => (knows(`desk.grades.${grade}`) ? t(`desk.grades.${grade}`) : t('desk.grade', { n: grade })),
    time: (at) => clockAt(at, offset()),
    end: (at) => endAt(at, offset()),
    hours: (from, to) => (isAllDay(from, to) ? t('desk.allDay') : `${clockAt(from, offset())}–${endAt(to, offset())}`),
    moment: (at) => formatAt(seconds(at), offset(), locale.value, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' }),
    span: (length) => {
      const whole = Math.max(0, Math.round(length))
      if (whole < 60) return t('desk.seconds', { n: whole })
      return t('desk.minutes', { n: Math.round(whole / 60) })
    },
    texts,
    problem: (error) => (error instanceof DeskError ? texts(error.text) : t('desk.failed')),
  }
}
