/** The strokes of the page of slides that is shown. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { InkDrawn, InkPage, Stroke } from '@/protocol/messages'

export const useInk = defineStore('ink', () => {
  const document = ref<string | null>(null)
  const page = ref(0)
  const strokes = shallowRef<ReadonlyMap<string, Stroke>>(new Map())

  /** The page was turned or wiped, or we have just come. */
  function setPage(message: InkPage): void {
    document.value = message.document
    page.value = message.page
    strokes.value = new Map(message.strokes.map((one) => [one.stroke, one]))
  }

  /** A piece of a stroke, of others or of the own pen. */
  function draw(message: Pick<InkDrawn, 'document' | 'page' | 'stroke'>): void {
    if (message.document !== document.value || message.page !== page.value) return
    const { stroke } = message
    const before = strokes.value.get(stroke.stroke)
    const whole = before === undefined ? stroke : { ...before, points: [...before.points, ...stroke.points] }
    strokes.value = new Map(strokes.value).set(stroke.stroke, whole)
  }

  /** Only the own page is turned: nothing of the former one may stand on the next. */
  function leave(): void {
    document.value = null
    strokes.value = new Map()
  }

  return { document, page, strokes, setPage, draw, leave }
})
