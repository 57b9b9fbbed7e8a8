/** Times of day at a desk: in its own zone, which schools plan in, whatever the browser's is. */

/** Ahead of UTC by a fixed time, all year: as `Intl` has no zone for that, the moment is moved. */
export function formatAt(second: number, offsetMin: number, locale: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale, { hourCycle: 'h23', timeZone: 'UTC', ...options }).format(new Date((second + offsetMin * 60) * 1000))
}

/** Minutes since midnight. */
export function minuteAt(second: number, offsetMin: number): number {
  return Math.floor((((second + offsetMin * 60) % 86_400) + 86_400) % 86_400 / 60)
}

/** "20:30". */
export const clockAt = (second: number, offsetMin: number): string => clockOf(minuteAt(second, offsetMin))

/** The end of something: midnight ends the day. */
export const endAt = (second: number, offsetMin: number): string => clockOf(minuteAt(second, offsetMin) || 24 * 60)

/** Hours that have no end worth telling. */
export const isAllDay = (from: number, to: number): boolean => to - from >= 86_400

const clockOf = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
