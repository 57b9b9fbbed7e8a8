/** The view of a board in its place, and the fingers and wheels that move it. */
import { computed, onBeforeUnmount, onMounted, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { clamped, fitScale, fitted, zoomed, type Size, type View } from './view'

/** A wheel that counts lines. */
const LINE = 18

export interface BoardView {
  view: ShallowRef<View>
  size: Ref<Size>
  /** Pixels a unit at full width: elements are laid out in these and moved as one. */
  base: ComputedRef<number>
  style: ComputedRef<{ transform: string }>
  move: (x: number, y: number) => void
  zoom: (factor: number, x?: number, y?: number) => void
  fit: () => void
  onWheel: (event: WheelEvent) => void
}

export function useView(place: Ref<HTMLElement | null>): BoardView {
  const size = ref<Size>({ width: 0, height: 0 })
  const view = shallowRef<View>({ scale: 0.1, x: 0, y: 0 })
  const base = computed(() => fitScale(size.value))
  const style = computed(() => ({ transform: `translate(${view.value.x}px, ${view.value.y}px) scale(${view.value.scale / base.value})` }))

  function move(x: number, y: number): void {
    view.value = clamped({ ...view.value, x: view.value.x + x, y: view.value.y + y }, size.value)
  }
  function zoom(factor: number, x = size.value.width / 2, y = size.value.height / 2): void {
    view.value = zoomed(view.value, size.value, factor, x, y)
  }
  function fit(): void {
    const { scale, y } = view.value
    const whole = fitted(size.value)
    view.value = clamped({ ...whole, y: (y / scale) * whole.scale }, size.value)
  }
  function onWheel(event: WheelEvent): void {
    const by = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1
    if (event.ctrlKey || event.metaKey) {
      const box = place.value?.getBoundingClientRect()
      zoom(Math.exp(-event.deltaY * by * 0.004), event.clientX - (box?.left ?? 0), event.clientY - (box?.top ?? 0))
    } else if (event.shiftKey) move(-event.deltaY * by, 0)
    else move(-event.deltaX * by, -event.deltaY * by)
  }

  let observer: ResizeObserver | null = null
  onMounted(() => {
    observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return
      const { width, height } = entry.contentRect
      const before = size.value
      size.value = { width, height }
      if (before.width === 0) view.value = fitted(size.value)
      else {
        // What was at the top stays there, as large as before beside the width.
        const by = fitScale(size.value) / fitScale(before)
        const { scale, x, y } = view.value
        view.value = clamped({ scale: scale * by, x: x * by, y: y * by }, size.value)
      }
    })
    if (place.value !== null) observer.observe(place.value)
  })
  onBeforeUnmount(() => observer?.disconnect())
  return { view, size, base, style, move, zoom, fit, onWheel }
}
