import { describe, expect, it } from 'vitest'
import { heldOrder, wallOrder } from '@/lesson/wall'
import type { ParticipantView } from '@/protocol/messages'

const seat = (id: string, part: Partial<ParticipantView> = {}): ParticipantView => ({
  id, role: 'room', name: id, presence: 'present', school: '', room: id, turns: 0, last_turn_at: 0,
  sources: [], sound: 'playing', companion: false, lost_at: 0, ...part,
})

describe('the wall', () => {
  it('shows first who had no turn, then who waits longest, last who is not here', () => {
    const order = wallOrder([
      seat('b', { turns: 1, last_turn_at: 200 }),
      seat('a', { turns: 2, last_turn_at: 100 }),
      seat('d', { presence: 'expected' }),
      seat('c'),
    ])
    expect(order.map((one) => one.id)).toEqual(['c', 'a', 'b', 'd'])
  })

  it('keeps a lost class at its place and counts in names as people do', () => {
    const order = wallOrder([seat('七(10)班'), seat('七(2)班', { presence: 'lost' }), seat('七(1)班')])
    expect(order.map((one) => one.id)).toEqual(['七(1)班', '七(2)班', '七(10)班'])
  })

  it('does not move while somebody points at it', () => {
    expect(heldOrder(['a', 'b', 'c'], ['c', 'd', 'a'])).toEqual(['a', 'c', 'd'])
  })
})
