/** Looks every two seconds while somebody looks at the page, and keeps the last picture. */
import { LookRefused, type Operations } from './api'

export const PERIOD_MS = 2000
/** Two looks failed: what is on the page may not be true any more. */
export const STALE_MS = 5000
/** Less is the way of the answer, and a picture that is up to a second old. */
export const CLOCK_HINT_S = 5

export type Watching =
  | { state: 'loading' }
  /** Only an operator's link opens it; `stranger`: no link, or one that is over. */
  | { state: 'forbidden' | 'stranger' }
  /** Nothing has ever come. */
  | { state: 'error' }
  | { state: 'seen'; picture: Operations; seenAt: number; clockAheadS: number }

export interface WatchTools {
  look: () => Promise<Operations>
  now: () => number
  later: (call: () => void, ms: number) => number
  cancel: (timer: number) => void
  tell: (watching: Watching) => void
}

export class Watch {
  private watching: Watching = { state: 'loading' }
  private timer: number | null = null
  private isLooking = false
  private isStopped = true

  constructor(private readonly tools: WatchTools) {}

  /** Looks now, and then again and again; anew after `stop`. */
  start(): void {
    this.isStopped = false
    this.clear()
    void this.once()
  }

  stop(): void {
    this.isStopped = true
    this.clear()
  }

  private clear(): void {
    if (this.timer !== null) this.tools.cancel(this.timer)
    this.timer = null
  }

  private async once(): Promise<void> {
    if (this.isLooking) return
    this.isLooking = true
    const asked = this.tools.now()
    try {
      const picture = await this.tools.look()
      const seenAt = this.tools.now()
      const clockAheadS = (asked + seenAt) / 2000 - picture.at
      this.tell({ state: 'seen', picture, seenAt, clockAheadS })
    } catch (error) {
      this.failed(error instanceof LookRefused ? error.status : 0)
    } finally {
      this.isLooking = false
    }
    if (!this.isStopped) {
      this.clear()
      this.timer = this.tools.later(() => { void this.once() }, PERIOD_MS)
    }
  }

  private failed(status: number): void {
    if (status === 401) this.refuse('stranger')
    else if (status === 403) this.refuse('forbidden')
    else if (this.watching.state !== 'seen') this.tell({ state: 'error' })
  }

  private refuse(state: 'stranger' | 'forbidden'): void {
    this.isStopped = true
    this.tell({ state })
  }

  private tell(watching: Watching): void {
    this.watching = watching
    this.tools.tell(watching)
  }
}
