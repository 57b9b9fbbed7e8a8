import { describe, expect, it } from 'vitest'
import { isChapterLink, mayCarry } from '@/library/api'
import { isTonight, type Carried } from '@/school/carry'
import { callOf, unread } from '@/desk/waiting'
import { own, pupilView } from '../support/desk'

const link = (claims: object): string => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`
const carried = (closes: number | null): Carried => ({
  desk: { id: 'city', title: '今晚8点半', opens: closes === null ? null : 1_000, closes, is_open: false, utc_offset_min: 480 }, url: '/desk#token=x',
})

describe('the way from a lesson to the desk', () => {
  it('is offered to learners at home only', () => {
    expect(mayCarry(link({ aud: 'twinclass', role: 'home_learner' }))).toBe(true)
    for (const role of ['room', 'home_group', 'lead']) expect(mayCarry(link({ aud: 'twinclass', role }))).toBe(false)
    expect(mayCarry(link({ aud: 'twinclass-desk', role: 'pupil' }))).toBe(false)
    expect(mayCarry('no link')).toBe(false)
  })

  it('is there as long as tonight is', () => {
    expect(isTonight(carried(2_000), 500)).toBe(true)
    expect(isTonight(carried(2_000), 1_999)).toBe(true)
    expect(isTonight(carried(2_000), 2_000)).toBe(false)
    expect(isTonight(carried(null), 500)).toBe(false)
  })

  it('leads back by links that show one entry', () => {
    expect(isChapterLink(link({ aud: 'twinclass-chapter', role: 'tutor' }))).toBe(true)
    expect(isChapterLink(link({ aud: 'twinclass', role: 'lead' }))).toBe(false)
  })
})

describe('who follows a question', () => {
  it('is called when it is answered', () => {
    const waits = own({ is_own: false, state: 'claimed' })
    const answered = own({ is_own: false, state: 'answered_async', answer: 'c-2' })
    const after = pupilView({ question: null, done: [answered] })
    expect(callOf(pupilView({ question: waits }), after)).toBe('answer')
    expect(unread(after)).toEqual([answered])
  })
})
