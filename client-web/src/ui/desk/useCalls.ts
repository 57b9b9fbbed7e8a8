/** Calling somebody who looks elsewhere: a sound, a buzz, and a word in the tab's title. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { ring } from './browser'

export const useCalls = defineStore('desk-calls', () => {
  /** What the title says; empty: nobody is called. */
  const badge = ref('')

  function call(text: string): void {
    badge.value = text
    ring()
  }
  /** She has looked. */
  function seen(): void {
    badge.value = ''
  }
  return { badge, call, seen }
})
