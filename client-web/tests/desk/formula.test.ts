import katex from 'katex'
import { describe, expect, it, vi } from 'vitest'

vi.mock('katex/dist/katex.min.css', () => ({}))
const { OPTIONS } = await import('@/ui/desk/formula')
const drawn = (formula: string): string => katex.renderToString(formula, { ...OPTIONS, macros: {} })

describe('formulas', () => {
  it('draws what school needs', () => {
    for (const formula of [
      '\\frac{-b\\pm\\sqrt{b^2-4ac}}{2a}', '\\triangle ABC \\cong \\triangle DEF', '\\begin{cases}x+y=3\\\\x-y=1\\end{cases}',
      '\\vec{a}\\cdot\\vec{b}', '90^\\circ', '2H_2 + O_2 \\xrightarrow{\\text{点燃}} 2H_2O', '\\overset{\\frown}{AB}', '速度=\\frac{路程}{时间}',
    ]) expect(drawn(formula)).not.toContain('katex-error')
  })

  it.each([
    '\\href{javascript:alert(1)}{x}', '\\url{https://example.org}', '\\includegraphics{https://example.org/a.png}',
    '\\htmlStyle{position:fixed}{x}', '\\htmlId{a}{x}', '\\htmlClass{a}{x}', '\\htmlData{a=b}{x}',
    '<img src=x onerror=alert(1)>', '\\text{<script>alert(1)</script>}', '"><svg onload=alert(1)>',
  ])('makes neither link nor element of %s', (formula) => {
    // What was typed stands there as text, without a "<" of its own.
    const tags = drawn(formula).match(/<[^>]*>/g) ?? []
    const names = new Set(tags.map((tag) => /^<\/?(\w+)/.exec(tag)?.[1]))
    for (const name of ['a', 'img', 'script', 'iframe', 'object', 'svg']) expect(names).not.toContain(name)
    const attributes = new Set(tags.flatMap((tag) => [...tag.matchAll(/\s([\w-]+)=/g)].map((found) => found[1])))
    for (const name of attributes) expect(['class', 'style', 'xmlns', 'encoding', 'aria-hidden', 'mathcolor', 'stretchy', 'title', 'mathvariant']).toContain(name)
    expect(tags.join('')).not.toContain('position')
  })

  it('keeps sizes in bounds', () => {
    const heights = [...drawn('\\rule{900em}{900em}').matchAll(/(?:height|width):([\d.]+)em/g)].map((found) => Number(found[1]))
    expect(Math.max(...heights)).toBeLessThanOrEqual(10)
  })

  it('ends formulas that define themselves', () => {
    expect(drawn('\\def\\a{\\a\\a}\\a')).toContain('katex-error')
    const bomb = '\\def\\a{xxxxxxxxxx}\\def\\b{\\a\\a\\a\\a\\a\\a\\a\\a\\a\\a}\\def\\c{\\b\\b\\b\\b\\b\\b\\b\\b\\b\\b}\\def\\d{\\c\\c\\c\\c\\c\\c\\c\\c\\c\\c}\\d'
    expect(drawn(bomb)).toContain('katex-error')
  })

  it('shows what cannot be drawn as it was typed', () => {
    expect(drawn('\\frac{1}{')).toContain('\\frac{1}{')
  })
})
