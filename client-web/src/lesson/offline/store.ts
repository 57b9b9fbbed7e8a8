/** The outage as pages show it: since when, what was taken down, what became of it, the own page. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { DocumentView } from '@/protocol/messages'
import { useTools } from '../tools'
import { NO_LOCAL, type Local } from './place'
import { lastRoll, type KeptRecord, type MergeResult } from './records'

export const useOffline = defineStore('offline', () => {
  const tools = useTools()
  /** The line is gone for long enough that the room has to go on by itself. */
  const isOut = ref(false)
  const records = ref<readonly KeptRecord[]>([])
  const results = ref<readonly MergeResult[]>([])
  const local = ref<Local>(NO_LOCAL)
  /** False: this browser keeps nothing, so the page must stay open. */
  const isDurable = ref(true)
  /** What became of records is told when all of them are known. */
  const open = computed(() => records.value.filter((one) => one.refused === null))
  const roll = computed(() => lastRoll(records.value))

  const document = computed<DocumentView | null>(() => {
    const { documents, document: shown } = tools.slides
    const wanted = isOut.value ? (local.value.page?.document ?? shown) : shown
    return documents.find((one) => one.document === wanted) ?? (isOut.value ? (documents[0] ?? null) : null)
  })
  const page = computed(() => (isOut.value && local.value.page !== null ? local.value.page.page : Math.max(1, tools.slides.page)))
  const countdown = computed(() => (isOut.value ? (local.value.countdown ?? tools.countdown) : tools.countdown))

  /** Turns this device's page; the lesson's own comes back with the line. */
  function turn(by: number): void {
    const shown = document.value
    if (!isOut.value || shown === null) return
    const next = Math.min(shown.pages, Math.max(1, page.value + by))
    local.value = { ...local.value, page: { document: shown.document, page: next } }
  }

  /** Starts a countdown on this device; 0 takes it off. `now`: server's clock. */
  function count(seconds: number, now: number): void {
    if (!isOut.value) return
    const countdown = seconds === 0 ? null : { text: '', started_at: now, ends_at: now + seconds }
    local.value = { ...local.value, countdown }
  }

  return { isOut, records, results, local, isDurable, open, roll, document, page, countdown, turn, count }
})
