/** The token of a link to lessons, library or desk: out of the address, into this tab, and never
 *  mixed with another page's. */
const KEYS = { lessons: 'twinclass.staff', library: 'twinclass.library', operations: 'twinclass.operations', desk: 'twinclass.desk' } as const

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
    }
  } catch {
    // Without storage the token lives in this page only.
  }
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  return { token, language: fragment.get('lang') }
}
