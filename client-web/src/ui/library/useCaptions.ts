/** Captions of a lesson: which language, whether they are shown, and what is said. Remembered. */
import { computed, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import type { CaptionFile, Library } from '@/library/api'
import { captionAt, parseCaptions, type Cue } from '@/library/player/captions'

const KEY = 'twinclass.captions'

export interface Captions {
  isOn: Ref<boolean>
  language: Ref<string>
  text: ComputedRef<string>
  failed: Ref<boolean>
  toggle(): void
}

function remembered(): { on: boolean; language: string } {
  try {
    const [on, language] = (localStorage.getItem(KEY) ?? '').split(' ')
    return { on: on === 'on', language: language ?? '' }
  } catch {
    return { on: false, language: '' } // Without storage they are off until somebody wants them.
  }
}

export function useCaptions(library: Library, files: () => readonly CaptionFile[], time: Ref<number>, spoken: () => string): Captions {
  const before = remembered()
  const isOn = ref(before.on)
  const has = (language: string): boolean => files().some((one) => one.language === language)
  const fitting = files().find((one) => one.language.slice(0, 2) === spoken().slice(0, 2))?.language ?? files()[0]?.language ?? ''
  const language = ref(has(before.language) ? before.language : fitting)
  const cues = shallowRef<readonly Cue[]>([])
  const failed = ref(false)
  const read = new Map<string, readonly Cue[]>()

  watch([isOn, language], async ([on, wanted]) => {
    try {
      localStorage.setItem(KEY, `${on ? 'on' : 'off'} ${wanted}`)
    } catch {
      // As above.
    }
    const url = files().find((one) => one.language === wanted)?.url
    if (!on || url === undefined) return
    failed.value = false
    try {
      const known = read.get(wanted) ?? parseCaptions(await library.captions(url))
      read.set(wanted, known)
      if (language.value === wanted) cues.value = known
    } catch {
      if (language.value === wanted) failed.value = true
    }
  }, { immediate: true })

  return {
    isOn, language, failed,
    text: computed(() => (isOn.value ? captionAt(cues.value, time.value) : '')),
    toggle: () => { isOn.value = files().length > 0 && !isOn.value },
  }
}

/** "中文" or "Chinese". */
export function languageName(tag: string, locale: string): string {
  try {
    return new Intl.DisplayNames([locale], { type: 'language' }).of(tag) ?? tag
  } catch {
    return tag
  }
}
