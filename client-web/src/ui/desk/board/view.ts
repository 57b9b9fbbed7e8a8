/** Which part of a board is seen: pixels of the place = units × scale + (x, y). */
import { HEIGHT, WIDTH } from '@/desk/marks'

export interface View { scale: number; x: number; y: number }
export interface Size { width: number; height: number }

/** As large as the width allows; a very wide place shows the sheet at reading size in its middle. */
const WIDEST = 1_200
/** Small enough to see a whole sheet on a phone, large enough to write into a table's cell. */
const LEAST = 0.5
const MOST = 6

export const fitScale = ({ width }: Size): number => Math.max(1, Math.min(width, WIDEST)) / WIDTH

/** The upper left of the board at the width of the place. */
export function fitted(size: Size): View {
  const scale = fitScale(size)
  return { scale, x: Math.max(0, (size.width - WIDTH * scale) / 2), y: 0 }
}

/** Keeps the board in sight: it may not be pushed out, and stands in the middle where it is small. */
export function clamped(view: View, size: Size): View {
  const fit = fitScale(size)
  const scale = Math.min(fit * MOST, Math.max(fit * LEAST, view.scale))
  return { scale, x: held(view.x, WIDTH * scale, size.width, 0.5), y: held(view.y, HEIGHT * scale, size.height, 0) }
}

function held(at: number, length: number, room: number, share: number): number {
  return length <= room ? (room - length) * share : Math.min(0, Math.max(room - length, at))
}

/** Enlarges by `factor`; what is at the pixel (x, y) stays there. */
export function zoomed(view: View, size: Size, factor: number, x: number, y: number): View {
  const fit = fitScale(size)
  const scale = Math.min(fit * MOST, Math.max(fit * LEAST, view.scale * factor))
  const by = scale / view.scale
  return clamped({ scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by }, size)
}

/** The pixel (x, y) as a place on the board. */
export const placeAt = (view: View, x: number, y: number): { x: number; y: number } => ({ x: (x - view.x) / view.scale, y: (y - view.y) / view.scale })

/** Whether a place of the board is seen now. */
export function isSeen(view: View, size: Size, place: { x: number; y: number }): boolean {
  const [x, y] = [place.x * view.scale + view.x, place.y * view.scale + view.y]
  return x >= 0 && y >= 0 && x <= size.width && y <= size.height
}
