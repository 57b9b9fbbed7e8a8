/** The staff link's token: out of the address, into this tab, and never mixed with a lesson's. */
const KEY = 'twinclass.staff'

export function takeStaffEntrance(): { token: string; language: string | null } {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const given = fragment.get('token')
  let token = given ?? ''
  try {
    if (given === null) token = sessionStorage.getItem(KEY) ?? ''
    else sessionStorage.setItem(KEY, given)
  } catch {
    // Without storage the token lives in this page only.
  }
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  return { token, language: fragment.get('lang') }
}
