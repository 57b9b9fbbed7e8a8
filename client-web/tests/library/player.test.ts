import { describe, expect, it } from 'vitest'
import type { Manifest, Track } from '@/library/manifest'
import { LessonClock } from '@/library/player/clock'
import { catchUpStep, isStuck, offered, owed } from '@/library/player/catchup'
import { left, lengthOf, nextOf } from '@/library/player/missed'
import { chapterAt, emptySpans, firstPlace, needed, pieces, placeIn, scene } from '@/library/player/schedule'

const track = (id: string, participant: string, source: Track['source'], runs: [number, number][], vp8 = false): Track => ({
  id, participant, source, kind: source === 'microphone' ? 'audio' : 'video',
  runs: runs.map(([start, end], at) => ({
    id: `${id}-r${at}`, start_s: start, duration_s: end - start, playlist: vp8 ? '' : `hls/${id}-r${at}.m3u8`,
    parts: [{ path: `parts/${id}${at}.mp4`, start_s: start, duration_s: end - start, codec: vp8 ? 'vp8' : 'h264', mime: '' }],
  })),
})
const lesson = (...tracks: Track[]): Manifest => ({ lesson: 'l', title: 't', origin_unix: 0, duration_s: 100, state: 'closed', tracks })
const leads = new Set(['lead'])

describe('the clock of a lesson', () => {
  it('runs at its rate, waits while something loads, and stops at the end', () => {
    const clock = new LessonClock(() => 100)
    expect(clock.time(5)).toBe(0)
    clock.play(5)
    expect(clock.time(7)).toBe(2)
    clock.stall(7, true)
    expect(clock.time(9)).toBe(2)
    clock.stall(9, false)
    clock.setRate(10, 2)
    expect(clock.time(11)).toBe(5)
    clock.pause(11)
    expect(clock.time(50)).toBe(5)
    clock.seek(50, 99)
    clock.play(50)
    expect(clock.time(60)).toBe(100)
    clock.seek(60, -4)
    expect(clock.time(60)).toBe(0)
  })

  it('keeps its place when it is paused while it waits', () => {
    const clock = new LessonClock(() => 100)
    clock.play(0)
    clock.stall(3, true)
    clock.pause(4)
    clock.stall(5, false)
    expect(clock.time(20)).toBe(3)
    clock.play(20)
    expect(clock.time(21)).toBe(4)
  })
})

describe('what belongs to a moment', () => {
  const all = pieces(lesson(track('a', 'lead', 'camera', [[0, 40], [60, 100]]), track('b', 'lead', 'microphone', [[0, 100]]), track('c', 'room', 'camera', [[30, 50]]), track('d', 'lead', 'screen', [[45, 70]])))
  const ids = (time: number): string[] => needed(all, time).map((piece) => piece.id).sort()

  it('is loaded a little before and kept a little after', () => {
    expect(ids(10)).toEqual(['a-r0', 'b-r0'])
    expect(ids(25)).toEqual(['a-r0', 'b-r0', 'c-r0'])
    expect(ids(41)).toEqual(['a-r0', 'b-r0', 'c-r0', 'd-r0'])
    expect(ids(53)).toEqual(['b-r0', 'd-r0'])
  })

  it('puts what is shown before who shows it, unless the teacher is asked for', () => {
    const main = (time: number, layout: 'auto' | 'lead', slide = false): string | undefined => scene(all, time, layout, leads, slide).main?.id
    expect(main(35, 'auto')).toBe('a-r0')
    expect(main(65, 'auto')).toBe('d-r0')
    expect(main(65, 'lead')).toBe('a-r1')
    expect(main(35, 'auto', true)).toBeUndefined()
    expect(main(65, 'auto', true)).toBe('d-r0')
    expect(main(35, 'lead', true)).toBe('a-r0')
    expect(scene(all, 35, 'auto', leads, false).others.map((piece) => piece.id)).toEqual(['c-r0'])
  })

  it('plays VP8 from its files until it has a playlist', () => {
    const [piece] = pieces(lesson(track('a', 'lead', 'camera', [[3, 40]], true)))
    expect(piece).toMatchObject({ hls: false, url: 'parts/a0.mp4', start: 3, end: 40 })
  })

  it('knows where nothing was recorded', () => {
    expect(emptySpans(lesson(track('a', 'lead', 'camera', [[4, 40], [60, 80]])))).toEqual([{ start_s: 0, end_s: 4 }, { start_s: 40, end_s: 60 }, { start_s: 80, end_s: 100 }])
  })

  it('plays a clip whose files begin before zero and end after it', () => {
    // Pictures are cut at keyframes: what stands before zero is in the file and never reached.
    const clip = { ...lesson(track('a', 'lead', 'camera', [[-1.7, 103]]), track('b', 'lead', 'microphone', [[-0.02, 100.4]], true)), duration_s: 100 }
    const cut = pieces(clip)
    expect(cut.map((piece) => [piece.start, piece.end])).toEqual([[-1.7, 103], [-0.02, 100.4]])
    const clock = new LessonClock(() => clip.duration_s)
    clock.seek(0, -5)
    expect(clock.time(0)).toBe(0)
    for (const time of [0, 50, 100]) expect(needed(cut, time).map((piece) => piece.id)).toEqual(['b-r0.0', 'a-r0'])
    expect(scene(cut, 0, 'auto', leads, false).main?.id).toBe('a-r0')
    expect(scene(cut, 100, 'auto', leads, false).main?.id).toBe('a-r0')
    expect(cut.map((piece) => placeIn(piece, 0))).toEqual([1.7, 0.02])
    const late = pieces(lesson(track('a', 'lead', 'camera', [[4, 40]])))
    expect(late.map((piece) => placeIn(piece, 2))).toEqual([0])
    expect([firstPlace(cut), firstPlace(late)]).toEqual([0, 4])
    expect(emptySpans(clip)).toEqual([])
  })

  it('finds the chapter', () => {
    const chapters = [{ start_s: 0, end_s: 10, kind: 'phase' as const, title: { zh: '导入', en: 'Intro' } }]
    expect(chapterAt(chapters, 'phase', 9.9)?.title.zh).toBe('导入')
    expect(chapterAt(chapters, 'phase', 10)).toBeNull()
    expect(chapterAt(chapters, 'stage', 5)).toBeNull()
  })
})

describe('what was missed', () => {
  const spans = [{ start_s: 10, end_s: 20 }, { start_s: 50, end_s: 55 }]
  it('is played stretch by stretch', () => {
    expect(nextOf(spans, 0)).toBe(10)
    expect(nextOf(spans, 12)).toBeNull()
    expect(nextOf(spans, 20)).toBe(50)
    expect(nextOf(spans, 55)).toBe('done')
    expect(lengthOf(spans)).toBe(15)
    expect(left(spans, 15)).toBe(10)
    expect(left(spans, 60)).toBe(0)
  })
})

describe('catching up in a lesson', () => {
  it('offers only what is new and worth it', () => {
    const missed = [{ start_s: 0, end_s: 20 }, { start_s: 100, end_s: 130 }]
    expect(offered(missed, 0)).toEqual(missed)
    expect(offered(missed, 50)).toEqual([{ start_s: 100, end_s: 130 }])
    expect(offered(missed, 130)).toEqual([])
    expect(offered([{ start_s: 0, end_s: 8 }], 0)).toEqual([])
  })

  it('passes over what was seen, and goes on until it is live', () => {
    const spans = [{ start_s: 10, end_s: 20 }, { start_s: 50, end_s: 60 }]
    expect(catchUpStep(spans, 0, 100)).toBe(10)
    expect(catchUpStep(spans, 15, 100)).toBeNull()
    expect(catchUpStep(spans, 21, 100)).toBe(50)
    expect(catchUpStep(spans, 70, 100)).toBeNull()
    expect(catchUpStep(spans, 94.5, 100)).toBe('live')
  })

  it('waits for the recording, and not for long where the lesson is near', () => {
    expect(isStuck(3_000, 1_000)).toBe(false)
    expect(isStuck(5_000, 1_000)).toBe(true)
    expect(isStuck(0, 11_000)).toBe(false)
    expect(isStuck(0, 13_000)).toBe(true)
  })

  it('owes what is left to whom the lesson calls, and what was missed meanwhile', () => {
    // Two minutes missed; watched from 150 on, up to 100, when the class is called at 175.
    const route = [{ start_s: 60, end_s: 120 }, { start_s: 150, end_s: Infinity }]
    expect(owed(route, 100, 175)).toEqual([{ start_s: 100, end_s: 120 }, { start_s: 150, end_s: 175 }])
    expect(owed(route, 160, 175)).toEqual([{ start_s: 160, end_s: 175 }])
    expect(owed(route, 175, 175)).toEqual([])
    expect(catchUpStep([{ start_s: 10, end_s: 20 }], 5, 100)).toBe(10)
  })
})
