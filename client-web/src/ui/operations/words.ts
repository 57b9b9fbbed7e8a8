/** Figures as people read them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** 1536 → "1.5 KiB"; three digits at most before the point. */
export function bytes(size: number): string {
  let unit = 0
  let left = size
  while (left >= 1024 && unit < UNITS.length - 1) {
    left /= 1024
    unit += 1
  }
  const digits = unit === 0 || left >= 100 ? 0 : 1
  return `${left.toFixed(digits)} ${UNITS[unit]}`
}

/** 41.26 → "41", 3.42 → "3.4": tenths matter only when there is little left. */
export function hours(left: number): string {
  return left >= 10 ? String(Math.floor(left)) : (Math.floor(left * 10) / 10).toString()
}

export function milliseconds(ms: number): string {
  return ms >= 10 ? String(Math.round(ms)) : ms.toFixed(1)
}

export function duration(seconds: number): { key: 'day' | 'hour' | 'minute'; d: number; h: number; m: number } {
  const m = Math.floor(seconds / 60)
  const h = Math.floor(m / 60)
  const d = Math.floor(h / 24)
  if (d > 0) return { key: 'day', d, h: h % 24, m: m % 60 }
  return { key: h > 0 ? 'hour' : 'minute', d: 0, h, m: m % 60 }
}
