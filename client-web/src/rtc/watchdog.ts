/**
 * Says when a connection that carried traffic has gone silent.
 *
 * Browsers need 7 s to notice a dead path and do not repair it by themselves (webrtc-notes §8), a
 * restart after a second of silence brings media back within three. How long is silent depends on
 * what came before: a second without sound and picture is a dead path, a second between two
 * reports on a line that loses some is not. So the longest pause of the last while is remembered
 * and forgotten slowly, and only a pause well beyond it counts. A worker tells every peer something
 * at least twice a second (media `feedback.heartbeat`), also when nobody sends: a line that rests
 * is not silent. A connection that never carried anything is left alone, and one stop gives one
 * restart.
 */

/** A pause is silence from so many times the longest of before. */
const BEYOND = 2.5
/** Of the longest pause after each sample: halved in 9 s at four samples a second. */
const REMEMBERED = 0.98
/** However uneven it was before: browsers themselves notice after 5 s. */
const MOST_MS = 4_000
/** So many growing samples make a flow. */
const STEADY_SAMPLES = 3

export class Watchdog {
  /** From when on it is silent at the earliest. */
  leastMs = 1_000
  private lastCount = -1
  private changedAt = 0
  private pauseMs = 0
  private flowing = 0

  /**
   * Takes a sample, `count` of packets or bytes so far; true = restart ICE now. `moved`: they come
   * by another path than before, so the pause before them was no habit of the line.
   */
  observe(now: number, count: number, moved = false): boolean {
    if (count !== this.lastCount) {
      if (this.lastCount >= 0 && count > this.lastCount) {
        this.flowing += 1
        const pauseMs = now - this.changedAt
        this.pauseMs = Math.max(this.pauseMs * REMEMBERED, moved || pauseMs > MOST_MS ? 0 : pauseMs)
      } else this.reset()
      this.lastCount = count
      this.changedAt = now
      return false
    }
    if (this.flowing < STEADY_SAMPLES) return false
    const silentMs = Math.min(MOST_MS, Math.max(this.leastMs, this.pauseMs * BEYOND))
    if (now - this.changedAt < silentMs) return false
    this.flowing = 0
    return true
  }

  /** This page was held up: what it did not see is no silence. */
  excuse(now: number): void {
    this.changedAt = now
  }

  /** Milliseconds since something came. */
  silentMs(now: number): number {
    return now - this.changedAt
  }

  /** Forgets everything: a new connection. */
  reset(): void {
    this.lastCount = -1
    this.flowing = 0
    this.pauseMs = 0
  }
}
