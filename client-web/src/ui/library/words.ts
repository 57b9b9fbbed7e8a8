/** Figures of the library in words. */
import type { Texts } from '@/library/manifest'

/** 12:05, or 1:02:05. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const hours = Math.floor(whole / 3600)
  const rest = `${String(Math.floor((whole % 3600) / 60)).padStart(hours > 0 ? 2 : 1, '0')}:${String(whole % 60).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${rest}` : rest
}

/** "2 分 10 秒" or "2 min 10 s". */
export function span(seconds: number, language: string): string {
  const whole = Math.max(1, Math.round(seconds))
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60]
  const words = language === 'en' ? [' min', ' s'] : [' 分', ' 秒']
  return [minutes > 0 ? `${minutes}${words[0]}` : '', rest > 0 || minutes === 0 ? `${rest}${words[1]}` : ''].filter((one) => one !== '').join(' ')
}

export const inLanguage = (text: Texts | undefined, language: string): string => (text === undefined ? '' : language === 'en' ? text.en : text.zh)

/** What the server says to a request that it refuses. */
export const wordsOf = (error: { text: Texts }, language: string): string => inLanguage(error.text, language)

/** "1.2 MB". */
export function size(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${(bytes / 1024 / 1024).toFixed(1)} MB`
  return `${Math.max(1, Math.round(bytes / 1024))} kB`
}

/** "68%". */
export const percent = (share: number, language: string): string => new Intl.NumberFormat(language, { style: 'percent' }).format(share)
