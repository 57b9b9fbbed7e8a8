import { describe, expect, it } from 'vitest'
import { MAX_KEPT, MAX_SPANS, WatchLog, type Watched } from '@/library/player/watched'

/** Plays from `time` for so many seconds, looked at ten times a second. */
class Viewing {
  readonly log = new WatchLog()
  now = 1000
  time = 0
  rate = 1
  run(seconds: number, advancing = true): void {
    for (let n = 0; n < Math.round(seconds * 10); n += 1) {
      this.log.look(this.now, { time: this.time, advancing, rate: this.rate })
      this.now += 0.1
      if (advancing) this.time += 0.1 * this.rate
    }
    this.log.look(this.now, { time: this.time, advancing, rate: this.rate })
  }
  take(): Watched[] {
    return this.log.take(this.now).map(({ from_s, to_s, rate }) => ({ from_s: Math.round(from_s * 10) / 10, to_s: Math.round(to_s * 10) / 10, rate }))
  }
}

describe('what was watched', () => {
  it('is one stretch while it plays, and two around a jump', () => {
    const viewing = new Viewing()
    viewing.run(10)
    viewing.log.cut()
    viewing.time = 40
    viewing.run(5)
    expect(viewing.take()).toEqual([{ from_s: 0, to_s: 10, rate: 1 }, { from_s: 40, to_s: 45, rate: 1 }])
  })

  it('never counts what was skipped, even if nobody says so', () => {
    const viewing = new Viewing()
    viewing.run(10)
    viewing.time = 40
    viewing.run(5)
    viewing.time = 2
    viewing.run(1)
    expect(viewing.take()).toEqual([{ from_s: 0, to_s: 10, rate: 1 }, { from_s: 40, to_s: 45, rate: 1 }, { from_s: 2, to_s: 3, rate: 1 }])
  })

  it('counts a place twice that was watched twice', () => {
    const viewing = new Viewing()
    viewing.run(10)
    viewing.log.cut()
    viewing.time = 5
    viewing.run(5)
    expect(viewing.take()).toEqual([{ from_s: 0, to_s: 10, rate: 1 }, { from_s: 5, to_s: 10, rate: 1 }])
  })

  it('goes on over a pause, and apart at another speed', () => {
    const viewing = new Viewing()
    viewing.run(3)
    viewing.run(20, false)
    viewing.run(2)
    viewing.rate = 2
    viewing.run(2)
    expect(viewing.take()).toEqual([{ from_s: 0, to_s: 5, rate: 1 }, { from_s: 5, to_s: 9, rate: 2 }])
  })

  it('believes a page in the background whose timers come late', () => {
    const viewing = new Viewing()
    viewing.run(1)
    viewing.now += 60
    viewing.time += 60
    viewing.run(1)
    expect(viewing.take()).toEqual([{ from_s: 0, to_s: 62, rate: 1 }])
  })

  it('leaves out what dragging along the time line plays', () => {
    const viewing = new Viewing()
    for (const place of [10, 20, 30]) {
      viewing.log.cut()
      viewing.time = place
      viewing.run(0.3)
    }
    viewing.run(4)
    expect(viewing.take()).toEqual([{ from_s: 30, to_s: 34.3, rate: 1 }])
  })
})

describe('telling it', () => {
  it('is due after a minute, and after a pause of five seconds', () => {
    const viewing = new Viewing()
    viewing.run(58)
    expect(viewing.log.isDue(viewing.now)).toBe(false)
    viewing.run(3)
    expect(viewing.log.isDue(viewing.now)).toBe(true)
    expect(viewing.take()).toHaveLength(1)
    viewing.log.answered(true)
    viewing.run(4)
    viewing.run(4, false)
    expect(viewing.log.isDue(viewing.now)).toBe(false)
    viewing.run(2, false)
    expect(viewing.log.isDue(viewing.now)).toBe(true)
    expect(viewing.take()).toEqual([{ from_s: 61, to_s: 65, rate: 1 }])
    viewing.log.answered(true)
    viewing.run(100, false)
    expect(viewing.log.isDue(viewing.now)).toBe(false)
    expect(viewing.take()).toEqual([])
  })

  it('has nothing to tell before it was played', () => {
    const viewing = new Viewing()
    viewing.run(200, false)
    expect(viewing.log.isDue(viewing.now)).toBe(false)
  })

  it('is tried again with the next report, one at a time and without end', () => {
    const viewing = new Viewing()
    viewing.run(10)
    expect(viewing.take()).toHaveLength(1)
    expect(viewing.take()).toEqual([])
    viewing.run(10)
    expect(viewing.log.isDue(viewing.now)).toBe(false)
    viewing.log.answered(false)
    viewing.run(60)
    expect(viewing.log.isDue(viewing.now)).toBe(true)
    // Perhaps the first one was heard: told again exactly as it was, the server knows it.
    expect(viewing.take()).toEqual([{ from_s: 0, to_s: 10, rate: 1 }, { from_s: 10, to_s: 80, rate: 1 }])
  })

  it('is bounded: a report, and what waits for one', () => {
    const viewing = new Viewing()
    for (let n = 0; n < MAX_KEPT + 50; n += 1) {
      viewing.time = n * 10
      viewing.run(1)
      viewing.log.cut()
    }
    const first = viewing.take()
    expect(first).toHaveLength(MAX_SPANS)
    expect(first[0]?.from_s).toBe(500)
    viewing.log.answered(false)
    let all = 0
    for (let sent = viewing.take(); sent.length > 0; sent = viewing.take()) {
      all += sent.length
      viewing.log.answered(true)
    }
    expect(all).toBe(MAX_KEPT)
  })
})
