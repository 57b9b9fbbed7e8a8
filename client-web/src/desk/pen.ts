/**
 * The pen and the eraser on a board: gathers what is drawn into pieces that are sent while the hand
 * still moves. The stroke is shown from `board.live` at once, whatever has been sent.
 */
import { every, type Clock } from '@/protocol/clock'
import type { Board, Stroke } from './board'
import { clampX, clampY, MAX_POINTS, packPoints, type BoardColor, type Point } from './marks'
import { GATHER_MS } from './outbox'

/** What a mouse and a finger press with. */
export const EVEN_PRESSURE = 128

export class BoardPen {
  color: BoardColor = 'black'
  width = 40
  private count = 0
  private waiting: Point[] = []
  private stop: (() => void) | null = null

  /** `name` starts the ids of this pen's strokes; no other page may have the same. */
  constructor(private readonly board: Board, private readonly clock: Clock, private readonly name: string) {}

  get isDown(): boolean {
    return this.stop !== null
  }

  down(point: Point): void {
    this.up()
    this.board.begin()
    this.start(point)
    this.stop = every(this.clock, GATHER_MS, () => this.flush())
  }

  /** `near`: points nearer than this are one. */
  move(point: Point, near: number): void {
    const live = this.board.live
    const last = live?.points.at(-1)
    if (this.stop === null || live === null || last === undefined) return
    if (Math.abs(point.x - last.x) + Math.abs(point.y - last.y) < near) return
    if (live.points.length >= MAX_POINTS) {
      this.flush()
      this.board.settle()
      this.start(last)
    }
    this.put(point)
  }

  up(): void {
    if (this.stop === null) return
    this.stop()
    this.stop = null
    this.flush()
    this.board.settle()
  }

  /** It was no drawing after all: a second finger came down. */
  cancel(): void {
    if (this.stop === null) return
    const id = this.board.live?.id
    this.stop()
    this.stop = null
    this.waiting = []
    this.board.settle()
    if (id !== undefined) this.board.erase(new Set([id]))
  }

  /** Returns an id that nothing else on any board has. */
  newId(): string {
    this.count += 1
    return `${this.name}-${this.count}`
  }

  private start(point: Point): void {
    this.board.live = { id: this.newId(), color: this.color, width: this.width, points: [] }
    this.put(point)
  }

  private put(point: Point): void {
    const clamped = { ...point, x: clampX(point.x), y: clampY(point.y) }
    this.board.live?.points.push(clamped)
    this.waiting.push(clamped)
  }

  private flush(): void {
    const live = this.board.live
    if (live === null || this.waiting.length === 0) return
    const points = this.waiting
    this.waiting = []
    this.board.add({ k: 's', i: live.id, c: live.color, w: live.width, p: packPoints(points) })
  }
}

/** Whether a stroke passes within `reach` of a place. */
export function touches(stroke: Stroke, x: number, y: number, reach: number): boolean {
  const far = reach + stroke.width / 2
  let before: Point | null = null
  for (const point of stroke.points) {
    if (distance(before ?? point, point, x, y) <= far) return true
    before = point
  }
  return false
}

/** From a place to the line between two points. */
function distance(from: Point, to: Point, x: number, y: number): number {
  const [along, across] = [to.x - from.x, to.y - from.y]
  const length = along * along + across * across
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - from.x) * along + (y - from.y) * across) / length))
  return Math.hypot(x - from.x - share * along, y - from.y - share * across)
}
