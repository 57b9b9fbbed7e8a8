import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const css = readFileSync(
  fileURLToPath(new URL('../../src/ui/design/tokens.css', import.meta.url)),
  'utf8',
)

function theme(name: string): Map<string, string> {
  const block = css.split(`[data-theme='${name}'] {`)[1]?.split('}')[0] ?? ''
  return new Map([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})\b/gi)].map((one) => [one[1] ?? '', one[2] ?? '']))
}

/** Relative luminance (WCAG 2.2). */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

describe.each(['stage', 'console'])('the theme %s', (name) => {
  const colours = theme(name)
  const of = (key: string): string => colours.get(key) ?? '#000000'
  const words = ['text', 'muted', 'accent', 'amber', 'red', 'slate']
  const grounds = ['bg', 'surface', 'raised']
  const pairs = words.flatMap((word) => grounds.map((ground) => [word, ground] as const))

  it.each(pairs)('has readable %s on %s', (word, ground) => {
    expect(contrast(of(word), of(ground))).toBeGreaterThanOrEqual(4.5)
  })

  it.each(['accent', 'amber', 'red'])('has readable words on %s', (ground) => {
    expect(contrast(of(`on-${ground}`), of(ground))).toBeGreaterThanOrEqual(4.5)
  })
})

it('has the contrast of a big screen on the stage', () => {
  const colours = theme('stage')
  for (const word of ['text', 'muted', 'accent', 'amber']) {
    expect(contrast(colours.get(word) ?? '', colours.get('bg') ?? '')).toBeGreaterThanOrEqual(7)
  }
})
