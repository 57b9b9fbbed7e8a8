import { describe, expect, it } from 'vitest'
import { maySeeUsage } from '@/library/api'
import { around, moved, moveEnd, readTime, writeTime } from '@/library/cut'
import { captionAt, parseCaptions } from '@/library/player/captions'

describe('captions', () => {
  const source = [
    '\ufeffWEBVTT - 示例', '', 'NOTE nobody says this', '', 'STYLE', '::cue { color: red }', '',
    '1', '00:01.000 --> 00:03.500 align:start', '<v 示例老师>同学们<b>好</b></v>', '', '01:00:02.250 --> 01:00:04.000', 'a &lt; b &amp;', 'c', '',
    '00:02.000 --> 00:05.000', '两句话', '', '00:09.000 --> 00:08.000', '倒过来的', '', 'not a cue', 'at all', '',
  ]
  it('reads what is said and passes over the rest', () => {
    for (const end of ['\n', '\r\n']) {
      expect(parseCaptions(source.join(end))).toEqual([
        { start_s: 1, end_s: 3.5, text: '示例老师: 同学们好' },
        { start_s: 2, end_s: 5, text: '两句话' },
        { start_s: 3602.25, end_s: 3604, text: 'a < b &\nc' },
      ])
    }
    expect(parseCaptions('1\n00:01.000 --> 00:02.000\nx')).toEqual([])
    expect(parseCaptions('')).toEqual([])
  })
  it('says what is said at a moment', () => {
    const cues = parseCaptions(source.join('\n'))
    expect(captionAt(cues, 0.9)).toBe('')
    expect(captionAt(cues, 1)).toBe('示例老师: 同学们好')
    expect(captionAt(cues, 3)).toBe('示例老师: 同学们好\n两句话')
    expect(captionAt(cues, 5)).toBe('')
  })
})

describe('choosing a stretch', () => {
  it('keeps its ends in order and inside the lesson', () => {
    expect(moveEnd({ start_s: 10, end_s: 20 }, 'start', 30, 100)).toEqual({ start_s: 30, end_s: 33 })
    expect(moveEnd({ start_s: 10, end_s: 20 }, 'start', -3, 100)).toEqual({ start_s: 0, end_s: 20 })
    expect(moveEnd({ start_s: 10, end_s: 20 }, 'end', 5, 100)).toEqual({ start_s: 2, end_s: 5 })
    expect(moveEnd({ start_s: 10, end_s: 20 }, 'end', 1, 100)).toEqual({ start_s: 0, end_s: 3 })
    expect(moveEnd({ start_s: 10, end_s: 20 }, 'start', 99, 100)).toEqual({ start_s: 97, end_s: 100 })
    expect(moveEnd({ start_s: 10, end_s: 20 }, 'end', 5000, 9000)).toEqual({ start_s: 1400, end_s: 5000 })
    expect(moveEnd({ start_s: 10, end_s: 20 }, 'end', 400, 100.04)).toEqual({ start_s: 10, end_s: 100 })
    expect(around(12.34, 100)).toEqual({ start_s: 12.3, end_s: 72.3 })
    expect(around(90, 100)).toEqual({ start_s: 40, end_s: 100 })
    expect(around(3, 8)).toEqual({ start_s: 0, end_s: 8 })
  })
  it('reads and writes times', () => {
    expect(['125', '2:05', '2：05.5', '1:02:05', '0:61', 'x', ''].map(readTime)).toEqual([125, 125, 125.5, 3725, null, null, null])
    expect([0, 59.96, 125.5, 3725].map(writeTime)).toEqual(['0:00.0', '1:00.0', '2:05.5', '1:02:05.0'])
  })
  it('moves one of a list', () => {
    expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
    expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b'])
    expect(moved(['a', 'b'], 1, 2)).toEqual(['a', 'b'])
  })
})

describe('figures of use', () => {
  const token = (claims: object): string => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`
  it('are offered to staff that have them', () => {
    expect(maySeeUsage(token({ aud: 'twinclass-staff', role: 'lead', name: '示例老师' }))).toBe(true)
    expect(maySeeUsage(token({ aud: 'twinclass', role: 'lead' }))).toBe(false)
    expect(maySeeUsage(token({ aud: 'twinclass-staff', role: 'observer' }))).toBe(false)
    expect(maySeeUsage('no token')).toBe(false)
  })
})
