import type { Clock } from '@/protocol/clock'

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  private time = 0
  private order = 0
  private timers: { at: number; order: number; callback: () => void }[] = []
  /** What random() gives; 1 would be outside of its range. */
  chance = 0.999_999

  now(): number {
    return this.time
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.time + delayMs, order: this.order++, callback }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter((one) => one !== timer)
    }
  }

  random(): number {
    return this.chance
  }

  /** Goes on by `ms`, running what falls due in order. */
  advance(ms: number): void {
    const end = this.time + ms
    for (;;) {
      const [next] = this.timers
        .filter((one) => one.at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)
      if (next === undefined) break
      this.timers = this.timers.filter((one) => one !== next)
      this.time = Math.max(this.time, next.at)
      next.callback()
    }
    this.time = end
  }

  /** Goes on by `ms` without running anything: what falls due is late. */
  sleep(ms: number): void {
    this.time += ms
  }

  get waiting(): number {
    return this.timers.length
  }
}

/** Lets promises that are ready run on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve()
}
