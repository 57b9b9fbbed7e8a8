import { describe, expect, it } from 'vitest'
import { attempts, fitting, MAX_BYTES, prepare, type Decoded, type Size } from '@/desk/photo'

const file = (bytes: number): Blob => new Blob([new Uint8Array(bytes)])

/** A picture of which a pixel costs `perPixel` bytes at full quality. */
function picture(size: Size, perPixel: number, memory = Infinity): Decoded & { closed: boolean } {
  return {
    ...size, closed: false,
    encode(wanted, quality) {
      const pixels = wanted.width * wanted.height
      return Promise.resolve(pixels > memory ? null : file(Math.round(pixels * perPixel * quality)))
    },
    close() { this.closed = true },
  }
}

describe('a photo', () => {
  it('is made no larger than it was, and keeps its shape', () => {
    expect(fitting({ width: 4_000, height: 3_000 }, 2_000)).toEqual({ width: 2_000, height: 1_500 })
    expect(fitting({ width: 640, height: 480 }, 2_000)).toEqual({ width: 640, height: 480 })
    expect(fitting({ width: 9_000, height: 2 }, 2_000)).toEqual({ width: 2_000, height: 1 })
  })

  it('is sent as good as it may be', async () => {
    const shot = picture({ width: 4_000, height: 3_000 }, 0.3)
    const made = await prepare(file(9), () => Promise.resolve(shot))
    expect(made).toMatchObject({ width: 2_000, height: 1_500 })
    expect(made.image.size).toBe(Math.round(2_000 * 1_500 * 0.3 * 0.85))
    expect(shot.closed).toBe(true)
  })

  it('loses quality before size, and size until it fits', async () => {
    const sharp = await prepare(file(9), () => Promise.resolve(picture({ width: 3_000, height: 3_000 }, 0.8)))
    expect(sharp).toMatchObject({ width: 2_000 })
    expect(sharp.image.size).toBeLessThanOrEqual(MAX_BYTES)
    const noisy = await prepare(file(9), () => Promise.resolve(picture({ width: 3_000, height: 3_000 }, 1.5)))
    expect(noisy.width).toBeLessThan(2_000)
    expect(noisy.image.size).toBeLessThanOrEqual(MAX_BYTES)
  })

  it('is made smaller where a device has no memory for it', async () => {
    const made = await prepare(file(9), () => Promise.resolve(picture({ width: 4_000, height: 3_000 }, 0.2, 1_500_000)))
    expect(made.width).toBe(1_400)
  })

  it('says why it cannot be sent, and gives its memory back', async () => {
    await expect(prepare(file(9), () => Promise.reject(new Error('broken')))).rejects.toMatchObject({ code: 'no_picture' })
    const noise = picture({ width: 4_000, height: 4_000 }, 9)
    await expect(prepare(file(9), () => Promise.resolve(noise))).rejects.toMatchObject({ code: 'too_large' })
    expect(noise.closed).toBe(true)
    const none = picture({ width: 4_000, height: 4_000 }, 1, 10)
    await expect(prepare(file(9), () => Promise.resolve(none))).rejects.toMatchObject({ code: 'no_memory' })
  })

  it('never comes below what is legible', () => {
    const edges = [...attempts({ width: 4_000, height: 3_000 })].map((one) => one.size.width)
    expect(Math.min(...edges)).toBeGreaterThan(900)
  })
})
