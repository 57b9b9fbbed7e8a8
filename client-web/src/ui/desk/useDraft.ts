/** A question or an answer that is being made: text, photos, voice; what is uploaded stays so, and a
 *  failure loses nothing. */
import { computed, onScopeDispose, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { DeskApi, FoundWords } from '@/desk/api'
import { PhotoError, prepare, type PhotoProblem, type Prepared } from '@/desk/photo'
import type { Recording } from '@/desk/voice'
import { DeskError } from '@/school/ask'
import { decodePhoto } from './browser'

/** Both sides of a sheet and a drawing. */
export const MAX_PHOTOS = 3
export const MAX_CHARS = 2_000

export interface DraftPhoto {
  key: number
  preview: string
  state: 'preparing' | 'ready' | 'sending' | 'stored'
  prepared: Prepared | null
  id: string | null
  share: number
}

export interface Draft {
  text: Ref<string>
  photos: ShallowRef<readonly DraftPhoto[]>
  voice: ShallowRef<Recording | null>
  photoProblem: Ref<PhotoProblem | 'too_many' | null>
  isEmpty: ComputedRef<boolean>
  isBusy: ComputedRef<boolean>
  /** What of the text was blocked, after the server has refused it. */
  found: ShallowRef<readonly FoundWords[]>
  add(files: Iterable<Blob>): Promise<void>
  remove(key: number): void
  /** Stores all of it and returns its reference. Rejects with DeskError. */
  store(): Promise<string>
  clear(): void
}

let keys = 0

/** `memory`: where the text is kept in this tab, in case the camera ends the page. */
export function useDraft(api: DeskApi, memory: string | null = null): Draft {
  const text = ref(recall(memory))
  const photos = shallowRef<readonly DraftPhoto[]>([])
  const voice = shallowRef<Recording | null>(null)
  const photoProblem = ref<PhotoProblem | 'too_many' | null>(null)
  const found = shallowRef<readonly FoundWords[]>([])
  let storedVoice: { of: Recording; id: string } | null = null
  let storedContent: { of: string; id: string } | null = null

  const isEmpty = computed(() => text.value.trim() === '' && photos.value.length === 0 && voice.value === null)
  const isBusy = computed(() => photos.value.some((one) => one.state === 'preparing' || one.state === 'sending'))

  const change = (key: number, part: Partial<DraftPhoto>): void => {
    photos.value = photos.value.map((one) => (one.key === key ? { ...one, ...part } : one))
  }

  async function add(files: Iterable<Blob>): Promise<void> {
    photoProblem.value = null
    for (const file of files) {
      if (photos.value.length >= MAX_PHOTOS) {
        photoProblem.value = 'too_many'
        return
      }
      keys += 1
      const key = keys
      photos.value = [...photos.value, { key, preview: '', state: 'preparing', prepared: null, id: null, share: 0 }]
      try {
        const prepared = await prepare(file, decodePhoto)
        change(key, { state: 'ready', prepared, preview: URL.createObjectURL(prepared.image) })
      } catch (error) {
        remove(key)
        photoProblem.value = error instanceof PhotoError ? error.code : 'no_picture'
      }
    }
  }

  function remove(key: number): void {
    const one = photos.value.find((photo) => photo.key === key)
    if (one !== undefined && one.preview !== '') URL.revokeObjectURL(one.preview)
    photos.value = photos.value.filter((photo) => photo.key !== key)
  }

  async function send(photo: DraftPhoto): Promise<string> {
    if (photo.id !== null) return photo.id
    if (photo.prepared === null) throw new DeskError(0, 'photo_not_ready', { zh: '照片还在处理，请稍等。', en: 'The photo is not ready yet; wait a moment.' })
    change(photo.key, { state: 'sending', share: 0 })
    try {
      const stored = await api.photo(photo.prepared.image, (share) => change(photo.key, { share }))
      change(photo.key, { state: 'stored', id: stored.photo, share: 1 })
      return stored.photo
    } catch (error) {
      change(photo.key, { state: 'ready', share: 0 })
      throw error
    }
  }

  async function sendVoice(recording: Recording): Promise<string> {
    if (storedVoice?.of === recording) return storedVoice.id
    const { voice: id } = await api.voice(recording.sound)
    storedVoice = { of: recording, id }
    return id
  }

  async function store(): Promise<string> {
    found.value = []
    const ids: string[] = []
    // One after another: on a weak line the first is there before the last has begun.
    for (const photo of photos.value) ids.push(await send(photo))
    const content = { text: text.value.trim(), photos: ids, voice: voice.value === null ? null : await sendVoice(voice.value) }
    const same = JSON.stringify(content)
    if (storedContent?.of === same) return storedContent.id
    try {
      const { content: id } = await api.store(content)
      storedContent = { of: same, id }
      return id
    } catch (error) {
      if (error instanceof DeskError) found.value = error.found
      throw error
    }
  }

  function clear(): void {
    for (const photo of photos.value) remove(photo.key)
    text.value = ''
    voice.value = null
    storedContent = null
    found.value = []
    remember(memory, '')
  }

  const onHide = (): void => remember(memory, text.value)
  document.addEventListener('visibilitychange', onHide)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', onHide)
    onHide()
    for (const photo of photos.value) if (photo.preview !== '') URL.revokeObjectURL(photo.preview)
  })

  return { text, photos, voice, photoProblem, isEmpty, isBusy, found, add, remove, store, clear }
}

function recall(memory: string | null): string {
  if (memory === null) return ''
  try {
    return sessionStorage.getItem(memory) ?? ''
  } catch {
    return ''
  }
}

function remember(memory: string | null, text: string): void {
  if (memory === null) return
  try {
    if (text === '') sessionStorage.removeItem(memory)
    else sessionStorage.setItem(memory, text)
  } catch {
    // Without storage a draft lives in this page only.
  }
}
