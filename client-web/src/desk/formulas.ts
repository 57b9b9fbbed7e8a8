/** Formulas in a text: what stands between two `$`. */
export type Piece = { kind: 'text'; text: string } | { kind: 'formula'; text: string }

/** Longer is no formula but a text whose second `$` was forgotten. */
const MAX_FORMULA = 400

/**
 * Returns a text as pieces. A `$` without a partner is a dollar; so is one with nothing, or a line
 * break, before its partner.
 */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let plain = ''
  let at = 0
  while (at < text.length) {
    const end = text[at] === '$' ? text.indexOf('$', at + 1) : -1
    const inner = end > at ? text.slice(at + 1, end) : ''
    if (inner.trim() === '' || inner.includes('\n') || inner.length > MAX_FORMULA) {
      plain += text[at] ?? ''
      at += 1
      continue
    }
    if (plain !== '') found.push({ kind: 'text', text: plain })
    plain = ''
    found.push({ kind: 'formula', text: inner.trim() })
    at = end + 1
  }
  if (plain !== '') found.push({ kind: 'text', text: plain })
  return found
}
