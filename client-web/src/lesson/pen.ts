/**
 * The lead's pen: gathers what is drawn into pieces that are sent while the hand still moves.
 * The server lets a line draw 30 pieces a second and a stroke have 500 points.
 */
import { every, type Clock } from '@/protocol/clock'
import type { Ink } from '@/protocol/messages'

/** 20 pieces a second: smooth to the eye, and below what the server takes. */
export const PIECE_MS = 50
/** A longer stroke goes on as the next one, from the same point. */
export const MAX_POINTS = 480
/** Points nearer than this (of 10,000) are one. */
const NEAR = 12

export interface PenOptions {
  clock: Clock
  /** Shows a piece at once and sends it. */
  draw(piece: Ink): void
  /** Starts the names of this pen's strokes; no other page may have the same. */
  name: string
}

export class Pen {
  color: NonNullable<Ink['color']> = 'red'
  width = 30
  private document = ''
  private page = 0
  private count = 0
  private points = 0
  private waiting: number[] = []
  private last: readonly [number, number] = [0, 0]
  private stop: (() => void) | null = null

  constructor(private readonly options: PenOptions) {}

  get isDown(): boolean {
    return this.stop !== null
  }

  /** `x`, `y`: 0 to 1 of the page. */
  down(document: string, page: number, x: number, y: number): void {
    this.up()
    this.document = document
    this.page = page
    this.begin(whole(x), whole(y))
    this.stop = every(this.options.clock, PIECE_MS, () => this.flush())
  }

  move(x: number, y: number): void {
    if (this.stop === null) return
    const [to, down] = [whole(x), whole(y)]
    if (Math.abs(to - this.last[0]) + Math.abs(down - this.last[1]) < NEAR) return
    if (this.points >= MAX_POINTS) {
      this.flush()
      this.begin(...this.last)
    }
    this.add(to, down)
  }

  up(): void {
    this.stop?.()
    this.stop = null
    this.flush()
  }

  private begin(x: number, y: number): void {
    this.count += 1
    this.points = 0
    this.add(x, y)
  }

  private add(x: number, y: number): void {
    this.last = [x, y]
    this.points += 1
    this.waiting.push(x, y)
  }

  private flush(): void {
    if (this.waiting.length === 0) return
    const points = this.waiting
    this.waiting = []
    this.options.draw({
      type: 'ink',
      document: this.document,
      page: this.page,
      stroke: `${this.options.name}-${this.count}`,
      points,
      color: this.color,
      width: this.width,
    })
  }
}

function whole(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 10_000)
}
