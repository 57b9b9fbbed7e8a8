/** Who is in a session, as this page may name them. Seats: `tutor`, `moderator`, `pupil-1`… */
import type { HelpSession } from '@/desk/names'
import type { Role } from '@/protocol/desk-messages'

export interface Present { seat: string; name: string; isMe: boolean }
export interface PeopleWords { me: string; moderator: string; pupil: string; classmate: string }

/**
 * Returns oneself and the others. `seats`: of the downlink, where oneself is not; `role`: one's own.
 * A tutor is told names of pupils in no order of seats, so only a single one is named.
 */
export function present(session: HelpSession, role: Role | undefined, seats: readonly string[], words: PeopleWords): Present[] {
  const found = new Map<string, Present>()
  const add = (seat: string, name: string, isMe = false): void => {
    if (!found.has(seat)) found.set(seat, { seat, name, isMe })
  }
  if (role === 'tutor') add('tutor', words.me, true)
  else if ('tutor_name' in session) add('tutor', session.tutor_name)
  if (role === 'pupil') add('me', words.me, true)
  if (role === 'moderator') add('moderator', words.me, true)
  for (const seat of seats) {
    if (seat === 'moderator') add(seat, words.moderator)
    else if (seat.startsWith('pupil-')) add(seat, pupilName(session, role, words))
  }
  return [...found.values()]
}

function pupilName(session: HelpSession, role: Role | undefined, words: PeopleWords): string {
  if (role === 'pupil') return words.classmate
  const { members } = session
  return typeof members !== 'number' && members.length === 1 ? (members[0]?.given_name ?? words.pupil) : words.pupil
}
