import type { LikeQuestion, ModeratedQuestion } from '@/protocol/desk-messages'

/** Two questions that read alike: `second` becomes part of `first`, who asked earlier. */
export interface Pair {
  readonly key: string
  readonly subject: string
  readonly grade: number
  readonly first: LikeQuestion
  readonly second: LikeQuestion
}

/** The pairs that a moderator compares side by side; each two once, whichever was found to be like
 * the other. `apart`: keys of those that she has left as they are. */
export function pairsOf(alike: readonly ModeratedQuestion[], apart: ReadonlySet<string>): Pair[] {
  const found = new Map<string, Pair>()
  for (const one of alike) {
    for (const other of one.like) {
      const [first, second] = other.asked_at < one.asked_at || (other.asked_at === one.asked_at && other.question < one.question) ? [other, one] : [one, other]
      const key = `${first.question}-${second.question}`
      if (!apart.has(key) && !found.has(key)) found.set(key, { key, subject: one.subject, grade: one.grade, first, second })
    }
  }
  return [...found.values()]
}
