/** What this device remembers: its camera, microphone and speaker, and how it likes to watch. */
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

const KEY = 'twinclass.device'

export interface Remembered {
  camera: string
  microphone: string
  speaker: string
  /** The check was passed on this device: a room may join by itself. */
  checked: boolean
  audioOnly: boolean
  dataSaver: boolean
}

const DEFAULTS: Remembered = {
  camera: '',
  microphone: '',
  speaker: '',
  checked: false,
  audioOnly: false,
  dataSaver: false,
}

function load(): Remembered {
  try {
    const text = localStorage.getItem(KEY)
    return text === null ? DEFAULTS : { ...DEFAULTS, ...(JSON.parse(text) as Partial<Remembered>) }
  } catch {
    // Private windows may refuse storage; the lesson goes on without memory.
    return DEFAULTS
  }
}

export const usePreferences = defineStore('preferences', () => {
  const remembered = ref<Remembered>({ ...load() })
  watch(
    remembered,
    (value) => {
      try {
        localStorage.setItem(KEY, JSON.stringify(value))
      } catch {
        // As above.
      }
    },
    { deep: true },
  )
  return { remembered }
})
