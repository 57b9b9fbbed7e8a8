import { beforeEach, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { fromBase64, toBase64 } from '@/desk/base64'
import { Board, tidy } from '@/desk/board'
import { HEIGHT, MAX_POINTS, packPoints, readMark, unpackPoints, WIDTH, type Mark } from '@/desk/marks'
import type { HelpMessage } from '@/desk/names'
import { MAX_UPDATE } from '@/desk/outbox'
import { BoardPen, touches } from '@/desk/pen'
import type { BoardAsk, BoardUpdate } from '@/protocol/desk-messages'
import { FakeClock } from '../support/time'

/** The server's board: passes on what it takes, and refuses what builds on something missing. */
class Relay {
  readonly doc = new Y.Doc({ gc: false })
  readonly pages: { board: Board; isHere: boolean }[] = []
  readonly sizes: number[] = []
  refuses: ((update: Uint8Array) => string | null) | null = null

  join(clock: FakeClock): { board: Board; isHere: boolean } {
    const page = {
      isHere: true,
      board: new Board({
        session: 1,
        clock,
        send: (message) => {
          if (!page.isHere) return false
          // Through JSON, as on the wire.
          this.hear(page, JSON.parse(JSON.stringify(message)) as BoardAsk | BoardUpdate)
          return true
        },
      }),
    }
    this.pages.push(page)
    page.board.start()
    return page
  }

  get marks(): string[] {
    return this.doc.getArray<Mark>('marks').map((mark) => mark.i)
  }

  private hear(page: { board: Board }, message: BoardAsk | BoardUpdate): void {
    if (message.type === 'board_ask') {
      const vector = fromBase64(message.vector ?? '')
      const update = Y.encodeStateAsUpdate(this.doc, vector.length === 0 ? undefined : vector)
      page.board.handle({ type: 'board_state', session: 1, update: toBase64(update), vector: toBase64(Y.encodeStateVector(this.doc)) })
      return
    }
    const update = fromBase64(message.update)
    this.sizes.push(update.length)
    const code = this.refuses?.(update) ?? (this.isBehind(update) ? 'board_behind' : null)
    if (code !== null) {
      page.board.handle(refusal(code))
      return
    }
    Y.applyUpdate(this.doc, update)
    for (const other of this.pages) if (other.board !== page.board && other.isHere) other.board.handle(message)
  }

  private isBehind(update: Uint8Array): boolean {
    const trial = new Y.Doc()
    Y.applyUpdate(trial, Y.encodeStateAsUpdate(this.doc))
    Y.applyUpdate(trial, update)
    return trial.store.pendingStructs !== null
  }
}

const refusal = (code: string): HelpMessage => ({ type: 'error', code, text: { zh: '', en: '' }, id: null, retry_after_s: 0, fatal: false })
const welcome = { type: 'welcome' } as HelpMessage
const at = (x: number, y: number, pressure = 128) => ({ x, y, pressure })
const words = (i: string, v = '甲'): Mark => ({ k: 't', i, c: 'black', x: 100, y: 200, z: 400, v })
const long = (i: string): Mark => ({ k: 's', i, c: 'red', w: 30, p: packPoints(Array.from({ length: MAX_POINTS }, (_, n) => at(n, n))) })
const shown = (board: Board): string[] => [...board.strokes.keys(), ...board.placed.map((one) => one.i)]

describe('marks', () => {
  it('packs points and keeps them on the board', () => {
    expect(unpackPoints(packPoints([at(0, 0, 0), at(9_999.6, 37_500, 255), at(-5, 99_999, 300)]))).toEqual([
      at(0, 0, 0), at(10_000, 37_500, 255), at(0, HEIGHT, 255),
    ])
    expect(unpackPoints(new Uint8Array([255, 255, 255, 255, 1]))).toEqual([at(WIDTH, HEIGHT, 1)])
  })

  it('shows only what it knows', () => {
    expect(readMark(words('a'))).not.toBeNull()
    expect(readMark(long('a'))).not.toBeNull()
    expect(readMark({ k: 'p', i: 'a', x: 0, y: 0, w: 10_000, h: 9_000, v: 'p-abcdefgh234567ab' })).not.toBeNull()
    for (const other of [
      null, 3, 'a', [], {}, { ...words('a'), k: 'x' }, { ...words('a'), i: '<b>' }, { ...words('a'), c: 'url(x)' }, { ...words('a'), x: 1.5 },
      { ...words('a'), z: 9_999 }, { ...words('a'), v: 'x'.repeat(501) }, { ...long('a'), p: 'abcde' }, { ...long('a'), p: new Uint8Array(4) },
      { k: 'p', i: 'a', x: 0, y: 0, w: 10_000, h: 9_000, v: 'https://example.org/a.png' },
    ]) expect(readMark(other)).toBeNull()
  })

  it('takes unseen characters out of text', () => {
    expect(tidy('  a\u202eb\u0000c\nd ')).toBe('abc\nd')
  })
})

describe('board', () => {
  let clock: FakeClock
  let relay: Relay
  beforeEach(() => {
    clock = new FakeClock()
    relay = new Relay()
  })

  it('shows a stroke here at once and there while the hand moves', () => {
    const [one, two] = [relay.join(clock), relay.join(clock)]
    const pen = new BoardPen(one.board, clock, 'a')
    pen.down(at(100, 100))
    pen.move(at(200, 100), 10)
    expect(one.board.live?.points).toHaveLength(2)
    pen.move(at(204, 100), 10)
    expect(one.board.live?.points).toHaveLength(2)
    clock.advance(100)
    expect(two.board.strokes.get('a-1')?.points).toHaveLength(2)
    pen.move(at(300, 100), 10)
    pen.up()
    expect(one.board.live).toBeNull()
    expect(one.board.strokes.get('a-1')?.points).toHaveLength(3)
    clock.advance(100)
    expect(two.board.strokes.get('a-1')?.points.map((point) => point.x)).toEqual([100, 200, 300])
  })

  it('goes on with a new stroke where one has become too long', () => {
    const { board } = relay.join(clock)
    const pen = new BoardPen(board, clock, 'a')
    pen.down(at(0, 0))
    for (let n = 1; n <= MAX_POINTS + 5; n += 1) pen.move(at(n * 15, 50), 10)
    pen.up()
    expect([...board.strokes.values()].map((stroke) => stroke.points.length)).toEqual([MAX_POINTS, 7])
    expect(board.strokes.get('a-2')?.points[0]).toEqual(board.strokes.get('a-1')?.points.at(-1))
  })

  it('takes back only what was drawn here, stroke by stroke', () => {
    const [one, two] = [relay.join(clock), relay.join(clock)]
    const pen = new BoardPen(one.board, clock, 'a')
    for (const y of [100, 200]) {
      pen.down(at(0, y))
      clock.advance(60)
      pen.move(at(500, y), 10)
      pen.up()
    }
    two.board.begin()
    two.board.add(words('b'))
    clock.advance(100)
    one.board.undo()
    clock.advance(100)
    expect(shown(two.board)).toEqual(['a-1', 'b'])
    expect(two.board.canUndo).toBe(true)
    one.board.undo()
    clock.advance(100)
    expect(shown(two.board)).toEqual(['b'])
    expect(one.board.canUndo).toBe(false)
    one.board.redo()
    clock.advance(100)
    expect(shown(two.board)).toEqual(['a-1', 'b'])
    expect(two.board.strokes.get('a-1')?.points).toHaveLength(2)
  })

  it('agrees after both have drawn and erased without a line', () => {
    const [one, two] = [relay.join(clock), relay.join(clock)]
    one.board.add(long('a'), words('t'), long('b'))
    clock.advance(100)
    two.isHere = false
    two.board.add(words('two'))
    two.board.erase(new Set(['a']))
    one.board.erase(new Set(['t']), [words('t2', '乙')])
    one.board.add(long('one'))
    clock.advance(5_000)
    two.isHere = true
    two.board.handle(welcome)
    clock.advance(100)
    expect(shown(one.board).sort()).toEqual(['b', 'one', 't2', 'two'])
    expect(shown(two.board).sort()).toEqual(shown(one.board).sort())
    expect([...relay.marks].sort()).toEqual(shown(one.board).sort())
  })

  it('sends again what was lost with a line', () => {
    const one = relay.join(clock)
    relay.refuses = () => 'lost'
    one.board.add(words('a'))
    clock.advance(100)
    expect(relay.marks).toEqual([])
    relay.refuses = null
    one.board.handle(welcome)
    clock.advance(100)
    expect(relay.marks).toEqual(['a'])
  })

  it('brings back to a server what it has lost of ours', () => {
    const [one, two] = [relay.join(clock), relay.join(clock)]
    one.board.add(words('a'))
    clock.advance(100)
    const before = Y.encodeStateAsUpdate(relay.doc)
    one.board.add(words('b'))
    clock.advance(100)
    two.board.add(words('c'))
    clock.advance(100)
    // Another server goes on from what was written down.
    const after = new Relay()
    Y.applyUpdate(after.doc, before)
    Object.assign(relay, { doc: after.doc })
    // The second page builds on what only the first can bring.
    two.board.handle(welcome)
    one.board.handle(welcome)
    clock.advance(3_000)
    expect(relay.marks).toEqual(['a', 'b', 'c'])
    expect(shown(one.board)).toEqual(shown(two.board))
  })

  it('sends a long absence in pieces that the server takes', () => {
    const one = relay.join(clock)
    one.isHere = false
    for (let n = 0; n < 60; n += 1) one.board.add(long(`s${n}`))
    one.isHere = true
    one.board.handle(welcome)
    clock.advance(1_000)
    expect(relay.marks).toHaveLength(60)
    expect(relay.sizes.length).toBeGreaterThan(2)
    expect(Math.max(...relay.sizes)).toBeLessThanOrEqual(MAX_UPDATE)
  })

  it('takes back a wipe of a full board', () => {
    const [one, two] = [relay.join(clock), relay.join(clock)]
    for (let n = 0; n < 100; n += 1) {
      one.board.begin()
      one.board.add(long(`s${n}`), ...(n % 10 === 0 ? [words(`t${n}`)] : []))
      clock.advance(60)
      if (n % 3 === 0) two.board.add(words(`u${n}`))
    }
    clock.advance(100)
    const before = shown(two.board)
    one.board.clear()
    clock.advance(100)
    expect(two.board.isEmpty).toBe(true)
    relay.sizes.length = 0
    one.board.undo()
    clock.advance(100)
    expect(shown(two.board).sort()).toEqual(before.sort())
    expect([...two.board.strokes.values()].every((stroke) => stroke.points.length === MAX_POINTS)).toBe(true)
    expect(Math.max(...relay.sizes)).toBeLessThanOrEqual(MAX_UPDATE)
    expect(shown(one.board)).toEqual(shown(two.board))
  })

  it('keeps photos when the board is wiped', () => {
    const { board } = relay.join(clock)
    board.add({ k: 'p', i: 'p', x: 0, y: 0, w: 10_000, h: 9_000, v: 'p-abcdefgh234567ab' }, words('t'), long('s'))
    board.clear()
    expect(shown(board)).toEqual(['p'])
  })

  it('goes back to the server\'s board when something is refused', () => {
    const [one, two] = [relay.join(clock), relay.join(clock)]
    one.board.add(words('a'))
    clock.advance(100)
    relay.refuses = (update) => (new TextDecoder().decode(update).includes('微信') ? 'text_blocked' : null)
    one.board.add(words('b', '微信'))
    one.board.add(long('c'))
    clock.advance(200)
    expect(shown(one.board)).toEqual(['a'])
    one.board.add(words('d'))
    clock.advance(100)
    expect(shown(two.board)).toEqual(['a', 'd'])
    expect(shown(one.board)).toEqual(['a', 'd'])
  })

  it('keeps asking while an answer does not come', () => {
    const asked: string[] = []
    const board = new Board({ session: 1, clock, send: (message) => asked.push(message.type) > 0 })
    board.start()
    board.add(words('a'))
    clock.advance(9_000)
    expect(asked).toEqual(['board_ask', 'board_ask', 'board_ask'])
    board.close()
    clock.advance(60_000)
    expect(asked).toHaveLength(3)
  })

  it('does not mistake another session\'s board for its own', () => {
    const { board } = relay.join(clock)
    const other = new Y.Doc()
    other.getArray<Mark>('marks').push([words('x')])
    board.handle({ type: 'board_update', session: 2, update: toBase64(Y.encodeStateAsUpdate(other)) })
    expect(board.isEmpty).toBe(true)
  })

  it('shows nothing of marks it does not know', () => {
    const { board } = relay.join(clock)
    const other = new Y.Doc()
    other.getArray<unknown>('marks').push([{ k: 'html', i: 'a', v: '<img src=x>' }, words('x'), 7])
    board.handle({ type: 'board_update', session: 1, update: toBase64(Y.encodeStateAsUpdate(other)) })
    expect(shown(board)).toEqual(['x'])
    board.erase(new Set(['x']))
    expect(board.isEmpty).toBe(true)
  })
})

describe('eraser', () => {
  const stroke = { id: 'a', color: 'black' as const, width: 40, points: [at(0, 0), at(1_000, 0)] }
  it('meets a stroke between its points, not beyond them', () => {
    expect(touches(stroke, 500, 60, 50)).toBe(true)
    expect(touches(stroke, 500, 100, 50)).toBe(false)
    expect(touches(stroke, 1_100, 0, 50)).toBe(false)
    expect(touches({ ...stroke, points: [at(5, 5)] }, 5, 5, 1)).toBe(true)
  })
})
