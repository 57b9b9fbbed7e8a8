import { createI18n } from 'vue-i18n'
import { en } from './en'
import { zh } from './zh'

export type Language = 'zh-CN' | 'en'
const KEY = 'twinclass.language'

function remembered(): Language {
  try {
    const stored = localStorage.getItem(KEY)
    if (stored === 'en' || stored === 'zh-CN') return stored
  } catch {
    // Without storage the browser's own language decides.
  }
  return navigator.language.toLowerCase().startsWith('en') ? 'en' : 'zh-CN'
}

export const i18n = createI18n({
  legacy: false,
  locale: remembered(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh, en },
})

export function setLanguage(language: Language): void {
  i18n.global.locale.value = language
  document.documentElement.lang = language
  try {
    localStorage.setItem(KEY, language)
  } catch {
    // As above.
  }
}
