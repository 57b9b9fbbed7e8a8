/**
 * The person's switches of camera and microphone, as this tab keeps them over a reload: the seat goes
 * on by itself then, and what she has switched off must not open again without her.
 */
const KEY = 'twinclass.switches'

export interface Switches {
  camera: boolean
  microphone: boolean
}

export function loadSwitches(): Switches {
  let kept: Partial<Switches> = {}
  try {
    const text = sessionStorage.getItem(KEY)
    if (text !== null) kept = { ...(JSON.parse(text) as Partial<Switches>) }
  } catch {
    // Private windows may refuse storage: a reload begins with both on.
  }
  return { camera: kept.camera !== false, microphone: kept.microphone !== false }
}

export function saveSwitches(switches: Switches): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(switches))
  } catch {
    // As above.
  }
}

/** Forgotten together with the seat: whoever comes next begins with both on. */
export function forgetSwitches(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing was kept.
  }
}
