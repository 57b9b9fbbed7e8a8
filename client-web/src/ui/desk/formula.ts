/**
 * Formulas that people have typed, drawn by KaTeX. It builds elements of its own and never reads
 * markup; commands that would load or link something are shown as what they are.
 */
import 'katex/dist/katex.min.css'
import katex, { type KatexOptions } from 'katex'

/** A formula of more is no homework, and takes long to draw. */
const MAX_FORMULA = 500

export const OPTIONS: Readonly<KatexOptions> = {
  // What cannot be drawn is shown as it was typed, in red, with the reason as its title.
  throwOnError: false,
  errorColor: '#b42820',
  // No \href, \includegraphics, \htmlStyle and the like.
  trust: false,
  strict: 'ignore',
  // \rule{999em}{999em} would cover the page.
  maxSize: 8,
  // Macros that call each other; homework defines none.
  maxExpand: 200,
  // Readers of screens read the MathML beside the drawing.
  output: 'htmlAndMathml',
}

/** Draws a formula into `place`, in place of what is there. */
export function drawFormula(place: HTMLElement, formula: string, display = false): void {
  const text = formula.slice(0, MAX_FORMULA)
  // Definitions of one formula must not change the next one.
  katex.render(text, place, { ...OPTIONS, displayMode: display, macros: {} })
}
