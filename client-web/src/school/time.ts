/** Times as `<input type="datetime-local">` has them: the clock on the wall, without a zone. */
const two = (n: number): string => String(n).padStart(2, '0')

export function toLocalInput(moment: Date): string {
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}T${two(moment.getHours())}:${two(moment.getMinutes())}`
}

/** The next full hour: lessons rarely begin at a minute somebody happened to look. */
export function nextHour(now: Date): Date {
  const next = new Date(now)
  next.setHours(next.getHours() + 1, 0, 0, 0)
  return next
}

export function span(startsAt: string, minutes: number, locale: string): { day: string; from: string; to: string } {
  const begin = new Date(startsAt)
  const end = new Date(begin.getTime() + minutes * 60_000)
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const day = new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric', weekday: 'short' })
  return { day: day.format(begin), from: clock.format(begin), to: clock.format(end) }
}
