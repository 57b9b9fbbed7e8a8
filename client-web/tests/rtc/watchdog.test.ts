import { describe, expect, it } from 'vitest'
import { Watchdog } from '@/rtc/watchdog'

/** Barks as times of `samples` (bytes a second, null = silent). */
function run(samples: readonly (number | null)[]): number[] {
  const watchdog = new Watchdog()
  const barks: number[] = []
  let bytes = 0
  for (const [second, sample] of samples.entries()) {
    bytes += sample ?? 0
    if (watchdog.observe(second * 1_000, bytes)) barks.push(second)
  }
  return barks
}

describe('the watchdog', () => {
  it('barks once after two silent seconds of a steady flow', () => {
    expect(run([10, 10, 10, 10, 10, null, null, null, null, null])).toEqual([6])
  })

  it('is quiet while bytes come', () => {
    expect(run(Array<number>(30).fill(100))).toEqual([])
  })

  it('leaves a connection alone that never carried anything', () => {
    expect(run(Array<null>(10).fill(null))).toEqual([])
  })

  it('leaves single packets alone', () => {
    expect(run([10, null, null, null, 5, null, null, null])).toEqual([])
  })

  it('barks again only after the flow was back', () => {
    const flow = [10, 10, 10, 10]
    const gap = [null, null, null]
    expect(run([...flow, ...gap, ...flow, ...gap])).toEqual([5, 12])
  })

  it('starts anew with a new connection', () => {
    const watchdog = new Watchdog()
    for (let second = 0; second < 5; second += 1) watchdog.observe(second * 1_000, second * 100)
    watchdog.reset()
    expect(watchdog.observe(10_000, 0)).toBe(false)
    expect(watchdog.observe(20_000, 0)).toBe(false)
  })
})
