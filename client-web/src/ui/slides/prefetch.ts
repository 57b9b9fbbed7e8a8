import { onScopeDispose, watch } from 'vue'
import { useLesson } from '@/lesson/lesson'
import { useLine } from '@/lesson/line'
import { useTools } from '@/lesson/tools'
import { keepDocument } from './documents'
import { forgetLesson, prune } from './kept'

/** What is shown now comes first; the other documents of the lesson a little later, one by one. */
const LATER_MS = 3_000

/** Has all documents of the lesson on this device before the line may go, until the lesson is over. */
export function useKeptDocuments(token: string): void {
  const tools = useTools()
  const line = useLine()
  const lesson = useLesson()
  const tried = new Set<string>()
  let timer = 0

  async function keepAll(): Promise<void> {
    for (const one of tools.slides.documents) {
      if (line.state !== 'live' || tried.has(one.document)) continue
      tried.add(one.document)
      await keepDocument(one, token).catch(() => tried.delete(one.document))
    }
  }
  void prune().catch(() => undefined)
  const stop = [
    watch(() => [tools.slides.documents, line.state], () => {
      window.clearTimeout(timer)
      timer = window.setTimeout(() => void keepAll(), LATER_MS)
    }, { immediate: true }),
    watch(() => lesson.phase, (phase) => { if (phase === 'closed') void forgetLesson(lesson.id) }),
  ]
  onScopeDispose(() => {
    window.clearTimeout(timer)
    for (const one of stop) one()
  })
}
