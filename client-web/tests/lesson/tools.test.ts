import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { useInk } from '@/lesson/ink'
import { useLesson } from '@/lesson/lesson'
import { MAX_POINTS, Pen, PIECE_MS } from '@/lesson/pen'
import { NO_TOOLS, useTools } from '@/lesson/tools'
import type { Ink, ToolViews } from '@/protocol/messages'
import { welcome } from '../support/server'
import { FakeClock } from '../support/time'

beforeEach(() => setActivePinia(createPinia()))

describe('the tools', () => {
  it('are what the server gave last, section by section', () => {
    const tools = useTools()
    tools.welcome(welcome())
    tools.tool({ type: 'tool', view: { type: 'slides', documents: [{ document: 'd', title: 't', pages: 3, sha256: '' }], document: 'd', page: 2 } })
    expect(tools.shownDocument?.title).toBe('t')
    tools.tool({ type: 'tool', view: { type: 'chat', enabled: true, messages: [] } })
    expect(tools.slides.page).toBe(2)
    tools.welcome(welcome())
    expect(tools.shownDocument).toBeUndefined()
  })

  it('bring the stage into its order', () => {
    const tools = useTools()
    const lesson = useLesson()
    lesson.welcome(welcome())
    const place = (participant: string) => ({ participant, since: 1, muted: false, child: null })
    tools.tool({ type: 'tool', view: { ...NO_TOOLS.stage, places: [place('room-2'), place('room-1')] } })
    expect(lesson.stage.map((one) => one.participant)).toEqual(['room-2', 'room-1'])
    expect(lesson.meOnStage).toBe(true)
  })

  it('ignore sections of a later server', () => {
    const tools = useTools()
    tools.tool({ type: 'tool', view: { type: 'jukebox' } as unknown as ToolViews['chat'] })
    expect(Object.keys(tools.views)).toEqual(Object.keys(NO_TOOLS))
  })

  it('know whether the teaching is offered to this page', () => {
    const tools = useTools()
    useLesson().welcome(welcome({ participant: 'co', role: 'co_lead' }))
    tools.tool({ type: 'tool', view: { type: 'teaching', participant: 'lead', away_since: 5, missed_s: 0, offer: { to: ['co'], reason: 'connection', at: 6, phase: 1, cue: null } } })
    expect([tools.iTeach, tools.isOffered]).toEqual([false, true])
  })
})

describe('ink', () => {
  it('grows stroke by stroke on the page that is shown', () => {
    const ink = useInk()
    ink.setPage({ type: 'ink_page', document: 'd', page: 1, strokes: [{ stroke: 'a', points: [1, 1], color: 'red', width: 30 }] })
    ink.draw({ document: 'd', page: 1, stroke: { stroke: 'a', points: [2, 2], color: 'blue', width: 9 } })
    ink.draw({ document: 'd', page: 2, stroke: { stroke: 'b', points: [3, 3], color: 'red', width: 30 } })
    expect([...ink.strokes.values()]).toEqual([{ stroke: 'a', points: [1, 1, 2, 2], color: 'red', width: 30 }])
    ink.setPage({ type: 'ink_page', document: 'd', page: 1, strokes: [] })
    expect(ink.strokes.size).toBe(0)
  })
})

describe('the pen', () => {
  const clock = new FakeClock()
  let pieces: Ink[] = []
  const pen = new Pen({ clock, name: 'p', draw: (piece) => pieces.push(piece) })
  beforeEach(() => {
    pieces = []
  })

  it('sends pieces of one stroke while the hand moves', () => {
    pen.down('d', 4, 0.1, 0.2)
    pen.move(0.2, 0.2)
    clock.advance(PIECE_MS)
    pen.move(0.3, 0.2)
    pen.up()
    expect(pieces.map((one) => [one.document, one.page, one.points])).toEqual([
      ['d', 4, [1_000, 2_000, 2_000, 2_000]], ['d', 4, [3_000, 2_000]],
    ])
    expect(new Set(pieces.map((one) => one.stroke)).size).toBe(1)
    clock.advance(1_000)
    expect(pieces).toHaveLength(2)
  })

  it('leaves out a trembling, and stays on the page', () => {
    pen.down('d', 1, -1, 2)
    pen.move(0.000_5, 1)
    pen.up()
    expect(pieces[0]?.points).toEqual([0, 10_000])
    pen.move(0.5, 0.5)
    pen.up()
    expect(pieces).toHaveLength(1)
  })

  it('begins a new stroke where one is full, without a gap', () => {
    pen.down('d', 1, 0, 0)
    for (let n = 1; n <= MAX_POINTS; n += 1) pen.move((n % 2) * 0.5, n / MAX_POINTS)
    pen.up()
    const [first, second] = pieces
    expect(first?.points).toHaveLength(MAX_POINTS * 2)
    expect(second?.stroke).not.toBe(first?.stroke)
    expect(second?.points.slice(0, 2)).toEqual(first?.points.slice(-2))
  })
})
