import type { Clock } from './clock'

/**
 * Waiting times before another attempt: doubling, with jitter, so that the classes of a city do
 * not all come back in the same moment after a server restart.
 */
export class Backoff {
  private attempt = 0

  constructor(
    private readonly clock: Pick<Clock, 'random'>,
    private readonly firstMs = 250,
    // Back within 3 s of the server or the line, however long it was away: a class is waiting.
    private readonly largestMs = 2_500,
  ) {}

  /**
   * Milliseconds to wait now; each call makes the next one longer.
   *
   * `atLeastMs` is what the server asks for. It asks the same of everybody, so they spread over as
   * long again, and the city's classes do not knock in the same moment.
   */
  next(atLeastMs = 0): number {
    const full = Math.min(this.largestMs, this.firstMs * 2 ** this.attempt)
    this.attempt += 1
    const spreadMs = Math.min(this.largestMs, atLeastMs)
    const asked = atLeastMs + Math.floor(spreadMs * (1 - this.clock.random()))
    return Math.max(asked, full * (0.5 + this.clock.random() / 2))
  }

  reset(): void {
    this.attempt = 0
  }
}
