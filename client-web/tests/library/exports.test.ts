import { describe, expect, it } from 'vitest'
import { isUnderWay, Remaining, type Export } from '@/library/exports'

const made = (state: Export['state'], progress: number): Export => ({
  id: 'e', kind: 'mp4', layout: 'auto', state, progress, bytes: 0, url: null, asked_at: 0, expires_at: null, text: null,
})

describe('how long an export still takes', () => {
  it('is said once it is steady, from how fast it went since it was seen', () => {
    const remaining = new Remaining()
    expect(remaining.of(made('running', 0.5), 100)).toBeNull()
    expect(remaining.of(made('running', 0.6), 102)).toBeNull()
    expect(remaining.of(made('running', 0.6), 110)).toBeCloseTo(40)
    expect(remaining.of(made('running', 0.75), 125)).toBeCloseTo(25)
  })
  it('is not said of what stands still, waits, or is over', () => {
    const remaining = new Remaining()
    expect(remaining.of(made('waiting', 0), 0)).toBeNull()
    expect(remaining.of(made('running', 0.5), 10)).toBeNull()
    expect(remaining.of(made('running', 0.5), 60)).toBeNull()
    expect(remaining.of(made('done', 1), 61)).toBeNull()
    expect(remaining.of(made('running', 0.9), 62)).toBeNull()
  })
  it('concerns what waits or runs', () => {
    expect((['waiting', 'running', 'done', 'failed', 'cancelled'] as const).filter((state) => isUnderWay(made(state, 0)))).toEqual(['waiting', 'running'])
  })
})
