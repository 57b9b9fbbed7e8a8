import { describe, expect, it } from 'vitest'
import type { EffectRow } from '@/library/api'
import { monthAfter, monthOf, months, reorder, sorted } from '@/library/usage'

const row = (id: string, title: string, plays: number, completion: number | null): EffectRow => ({
  id, title, lead: '示例老师', school: '示例一中', subject: '数学', grade: '七年级', adopting_classes: 0, plays, home_pupils: 0,
  completion, reuse: null, rating: null, raters: 0, quiz_gain: null, effect: 0,
})
const rows = [row('a', '第10课', 3, null), row('b', '第2课', 7, 0.4), row('c', '分数', 7, 0.9)]
const ids = (order: Parameters<typeof sorted>[1]): string => sorted(rows, order, 'zh-CN').map((one) => one.id).join('')

describe('the table of a month', () => {
  it('is in order of words as people read them, and of figures', () => {
    expect(ids({ by: 'title', falling: false }).replace('c', '')).toBe('ba')
    expect(ids({ by: 'plays', falling: true })).toBe('bca')
    expect(ids({ by: 'plays', falling: false })).toBe('abc')
  })
  it('has last what was not measured', () => {
    expect(ids({ by: 'completion', falling: true })).toBe('cba')
    expect(ids({ by: 'completion', falling: false })).toBe('bca')
    expect(ids({ by: 'quiz_gain', falling: true })).toBe('abc')
  })
  it('turns round when a column is chosen again', () => {
    expect(reorder({ by: 'effect', falling: true }, 'effect')).toEqual({ by: 'effect', falling: false })
    expect(reorder({ by: 'effect', falling: true }, 'title')).toEqual({ by: 'title', falling: false })
    expect(reorder({ by: 'title', falling: false }, 'plays')).toEqual({ by: 'plays', falling: true })
  })
  it('knows its months', () => {
    expect(monthOf(new Date(2026, 0, 31))).toBe('2026-01')
    expect(monthAfter('2026-12', 1)).toBe('2027-01')
    expect(months('2026-02', 4)).toEqual(['2026-02', '2026-01', '2025-12', '2025-11'])
  })
})
