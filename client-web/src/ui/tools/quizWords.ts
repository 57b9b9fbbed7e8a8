/** What the columns of a question are called. */
import { columnsOf, letter } from '@/lesson/figures'
import type { QuizView } from '@/protocol/messages'

export interface Column {
  index: number
  /** A, B, C …; of judge and number questions the word itself. */
  mark: string
  /** The option's text; empty where the mark says all. */
  text: string
}

export function columns(quiz: Pick<QuizView, 'kind' | 'options'>, t: (key: string) => string): Column[] {
  if (quiz.kind === 'judge') return [t('quiz.yes'), t('quiz.no')].map((mark, index) => ({ index, mark, text: '' }))
  if (quiz.kind === 'number') return [t('quiz.right'), t('quiz.wrong')].map((mark, index) => ({ index, mark, text: '' }))
  return Array.from({ length: columnsOf(quiz) }, (_, index) => {
    const text = quiz.options[index] ?? ''
    const mark = letter(index)
    // Cards are held up by their letter; an option that only repeats it needs no words.
    return { index, mark, text: text === mark ? '' : text }
  })
}
