/** Pages of a lesson; each has an address of its own, given out as a link. */
import type { Role } from '@/protocol/names'

export type LessonPageName = 'lead' | 'room' | 'home_learner' | 'observer' | 'assistant'

const PATHS: Readonly<Record<string, LessonPageName>> = {
  '/lead': 'lead',
  '/room': 'room',
  '/home': 'home_learner',
  '/observe': 'observer',
  '/assistant': 'assistant',
}

export function pageOf(path: string): LessonPageName | 'portal' | 'lessons' | 'pair' | 'library' | 'operations' | 'desk' {
  if (path.replace(/\/+$/, '') === '/pair') return 'pair'
  if (path.replace(/\/+$/, '') === '/lessons') return 'lessons'
  if (path.replace(/\/+$/, '') === '/operations') return 'operations'
  if (path.replace(/\/+$/, '') === '/desk') return 'desk'
  if (/^\/library(\/|$)/.test(path)) return 'library'
  return PATHS[path.replace(/\/+$/, '')] ?? 'portal'
}

/** The page that fits a role, whatever address was used; null = the role has none. */
export function pageFor(role: Role): LessonPageName | null {
  switch (role) {
    case 'lead':
    case 'co_lead':
      return 'lead'
    case 'room':
      return 'room'
    case 'home_learner':
    case 'home_group':
      return 'home_learner'
    case 'observer':
      return 'observer'
    case 'assistant':
      return 'assistant'
    default:
      return null
  }
}

/** Pages that send; the others join without a device check. */
export function sends(page: LessonPageName): boolean {
  return page === 'lead' || page === 'room' || page === 'home_learner'
}

export function themeOf(page: LessonPageName): 'stage' | 'console' {
  return page === 'assistant' ? 'console' : 'stage'
}
