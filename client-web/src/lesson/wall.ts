import type { ParticipantView } from '@/protocol/messages'

/**
 * The order of the wall: who has not had a turn comes first, then who has waited longest; who has
 * not come yet stands last. Ties keep the order of names, so that tiles rest.
 */
export function wallOrder(seats: readonly ParticipantView[]): ParticipantView[] {
  const rank = (one: ParticipantView): number => {
    if (one.presence === 'expected' || one.presence === 'left') return 2
    return one.turns === 0 ? 0 : 1
  }
  return [...seats].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      a.last_turn_at - b.last_turn_at ||
      a.name.localeCompare(b.name, 'zh-CN', { numeric: true }) ||
      a.id.localeCompare(b.id),
  )
}

/** `next` in the places of `shown` while somebody points at the wall; new ones come last. */
export function heldOrder(shown: readonly string[], next: readonly string[]): string[] {
  const wanted = new Set(next)
  const held = shown.filter((key) => wanted.has(key))
  const known = new Set(held)
  return [...held, ...next.filter((key) => !known.has(key))]
}
