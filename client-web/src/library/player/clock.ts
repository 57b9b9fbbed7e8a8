/** The lesson's clock while it is watched. Every element follows it; it waits for those that must
 *  load. Pure: `now` comes in, in seconds, on a clock that never jumps. */
export class LessonClock {
  private base = 0
  private at = 0
  private running = false
  playing = false
  stalled = false
  rate = 1

  constructor(readonly duration: () => number) {}

  time(now: number): number {
    const passed = this.running ? (now - this.at) * this.rate : 0
    return Math.min(Math.max(0, this.base + passed), this.duration())
  }

  play(now: number): void { this.playing = true; this.set(now, this.time(now)) }
  pause(now: number): void { const time = this.time(now); this.playing = false; this.set(now, time) }
  seek(now: number, time: number): void { this.set(now, Math.min(Math.max(0, time), this.duration())) }

  setRate(now: number, rate: number): void {
    const time = this.time(now)
    this.rate = rate
    this.set(now, time)
  }

  /** Waits while something that belongs here has not come yet. */
  stall(now: number, stalled: boolean): void {
    if (stalled === this.stalled) return
    const time = this.time(now)
    this.stalled = stalled
    this.set(now, time)
  }

  private set(now: number, time: number): void {
    this.base = time
    this.at = now
    this.running = this.playing && !this.stalled
  }
}
