/**
 * Says when a connection that carried traffic has gone silent.
 *
 * Browsers need 7 s to notice a dead path and do not repair it by themselves (webrtc-notes §8), a
 * restart after 2 s of silence brings media back within 3 s. A connection that never carried
 * anything, or rests legitimately, is left alone: only a steady flow that stops is suspicious,
 * and one stop gives one restart.
 */
export class Watchdog {
  private lastBytes = -1
  private changedAt = 0
  private flowing = 0
  private barked = false

  constructor(
    private readonly silentMs = 2_000,
    /** So many growing samples in a row make a steady flow. */
    private readonly steadySamples = 3,
  ) {}

  /** Takes a sample; true = restart ICE now. */
  observe(now: number, bytesReceived: number): boolean {
    if (bytesReceived !== this.lastBytes) {
      this.flowing = this.lastBytes >= 0 && bytesReceived > this.lastBytes ? this.flowing + 1 : 0
      this.lastBytes = bytesReceived
      this.changedAt = now
      this.barked = false
      return false
    }
    if (this.barked || this.flowing < this.steadySamples) return false
    if (now - this.changedAt < this.silentMs) return false
    this.barked = true
    this.flowing = 0
    return true
  }

  /** Forgets everything: a new connection. */
  reset(): void {
    this.lastBytes = -1
    this.flowing = 0
    this.barked = false
  }
}
