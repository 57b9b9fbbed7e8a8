/** What somebody really watched, as stretches of the lesson. Pure: `now` comes in, in seconds, on a
 *  clock that never jumps. What was skipped is never part of a stretch. */
export interface Watched { from_s: number; to_s: number; rate: number }
/** How the player is at a moment: where, whether it moves, how fast. */
export interface Playback { time: number; advancing: boolean; rate: number }

/** As many as the server takes in one report. */
export const MAX_SPANS = 50
/** A long absence of the server costs the oldest stretches, not memory. */
export const MAX_KEPT = 200
const REPORT_S = 60
/** A shorter pause is a breath, not a reason to tell. */
const PAUSE_S = 5
/** Shorter stretches come from dragging along the time line. */
const SHORTEST_S = 0.5
/** Timers of a page in the background come late, and media clocks are a little off: more than this
 *  beyond what can have been played is a jump. */
const SLACK_S = 1

export class WatchLog {
  private kept: Watched[] = []
  private sent: Watched[] = []
  /** Told once, and perhaps heard: told again exactly so, it counts once. */
  private readonly told = new WeakSet<Watched>()
  private open: Watched | null = null
  private lookedAt = 0
  private toldAt: number | null = null
  private pausedAt: number | null = null

  /** To be called often while the page is open, moving or not. */
  look(now: number, { time, advancing, rate }: Playback): void {
    this.toldAt ??= now
    if (this.open !== null) {
      const passed = time - this.open.to_s
      if (passed < 0 || passed > (now - this.lookedAt) * this.open.rate + SLACK_S || rate !== this.open.rate) this.cut()
      else this.open.to_s = time
    }
    if (advancing) {
      this.open ??= { from_s: time, to_s: time, rate }
      this.pausedAt = null
    } else {
      this.pausedAt ??= now
    }
    this.lookedAt = now
  }

  /** Ends the stretch where it was last seen: somebody goes to another place. */
  cut(): void {
    if (this.open !== null) this.keep(this.open)
    this.open = null
  }

  /** True when something should be told now: a minute has passed, or it was stopped for a while. */
  isDue(now: number): boolean {
    if (this.sent.length > 0 || !this.hasSomething()) return false
    if (this.toldAt !== null && now - this.toldAt >= REPORT_S) return true
    return this.pausedAt !== null && now - this.pausedAt > PAUSE_S && this.pausedAt >= (this.toldAt ?? 0)
  }

  /** Takes what is to be told, at most `MAX_SPANS`, until `answered` says how it went. */
  take(now: number): Watched[] {
    this.toldAt = now
    if (this.sent.length > 0) return []
    const going = this.open
    this.cut()
    if (going !== null) this.open = { from_s: going.to_s, to_s: going.to_s, rate: going.rate }
    this.sent = this.kept.splice(0, MAX_SPANS)
    for (const span of this.sent) this.told.add(span)
    return this.sent
  }

  /** What was not taken goes with the next report. */
  answered(ok: boolean): void {
    if (!ok) this.kept = [...this.sent, ...this.kept].slice(-MAX_KEPT)
    this.sent = []
  }

  private hasSomething(): boolean {
    return this.kept.length > 0 || (this.open !== null && this.open.to_s - this.open.from_s >= SHORTEST_S)
  }

  private keep(span: Watched): void {
    const last = this.kept.at(-1)
    if (last !== undefined && !this.told.has(last) && last.rate === span.rate && last.to_s === span.from_s) last.to_s = span.to_s
    else if (span.to_s - span.from_s >= SHORTEST_S) this.kept = [...this.kept, { ...span }].slice(-MAX_KEPT)
  }
}
