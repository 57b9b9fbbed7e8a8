/** Questions and answers that a page has shown, and what else is asked for by an id and a question:
 *  each once, and anew before its addresses end. */
import type { Content } from './api'

/** Addresses end after two hours; a photo that is opened later must still be there. */
const FRESH_MS = 90 * 60_000
/** A tutor's list of thirty, and what she has opened. */
const MOST = 120

export class Contents<T = Content> {
  private readonly known = new Map<string, { asked: Promise<T>; at: number }>()

  constructor(
    private readonly fetch: (content: string, question: number | null) => Promise<T>,
    private readonly now: () => number,
  ) {}

  get(content: string, question: number | null): Promise<T> {
    const had = this.known.get(content)
    if (had !== undefined && this.now() - had.at < FRESH_MS) return had.asked
    const asked = this.fetch(content, question)
    this.known.delete(content)
    this.known.set(content, { asked, at: this.now() })
    // What failed is asked for again next time.
    asked.catch(() => { if (this.known.get(content)?.asked === asked) this.known.delete(content) })
    const [oldest] = this.known.keys()
    if (this.known.size > MOST && oldest !== undefined) this.known.delete(oldest)
    return asked
  }
}
