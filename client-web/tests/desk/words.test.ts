import { describe, expect, it } from 'vitest'
import type { LikeQuestion, ModeratedQuestion, OwnQuestion, PupilView } from '@/protocol/desk-messages'
import { pieces } from '@/desk/formulas'
import { pairsOf } from '@/desk/pairs'
import { callOf, minutesOf, unread } from '@/desk/waiting'
import { own, pupilView } from '../support/desk'

describe('a text', () => {
  it('has formulas between dollars', () => {
    expect(pieces('求 $x^2$ 的值')).toEqual([
      { kind: 'text', text: '求 ' }, { kind: 'formula', text: 'x^2' }, { kind: 'text', text: ' 的值' },
    ])
  })
  it('leaves single dollars alone', () => {
    const plain = (text: string): string => pieces(text).map((one) => (one.kind === 'text' ? one.text : `<${one.text}>`)).join('')
    expect(plain('an apple costs $3')).toBe('an apple costs $3')
    expect(plain('$$ $a$')).toBe('$$ <a>')
    expect(plain('$a\nb$')).toBe('$a\nb$')
    expect(plain('')).toBe('')
  })
})

describe('a wait', () => {
  it('is a range of whole minutes that holds the real one', () => {
    expect(minutesOf({ kind: 'range', low_s: 130, high_s: 220 })).toEqual({ low: 2, high: 4 })
    expect(minutesOf({ kind: 'range', low_s: 0, high_s: 20 })).toEqual({ low: 0, high: 1 })
    expect(minutesOf({ kind: 'range', low_s: 120, high_s: 120 })).toEqual({ low: 2, high: 3 })
  })
})

describe('a moderator', () => {
  const card = { given_name: '小雨', class_name: '七(1)班' }
  const like = (question: number, asked_at: number): LikeQuestion => ({ question, asked_at, state: 'queued', content: `c-${question}`, kind: 'text', wish: 'live', card, followers: 0, origin: null })
  const one = (question: number, asked_at: number, ...others: LikeQuestion[]): ModeratedQuestion => ({ ...like(question, asked_at), subject: 'maths', grade: 7, pupil: `pupil-${question}`, tutor: null, like: others })

  it('compares two questions once, the later beside the earlier', () => {
    const found = pairsOf([one(2, 20, like(1, 10), like(3, 30)), one(3, 30, like(2, 20))], new Set())
    expect(found.map((pair) => [pair.first.question, pair.second.question])).toEqual([[1, 2], [2, 3]])
    expect(found[0]?.first.content).toBe('c-1')
  })
  it('merges into the lower number of two that came at once, and leaves apart what she has', () => {
    const [pair] = pairsOf([one(2, 10, like(5, 10))], new Set())
    expect(pair?.key).toBe('2-5')
    expect(pairsOf([one(2, 10, like(5, 10))], new Set(['2-5']))).toEqual([])
  })
})

describe('a pupil', () => {
  const queued = own({ state: 'queued' })
  const after = (part: Partial<PupilView>): PupilView => pupilView({ question: null, ...part })
  const before = after({ question: queued })
  const answeredOne: OwnQuestion = own({ state: 'answered_async', answer: 'c-2' })

  it('is called when it is her turn, and not when only her place has moved', () => {
    expect(callOf(before, after({ question: own({ state: 'queued', position: 1 }) }))).toBeNull()
    expect(callOf(before, after({ question: own({ state: 'offered' }) }))).toBeNull()
    expect(callOf(before, after({ question: own({ state: 'claimed' }) }))).toBe('tutor')
    expect(callOf(before, after({ question: own({ state: 'bank_matched' }) }))).toBe('bank')
  })

  it('is called for an answer once, and not for one of before', () => {
    const answered = after({ done: [answeredOne] })
    expect(callOf(before, answered)).toBe('answer')
    expect(callOf(answered, answered)).toBeNull()
    expect(callOf(null, answered)).toBeNull()
    expect(unread(answered)).toEqual([answeredOne])
  })
})
