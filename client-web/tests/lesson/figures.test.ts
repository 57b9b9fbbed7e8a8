import { describe, expect, it } from 'vitest'
import {
  columnsOf, handOrder, handsOf, handsUp, isOverdue, minutes, nextRoom, percents, planAt, pulsesOf, pulseSums,
  rightColumns, rollCall, roomsTold, secondsLeft, shares, waitOf,
} from '@/lesson/figures'
import { NO_TOOLS } from '@/lesson/tools'
import type { AgendaView, BackchannelView, HandView, PulseView, QuizBar, QuizView, StageView } from '@/protocol/messages'

const hand = (participant: string, raisedAt: number, part: Partial<HandView> = {}): HandView => ({
  participant, room: null, count: 1, children: [], raised_at: raisedAt, approved: true, ...part,
})

describe('hands', () => {
  it('stand in the order of raising, those not let through last', () => {
    const hands = [hand('b', 20), hand('a', 10, { approved: false }), hand('c', 15), hand('d', 15)]
    expect(handOrder(hands).map((one) => one.participant)).toEqual(['c', 'd', 'b', 'a'])
  })

  it('count heads, also of one class with its homes', () => {
    const hands = [hand('room-1', 1, { count: 7 }), hand('home-1', 2, { room: 'room-1' }), hand('home-2', 3)]
    expect(handsUp(hands)).toBe(9)
    expect(handsOf(hands, 'room-1')).toBe(8)
  })
})

describe('fairness', () => {
  const stage: StageView = {
    ...NO_TOOLS.stage,
    waiting: [
      { room: 'room-2', since: 100, turns: 0, hand: false },
      { room: 'room-1', since: 400, turns: 2, hand: true },
    ],
  }
  it('calls the first that waits, and marks who has waited ten minutes', () => {
    expect(nextRoom(stage)).toBe('room-2')
    expect(nextRoom(NO_TOOLS.stage)).toBeNull()
    expect(isOverdue(waitOf(stage, 'room-2'), 699.9)).toBe(false)
    expect(isOverdue(waitOf(stage, 'room-2'), 700)).toBe(true)
    expect(isOverdue(waitOf(stage, 'room-1'), 700)).toBe(false)
    expect(isOverdue(waitOf(stage, 'room-3'), 700)).toBe(false)
  })
})

describe('signals', () => {
  const pulse = (room: string, kind: PulseView['kind'], at: number, answered: string | null = null): PulseView => ({
    room, kind, at, expires_at: at + 60, answered_by: answered,
  })
  const view: BackchannelView = {
    ...NO_TOOLS.backchannel,
    pulses: [
      pulse('room-1', 'slower', 100), pulse('room-2', 'slower', 130), pulse('room-3', 'slower', 131),
      pulse('room-3', 'done', 132), pulse('room-4', 'slower', 133, 'lead'),
    ],
    sums: [{ kind: 'slower', rooms: ['room-1', 'room-2', 'room-3'], of: 12 }],
  }
  it('are summed by kind, most rooms first', () => {
    expect(pulseSums(view, 140)).toEqual([
      { kind: 'slower', rooms: ['room-1', 'room-2', 'room-3'], of: 12, at: 131 },
      { kind: 'done', rooms: ['room-3'], of: 12, at: 132 },
    ])
    expect(pulsesOf(view, 'room-3', 140)).toEqual(['slower', 'done'])
  })
  it('end by the clock without a word of the server', () => {
    expect(pulseSums(view, 165)[0]?.rooms).toEqual(['room-2', 'room-3'])
    expect(pulseSums(view, 200)).toEqual([])
  })
})

describe('a question', () => {
  const quiz: QuizView = {
    id: 1, kind: 'single', text: '', options: ['a', 'b', 'c'], state: 'open', opened_at: 0, closes_at: null,
    correct: [2], correct_number: null, answers: [], answered: 0, totals: [], bars: [], missing: [],
  }
  const bar = (room: string | null, source: QuizBar['source']): QuizBar => ({ room, counts: [], present: null, source, warning: false })
  it('has columns, of which some are right', () => {
    expect([columnsOf(quiz), rightColumns(quiz)]).toEqual([3, [2]])
    expect(columnsOf({ kind: 'judge', options: [] })).toBe(2)
    expect(rightColumns({ kind: 'number', correct: [], correct_number: 12 })).toEqual([0])
    expect(rightColumns({ kind: 'number', correct: [], correct_number: null })).toEqual([])
  })
  it('knows which rooms have told', () => {
    expect(roomsTold({ ...quiz, bars: [bar('room-1', 'tally'), bar('room-2', 'none'), bar(null, 'devices')] })).toEqual({ told: 1, of: 2 })
  })
  it('draws bars without dividing by nothing', () => {
    expect(shares([0, 0])).toEqual([0, 0])
    expect(shares([1, 4, 2])).toEqual([0.25, 1, 0.5])
    expect(percents([1, 3])).toEqual([25, 75])
    expect(percents([])).toEqual([])
  })
})

describe('the plan', () => {
  const agenda: AgendaView = {
    type: 'agenda',
    phases: [{ title: 'a', start_minute: 0, end_minute: 6 }, { title: 'b', start_minute: 6, end_minute: 40 }],
    cues: [
      { minute: 0, who: 'lead', room: null, text: '', done: false },
      { minute: 5, who: 'all', room: null, text: '', done: true },
      { minute: 7, who: 'assistant', room: 'room-1', text: '', done: false },
    ],
    phase: null,
  }
  it('waits for the bell', () => {
    const at = planAt(agenda, null, 5_000, 40)
    expect([at.minute, at.phase, at.overrun, at.soon.length]).toEqual([null, null, 0, 1])
  })
  it('goes by the minute, and by hand when somebody went', () => {
    expect(planAt(agenda, 1_000, 1_000 + 5.5 * 60, 40)).toMatchObject({ minute: 5.5, phase: 0, overrun: 0 })
    expect(planAt(agenda, 1_000, 1_000 + 7 * 60, 40).phase).toBe(1)
    expect(planAt({ ...agenda, phase: 0 }, 1_000, 1_000 + 7 * 60, 40).phase).toBe(0)
  })
  it('names what is due and what comes', () => {
    const at = planAt(agenda, 1_000, 1_000 + 5.5 * 60, 40)
    expect(at.due.map((one) => one.index)).toEqual([0])
    expect(at.soon.map((one) => one.index)).toEqual([2])
  })
  it('shows overrun, and cuts nothing', () => {
    const at = planAt(agenda, 1_000, 1_000 + 43 * 60, 40)
    expect([at.overrun, at.phase, at.length]).toEqual([3, 1, 40])
  })
})

it('counts minutes and seconds as people do', () => {
  expect([minutes(59), minutes(60), minutes(-5)]).toEqual([0, 1, 0])
  expect([secondsLeft(100, 99.2), secondsLeft(100, 100), secondsLeft(100, 130)]).toEqual([1, 0, 0])
})

it('sums the roll call of those who have called', () => {
  const counts = { room: 'room-1', expected: 46, in_room: 40, home: 4, home_here: 3, absent: 2, late: 1, roll_called_at: 5 }
  expect(rollCall([counts, { ...counts, room: 'room-2', in_room: null, roll_called_at: null }])).toEqual({ called: 1, of: 2, present: 43, absent: 2, late: 1 })
})
