import { describe, expect, it } from 'vitest'
import { isFresh, keptViews, NO_LOCAL, type Place } from '@/lesson/offline/place'
import { lastRoll, nextOf, recordOf, seatOf, settle, type KeptRecord, type OfflineRecord } from '@/lesson/offline/records'
import { NO_TOOLS } from '@/lesson/tools'
import { surplus } from '@/ui/slides/kept'
import { outdated, wayOf } from '@/worker/rules'

const HANDS: OfflineRecord = { type: 'hands', count: 3 }
function kept(key: string, takenAt: number, record: OfflineRecord = HANDS): KeptRecord {
  return { key, seat: 'demo/helper', takenAt, record, refused: null }
}

describe('records', () => {
  it('are the commands that make sense afterwards', () => {
    expect(recordOf({ type: 'roll_call', absent: ['a'] })).toEqual({ type: 'roll', absent: ['a'], late: [], present: null })
    expect(recordOf({ type: 'quiz_tally', quiz: 2, counts: [1, 2] })).toEqual({ type: 'tally', quiz: 2, counts: [1, 2] })
    expect(recordOf({ type: 'hand_raise', count: 3 })).toBeNull()
    expect(recordOf({ type: 'stage_leave', participant: 'room-1' })).toBeNull()
  })

  it('are brought in the order in which they were taken, refused ones never', () => {
    const records = [kept('b', 20), kept('a', 10), { ...kept('c', 5), refused: { zh: '不', en: 'no' } }]
    expect(nextOf(records, new Set())?.key).toBe('a')
    expect(nextOf(records, new Set(['a']))?.key).toBe('b')
    expect(nextOf(records, new Set(['a', 'b']))).toBeUndefined()
  })

  it('are done with when the log has their key, and only then', () => {
    const found = settle(
      [kept('a', 10), kept('b', 20)],
      [{ key: 'a', kind: 'hands', taken_at: 10, outcome: 'merged', kept: 0 }, { key: 'of another tablet', kind: 'roll', taken_at: 1, outcome: 'superseded', kept: 2 }],
    )
    expect(found.open.map((one) => one.key)).toEqual(['b'])
    expect(found.results.map((one) => [one.key, one.outcome])).toEqual([['a', 'merged']])
  })

  it('know the roll that holds here', () => {
    const roll = (absent: string): OfflineRecord => ({ type: 'roll', absent: [absent], late: [], present: null })
    expect(lastRoll([kept('x', 1)])).toBeNull()
    expect(lastRoll([kept('2', 2, roll('b')), kept('1', 1, roll('a'))])?.key).toBe('2')
  })

  it('belong to a person in a lesson, whatever link she came by', () => {
    const token = `x.${btoa(JSON.stringify({ lesson: 'demo', sub: 'helper-1', name: 'x' })).replaceAll('=', '')}.y`
    expect(seatOf(token)).toBe('demo/helper-1')
    for (const broken of ['', 'a.b', 'a.!!.c', `x.${btoa('{"lesson":1}')}.y`]) expect(seatOf(broken)).toBeNull()
  })
})

describe('the place', () => {
  const place: Place = {
    seat: 'demo/helper', savedAt: 1_000_000, offsetS: 0, lostSince: null, views: NO_TOOLS, local: NO_LOCAL,
    lesson: { me: { participant: 'helper', role: 'assistant', name: '', room: 'room-1', companion: false }, id: 'demo', title: '', subtitle: '', phase: 'live', openedAt: 1, plannedMinutes: 40, mayCommand: [] },
  }

  it('is of today and of a lesson that goes on', () => {
    expect(isFresh(place, 1_000_000 + 3_600_000, 86_400_000)).toBe(true)
    expect(isFresh(place, 1_000_000 + 86_400_000, 86_400_000)).toBe(false)
    expect(isFresh(place, 0, 86_400_000)).toBe(false)
    expect(isFresh({ ...place, lesson: { ...place.lesson, phase: 'closed' } }, 1_000_000, 86_400_000)).toBe(false)
  })

  it('holds no notes, no chat and nobody who asks for help', () => {
    const secret = 'only for teachers'
    const views = keptViews({
      ...NO_TOOLS,
      backchannel: { ...NO_TOOLS.backchannel, notes: [{ note: 1, sender: 'lead', text: secret, to: null, at: 1, seen_by: [] }] },
      chat: { ...NO_TOOLS.chat, messages: [{ message: 1, sender: 'a', name: secret, text: secret, at: 1 }] },
      own_class: { ...NO_TOOLS.own_class, help: [{ participant: secret, kind: 'question', at: 1, answered_at: null, answered_by: null, text: secret }] },
    })
    expect(JSON.stringify(views)).not.toContain(secret)
  })
})

describe('what stays of slides', () => {
  const DAY = 24 * 3600 * 1000
  it('is bounded in number, bytes and age; the newest stays', () => {
    const one = (at: number, bytes = 1): { url: string; bytes: number; at: number } => ({ url: `/${at}`, bytes, at })
    const many = Array.from({ length: 20 }, (_, index) => one(DAY + index))
    expect(surplus(many, DAY + 100)).toHaveLength(8)
    expect(surplus(many, DAY + 100)).not.toContain(`/${DAY + 19}`)
    expect(surplus([one(10), one(DAY)], DAY + 10)).toEqual(['/10'])
    const big = 60 * 1024 * 1024
    expect(surplus([one(DAY + 1, big), one(DAY + 2, big), one(DAY + 3, big)], DAY + 4)).toEqual([`/${DAY + 1}`])
  })
})

describe('the service worker', () => {
  const origin = 'https://school.example'
  const files = new Set(['/assets/index-1.js'])
  const way = (path: string, mode = 'navigate', method = 'GET'): string => wayOf({ url: origin + path, mode, method }, origin, files)

  it('answers for the pages of a classroom and their files, and for nothing else', () => {
    expect(way('/room')).toBe('page')
    expect(way('/assistant?lang=en')).toBe('page')
    for (const path of ['/', '/home', '/lead', '/desk', '/library', '/lessons']) expect(way(path)).toBe('network')
    expect(way('/assets/index-1.js', 'cors')).toBe('file')
    for (const path of ['/api/portal', '/api/slides/ab', '/whep/demo', '/signal']) expect(way(path, 'cors')).toBe('network')
    expect(way('/room', 'navigate', 'POST')).toBe('network')
    expect(wayOf({ url: 'https://elsewhere.example/room', mode: 'navigate', method: 'GET' }, origin, files)).toBe('network')
  })

  it('keeps the shell before for lessons that are open, and drops older ones', () => {
    const names = ['twinclass-slides', 'twinclass-shell-1', 'twinclass-shell-2', 'twinclass-shell-3']
    expect(outdated(names, 'twinclass-shell-3')).toEqual(['twinclass-shell-1'])
    expect(outdated(['twinclass-shell-3'], 'twinclass-shell-3')).toEqual([])
  })
})
