/** The one state of a seat that is shown, with its colour; for wall, lists and consoles. */
import type { ParticipantView } from '@/protocol/messages'
import { clockText } from '@/ui/time'

export interface SeatState {
  /** Key of `studio.state`. */
  key: 'expected' | 'left' | 'lost' | 'local' | 'onStage' | 'soundBlocked' | 'catchingUp' | 'never' | 'minutes' | 'justNow'
  values: Record<string, string | number>
  /** Colour is information: plain = fine. */
  tone: 'plain' | 'live' | 'attention' | 'lost' | 'waiting'
}

/** A classroom whose line has been gone for more than a minute: it goes on with what it has. */
export function isLocal(seat: ParticipantView): boolean {
  return seat.role === 'room' && seat.presence === 'left' && seat.lost_at > 0
}

export function seatState(
  seat: ParticipantView,
  onStage: boolean,
  now: number,
  catchingUp = false,
): SeatState {
  if (seat.presence === 'expected') return { key: 'expected', values: {}, tone: 'waiting' }
  const time = clockText(now - seat.lost_at)
  if (isLocal(seat)) return { key: 'local', values: { time }, tone: 'lost' }
  if (seat.presence === 'left') return { key: 'left', values: {}, tone: 'waiting' }
  if (seat.presence === 'lost') return { key: 'lost', values: { time }, tone: 'lost' }
  if (seat.sound === 'blocked') return { key: 'soundBlocked', values: {}, tone: 'attention' }
  // It does not watch the lesson: nobody is to think that it follows.
  if (catchingUp) return { key: 'catchingUp', values: {}, tone: 'attention' }
  if (onStage) return { key: 'onStage', values: {}, tone: 'live' }
  if (seat.turns === 0) return { key: 'never', values: {}, tone: 'plain' }
  const minutes = Math.floor((now - seat.last_turn_at) / 60)
  if (minutes < 1) return { key: 'justNow', values: {}, tone: 'plain' }
  return { key: 'minutes', values: { n: minutes }, tone: 'plain' }
}
