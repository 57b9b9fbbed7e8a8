/** The token of a link to lessons, library or desk: out of the address, into this tab, and never
 *  mixed with another page's. */
const KEYS = { lessons: 'twinclass.staff', library: 'twinclass.library', operations: 'twinclass.operations', desk: 'twinclass.desk' } as const

/** Where a question comes from that a lesson's link brought along: until it is sent, or given up. */
const ORIGIN_KEY = 'twinclass.desk.origin'
export interface KeptOrigin { origin: string; subject: string }

export function takeStaffEntrance(page: keyof typeof KEYS): { token: string; language: string | null } {
  const fragment = new URLSearchParams(location.hash.slice(1))
  // Links of the evening desk are read off a blackboard or a phone: shorter.
  const given = fragment.get('token') ?? fragment.get('t')
  let token = given ?? ''
  try {
    if (given === null) token = sessionStorage.getItem(KEYS[page]) ?? ''
    else {
      // Another person's seat must not be resumed with this one's token.
      if (sessionStorage.getItem(KEYS[page]) !== given) sessionStorage.removeItem(`${KEYS[page]}.resume`)
      sessionStorage.setItem(KEYS[page], given)
      if (page === 'desk') keepOrigin(fragment.get('origin'), fragment.get('subject'))
    }
  } catch {
    // Without storage the token lives in this page only.
  }
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  return { token, language: fragment.get('lang') }
}

function keepOrigin(origin: string | null, subject: string | null): void {
  if (origin === null && subject === null) sessionStorage.removeItem(ORIGIN_KEY)
  else sessionStorage.setItem(ORIGIN_KEY, JSON.stringify({ origin: origin ?? '', subject: subject ?? '' } satisfies KeptOrigin))
}

/** What the desk's link brought along; empty strings: nothing. */
export function keptOrigin(): KeptOrigin {
  try {
    return JSON.parse(sessionStorage.getItem(ORIGIN_KEY) ?? '') as KeptOrigin
  } catch {
    return { origin: '', subject: '' }
  }
}

export function forgetOrigin(): void {
  try {
    sessionStorage.removeItem(ORIGIN_KEY)
  } catch {
    // Nothing was kept.
  }
}
