import { onScopeDispose } from 'vue'

/** Single keys of a page. Text fields, menus and dialogs keep theirs. */
export function useKeys(keys: Readonly<Record<string, (event: KeyboardEvent) => void>>): void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
    const target = event.target instanceof Element ? event.target : null
    if (target?.closest('input, select, textarea, [role="alertdialog"], [role="dialog"]')) return
    keys[event.key.length === 1 ? event.key.toLowerCase() : event.key]?.(event)
  }
  window.addEventListener('keydown', onKey)
  onScopeDispose(() => window.removeEventListener('keydown', onKey))
}
