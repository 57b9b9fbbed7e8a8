import { describe, expect, it } from 'vitest'
import { clockAt, endAt, formatAt, isAllDay, minuteAt } from '@/desk/zone'

/** 25 November 2026, 12:30 UTC: 20:30 in Shenzhen. */
const HALF_PAST_EIGHT = Date.UTC(2026, 10, 25, 12, 30) / 1000

describe('a time of day at a desk', () => {
  it('is in the zone of the desk, whatever the browser is in', () => {
    expect(clockAt(HALF_PAST_EIGHT, 480)).toBe('20:30')
    expect(clockAt(HALF_PAST_EIGHT, 0)).toBe('12:30')
    expect(clockAt(HALF_PAST_EIGHT, -300)).toBe('07:30')
    expect(minuteAt(HALF_PAST_EIGHT, 480)).toBe(1230)
  })

  it('may be of another day than in UTC', () => {
    expect(minuteAt(0, -60)).toBe(23 * 60)
    expect(formatAt(Date.UTC(2026, 10, 25, 17) / 1000, 480, 'en', { day: 'numeric', hour: '2-digit', minute: '2-digit' })).toBe('26, 01:00')
  })

  it('ends at 24:00, not at 00:00', () => {
    const midnight = Date.UTC(2026, 10, 25, 16) / 1000
    expect(endAt(midnight, 480)).toBe('24:00')
    expect(clockAt(midnight, 480)).toBe('00:00')
    expect(endAt(HALF_PAST_EIGHT, 480)).toBe('20:30')
  })

  it('is not told where hours span the whole day', () => {
    expect(isAllDay(0, 86_400)).toBe(true)
    expect(isAllDay(0, 86_399)).toBe(false)
  })
})
