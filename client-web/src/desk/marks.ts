/**
 * What stands on a board: the same table as the server's `desk/board_marks.py`, which refuses what
 * is not in it. A place is counted in ten-thousandths of a sheet's width from the upper left corner.
 */

/** All of a board; the height is three sheets of 4 : 5. */
export const WIDTH = 10_000
export const SHEET = 12_500
export const SHEETS = 3
export const HEIGHT = SHEETS * SHEET
/** Points of one piece of a stroke; a longer one goes on in the next. */
export const MAX_POINTS = 480
export const MAX_TEXT = 500
const POINT_BYTES = 5

export const COLORS = ['black', 'red', 'blue', 'green', 'marker'] as const
export type BoardColor = (typeof COLORS)[number]

/** Pressure is 0 to 255; a mouse and a finger have 128. */
export interface Point { x: number; y: number; pressure: number }
/** A piece of a stroke; pieces of the same id are one stroke. */
export interface StrokeMark { k: 's'; i: string; c: BoardColor; w: number; p: Uint8Array }
/** Text or a formula, with its upper left corner and the height of its letters. */
export interface TextMark { k: 't' | 'f'; i: string; c: BoardColor; x: number; y: number; z: number; v: string }
export interface PhotoMark { k: 'p'; i: string; x: number; y: number; w: number; h: number; v: string }
export type Mark = StrokeMark | TextMark | PhotoMark

const within = (value: unknown, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
const named = (value: unknown, pattern: RegExp): value is string => typeof value === 'string' && pattern.test(value)
const ID = /^[A-Za-z0-9_-]{1,24}$/
const PHOTO = /^p-[a-z2-7]{16}$/

/** Returns what a document holds as a mark, null when we do not know it: it is not shown then. */
export function readMark(value: unknown): Mark | null {
  if (typeof value !== 'object' || value === null) return null
  const one = value as Record<string, unknown>
  if (!named(one['i'], ID)) return null
  switch (one['k']) {
    case 's':
      return isColor(one['c']) && within(one['w'], 1, 500) && arePoints(one['p']) ? (one as unknown as StrokeMark) : null
    case 't':
    case 'f':
      return isPlaced(one) && isColor(one['c']) && within(one['z'], 100, 2_000) && typeof one['v'] === 'string' && one['v'].length <= MAX_TEXT
        ? (one as unknown as TextMark)
        : null
    case 'p':
      return isPlaced(one) && within(one['w'], 100, WIDTH) && within(one['h'], 100, HEIGHT) && named(one['v'], PHOTO)
        ? (one as unknown as PhotoMark)
        : null
    default:
      return null
  }
}

const isColor = (value: unknown): value is BoardColor => COLORS.some((color) => color === value)
const isPlaced = (one: Record<string, unknown>): boolean => within(one['x'], 0, WIDTH) && within(one['y'], 0, HEIGHT)
const arePoints = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && value.length >= POINT_BYTES && value.length % POINT_BYTES === 0

/** Brings a place onto the board, in whole units. */
export const clampX = (x: number): number => Math.round(Math.min(WIDTH, Math.max(0, x)))
export const clampY = (y: number): number => Math.round(Math.min(HEIGHT, Math.max(0, y)))

/** Five bytes a point: x and y of 16 bits, pressure of 8. */
export function packPoints(points: readonly Point[]): Uint8Array {
  const bytes = new Uint8Array(points.length * POINT_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [index, { x, y, pressure }] of points.entries()) {
    view.setUint16(index * POINT_BYTES, clampX(x))
    view.setUint16(index * POINT_BYTES + 2, clampY(y))
    view.setUint8(index * POINT_BYTES + 4, Math.round(Math.min(255, Math.max(0, pressure))))
  }
  return bytes
}

/** Returns the points of a piece; what lies outside the board is at its edge. */
export function unpackPoints(bytes: Uint8Array): Point[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const points: Point[] = []
  for (let at = 0; at + POINT_BYTES <= bytes.length; at += POINT_BYTES) {
    points.push({ x: clampX(view.getUint16(at)), y: clampY(view.getUint16(at + 2)), pressure: view.getUint8(at + 4) })
  }
  return points
}

/** Photos as the first thing on a board: each at the top of a sheet, room for writing beneath. */
export function layOut(photos: readonly { photo: string; width: number; height: number }[]): PhotoMark[] {
  const [rim, most] = [300, SHEET * 0.66]
  return photos.slice(0, SHEETS).map(({ photo, width, height }, n) => {
    const scale = Math.min((WIDTH - 2 * rim) / Math.max(1, width), most / Math.max(1, height))
    const [w, h] = [Math.max(100, Math.round(width * scale)), Math.max(100, Math.round(height * scale))]
    return { k: 'p', i: `photo-${n}`, x: Math.round((WIDTH - w) / 2), y: n * SHEET + rim, w, h, v: photo }
  })
}
