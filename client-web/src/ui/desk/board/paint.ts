/**
 * Strokes on canvases. New points are drawn onto what is there; only a moved view or something taken
 * away draws all of it again. Markers have a canvas of their own that is see-through as a whole: so
 * they, too, can be drawn piece by piece without growing darker where pieces meet.
 */
import type { Stroke } from '@/desk/board'
import type { BoardColor } from '@/desk/marks'
import type { Size, View } from './view'

/** On white paper: dark enough to read, far enough apart for most eyes. */
export const INK: Readonly<Record<BoardColor, string>> = {
  black: '#1c2621', red: '#c8321f', blue: '#1f5fbf', green: '#0f7a3d', marker: '#f7c600',
}
/** Thinner is not seen on a phone. */
const THINNEST = 1.1
/** Widths in steps, so that an even stroke is one path. */
const STEP = 0.35

export class Painter {
  private readonly painted = new Map<string, number>()
  private readonly boxes = new WeakMap<Stroke, { count: number; box: [number, number, number, number] }>()
  private view: View = { scale: 1, x: 0, y: 0 }
  private size: Size = { width: 0, height: 0 }
  private ratio = 1

  constructor(private readonly ink: HTMLCanvasElement, private readonly marker: HTMLCanvasElement) {}

  /** Draws all strokes as `view` shows them. */
  all(strokes: Iterable<Stroke>, view: View, size: Size, ratio: number): void {
    this.view = view
    this.ratio = ratio
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)]
    for (const canvas of [this.ink, this.marker]) {
      // Setting a size empties a canvas, and costs more than emptying it.
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width
        canvas.height = height
      } else canvas.getContext('2d')?.clearRect(0, 0, width, height)
    }
    this.size = size
    this.painted.clear()
    for (const stroke of strokes) this.more(stroke)
  }

  /** Draws what a stroke has more than last time. */
  more(stroke: Stroke): void {
    const from = this.painted.get(stroke.id) ?? 0
    const count = stroke.points.length
    if (from >= count) return
    this.painted.set(stroke.id, count)
    if (!this.isSeen(stroke)) return
    const to = (stroke.color === 'marker' ? this.marker : this.ink).getContext('2d')
    if (to === null) return
    const { scale, x, y } = this.view
    to.setTransform(this.ratio, 0, 0, this.ratio, x * this.ratio, y * this.ratio)
    to.strokeStyle = INK[stroke.color]
    to.lineCap = 'round'
    to.lineJoin = 'round'
    line(to, stroke, Math.max(0, from - 2), scale)
    to.setTransform(1, 0, 0, 1, 0, 0)
  }

  private isSeen(stroke: Stroke): boolean {
    const { scale, x, y } = this.view
    const [left, top, right, bottom] = this.boxOf(stroke)
    const rim = stroke.width
    return (
      (right + rim) * scale + x >= 0 && (left - rim) * scale + x <= this.size.width &&
      (bottom + rim) * scale + y >= 0 && (top - rim) * scale + y <= this.size.height
    )
  }

  private boxOf(stroke: Stroke): [number, number, number, number] {
    const known = this.boxes.get(stroke)
    if (known?.count === stroke.points.length) return known.box
    const box: [number, number, number, number] = known?.box ?? [Infinity, Infinity, -Infinity, -Infinity]
    for (let n = known?.count ?? 0; n < stroke.points.length; n += 1) {
      const point = stroke.points[n]
      if (point === undefined) continue
      box[0] = Math.min(box[0], point.x)
      box[1] = Math.min(box[1], point.y)
      box[2] = Math.max(box[2], point.x)
      box[3] = Math.max(box[3], point.y)
    }
    this.boxes.set(stroke, { count: stroke.points.length, box })
    return box
  }
}

/** A round line through the points from `first` on: through the middles, bent by the points. */
function line(to: CanvasRenderingContext2D, { points, width, color }: Stroke, first: number, scale: number): void {
  const thick = (pressure: number): number => {
    // A marker has one breadth; a pen from half to one and a half.
    const pixels = width * scale * (color === 'marker' ? 1 : 0.5 + pressure / 255)
    return Math.max(THINNEST, Math.round(pixels / STEP) * STEP)
  }
  const begin = points[first]
  if (begin === undefined) return
  let [x, y] = [begin.x * scale, begin.y * scale]
  let [lastX, lastY] = [x, y]
  let now = thick(begin.pressure)
  to.lineWidth = now
  to.beginPath()
  to.moveTo(x, y)
  if (points.length - first === 1) to.lineTo(x, y + 0.01)
  for (let n = first + 1; n < points.length; n += 1) {
    const point = points[n]
    if (point === undefined) continue
    const [nextX, nextY] = [point.x * scale, point.y * scale]
    const next = thick(point.pressure)
    if (next !== now) {
      to.stroke()
      to.beginPath()
      to.moveTo(x, y)
      to.lineWidth = now = next
    }
    ;[x, y] = [(lastX + nextX) / 2, (lastY + nextY) / 2]
    to.quadraticCurveTo(lastX, lastY, x, y)
    ;[lastX, lastY] = [nextX, nextY]
  }
  to.lineTo(lastX, lastY)
  to.stroke()
}
