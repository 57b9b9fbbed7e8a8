/**
 * A photo of homework, made fit to be sent before it leaves the device: upright, no larger than
 * can be read, at most 2 MB, and without where and when it was taken.
 *
 * Theory of operation. The picture is decoded (turned as its orientation says), drawn onto a canvas
 * and encoded as JPEG: what is drawn has no metadata at all, so EXIF and GPS are gone before the
 * server takes off what others would send. When it is still too large, quality goes down first, to
 * where pencil on squared paper is still legible, then the size.
 */

/** The server takes no more; on a weak line of 1.5 Mbit/s this is 11 s. */
export const MAX_BYTES = 2 * 1024 * 1024
/** A page of A4 written by hand is legible from about 150 dots an inch: 1240 × 1754. */
export const MAX_EDGE = 2_000
const LEAST_EDGE = 1_000
const QUALITIES = [0.85, 0.75, 0.6] as const
/** Larger files are no photo of a phone; decoding them would end the page on a small one. */
export const MAX_SOURCE_BYTES = 40 * 1024 * 1024

export interface Size { width: number; height: number }

/** A decoded picture, turned upright. */
export interface Decoded extends Size {
  /** Draws it at a size and returns that as JPEG; null when the device has no memory for it. */
  encode(size: Size, quality: number): Promise<Blob | null>
  close(): void
}

export type Decode = (file: Blob) => Promise<Decoded>

/** Why a photo cannot be sent; words for it are in i18n. */
export type PhotoProblem = 'no_picture' | 'too_large' | 'no_memory'

export class PhotoError extends Error {
  constructor(readonly code: PhotoProblem) {
    super(code)
    this.name = 'PhotoError'
  }
}

export interface Prepared extends Size { image: Blob }

/** The size at which the longer edge is at most `edge`; never larger than it was. */
export function fitting({ width, height }: Size, edge: number): Size {
  const scale = Math.min(1, edge / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** Sizes and qualities to try, best first. */
export function* attempts(size: Size): Generator<{ size: Size; quality: number }> {
  for (let edge = MAX_EDGE; edge >= LEAST_EDGE; edge = Math.floor(edge * 0.7)) {
    for (const quality of QUALITIES) yield { size: fitting(size, edge), quality }
  }
}

/**
 * Returns a file as a JPEG that may be sent.
 *
 * Rejects with PhotoError.
 */
export async function prepare(file: Blob, decode: Decode): Promise<Prepared> {
  if (file.size > MAX_SOURCE_BYTES) throw new PhotoError('too_large')
  let picture: Decoded
  try {
    picture = await decode(file)
  } catch {
    throw new PhotoError('no_picture')
  }
  try {
    let anything = false
    for (const { size, quality } of attempts(picture)) {
      const image = await picture.encode(size, quality)
      if (image === null) continue
      anything = true
      if (image.size <= MAX_BYTES) return { image, ...size }
    }
    throw new PhotoError(anything ? 'too_large' : 'no_memory')
  } finally {
    picture.close()
  }
}
