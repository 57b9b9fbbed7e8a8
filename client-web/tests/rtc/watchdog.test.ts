import { beforeEach, describe, expect, it } from 'vitest'
import { Watchdog } from '@/rtc/watchdog'

const SAMPLE_MS = 250
let watchdog: Watchdog
let now: number
let count: number

/** Barks, in milliseconds from the beginning of `samples` (packets of each quarter second). */
function run(samples: readonly number[]): number[] {
  const began = now
  const barks: number[] = []
  for (const sample of samples) {
    now += SAMPLE_MS
    count += sample
    if (watchdog.observe(now, count)) barks.push(now - began)
  }
  return barks
}
const times = (n: number, ...samples: number[]): number[] => Array<number[]>(n).fill(samples).flat()

beforeEach(() => {
  watchdog = new Watchdog()
  now = 0
  count = 0
})

describe('the watchdog', () => {
  it('barks once after a silent second of a steady flow', () => {
    run(times(20, 50))
    expect(run(times(40, 0))).toEqual([1_000])
  })

  it('barks sooner where there is a second path', () => {
    watchdog.leastMs = 600
    run(times(20, 50))
    expect(run(times(8, 0))).toEqual([750])
  })

  it('is quiet while a line rests that hears two reports a second', () => {
    expect(run(times(200, 0, 1))).toEqual([])
  })

  it('is quiet when sound and picture end and reports go on', () => {
    run(times(40, 50))
    expect(run([0, 0, 0, 1, ...times(100, 0, 1)])).toEqual([])
  })

  it('takes longer pauses for silence where pauses are long', () => {
    // Reports of which many are lost.
    run(times(10, 1, 0, 0, 0))
    expect(run([0, 0, 0, 0, 0, 0, 1])).toEqual([])
    expect(run(times(40, 0))).toHaveLength(1)
  })

  it('forgets long pauses', () => {
    run(times(10, 1, 0, 0, 0))
    run(times(400, 50))
    expect(run(times(8, 0))).toEqual([1_000])
  })

  it('leaves a connection alone that never carried anything, or single packets', () => {
    expect(run([...times(20, 0), 1, ...times(20, 0)])).toEqual([])
  })

  it('barks again only after the flow was back', () => {
    run(times(20, 50))
    expect(run([...times(20, 0), ...times(8, 50), ...times(20, 0)])).toEqual([1_000, 8_000])
  })

  it('starts anew when the count does', () => {
    run(times(20, 50))
    count = 0
    expect(run(times(40, 0))).toEqual([])
  })
})
