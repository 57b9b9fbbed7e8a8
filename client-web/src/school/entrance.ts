/** The token of a link to the desk or the library: out of the address, into this tab, and never
 *  mixed with another page's. */
const KEYS = { lessons: 'twinclass.staff', library: 'twinclass.library', operations: 'twinclass.operations' } as const

export function takeStaffEntrance(page: keyof typeof KEYS): { token: string; language: string | null } {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const given = fragment.get('token')
  let token = given ?? ''
  try {
    if (given === null) token = sessionStorage.getItem(KEYS[page]) ?? ''
    else sessionStorage.setItem(KEYS[page], given)
  } catch {
    // Without storage the token lives in this page only.
  }
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  return { token, language: fragment.get('lang') }
}
