/** Ink on a canvas. */
import type { Stroke } from '@/protocol/messages'

/** Pen colours on white paper: dark enough to read, far enough apart for most eyes. */
export const INK: Readonly<Record<string, string>> = {
  red: '#c8321f', blue: '#1f5fbf', green: '#0f7a3d', black: '#1c2621', yellow: '#f2b705',
}

/**
 * Draws `stroke` from its point `from` on (0 = all of it), on a page of `width` × `height` pixels.
 * Yellow is a marker: broad, and the words shine through.
 */
export function paintStroke(to: CanvasRenderingContext2D, stroke: Stroke, width: number, height: number, from = 0): void {
  const { points } = stroke
  const x = (index: number): number => ((points[index * 2] ?? 0) / 10_000) * width
  const y = (index: number): number => ((points[index * 2 + 1] ?? 0) / 10_000) * height
  const count = points.length / 2
  const isMarker = stroke.color === 'yellow'
  to.strokeStyle = INK[stroke.color] ?? '#1c2621'
  to.lineWidth = Math.max(1.5, (stroke.width / 10_000) * width * (isMarker ? 6 : 1))
  to.lineCap = 'round'
  to.lineJoin = 'round'
  to.globalAlpha = isMarker ? 0.4 : 1
  // A marker drawn in pieces would be darker where they meet: it is drawn whole.
  const first = isMarker ? 0 : Math.max(0, from - 1)
  to.beginPath()
  to.moveTo(x(first), y(first))
  if (count - first === 1) to.lineTo(x(first), y(first) + 0.01)
  for (let index = first + 1; index < count; index += 1) to.lineTo(x(index), y(index))
  to.stroke()
  to.globalAlpha = 1
}
