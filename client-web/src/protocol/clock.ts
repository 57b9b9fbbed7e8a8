/** What the cores need of time and chance; the page gives the real ones, tests give fakes. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Runs `callback` once after `delayMs`; the result cancels it. */
  after(delayMs: number, callback: () => void): () => void
  /** 0 <= x < 1. */
  random(): number
}

/** Runs `callback` every `periodMs` until cancelled. */
export function every(clock: Clock, periodMs: number, callback: () => void): () => void {
  let cancel = clock.after(periodMs, tick)
  function tick(): void {
    cancel = clock.after(periodMs, tick)
    callback()
  }
  return () => cancel()
}
