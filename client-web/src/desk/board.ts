/**
 * The shared board of live help: a Yjs document with one list of marks, and what of it is shown.
 *
 * Theory of operation. Every page has the whole document and draws into its own first; the server
 * checks each update and passes it on. What a page lacks after a lost line it gets by `board_ask`,
 * and sends again what the server lacks of its own. When the server refuses an update, the page's
 * document is not the server's any more: it is thrown away and fetched anew (`restart`).
 *
 * Not handled here: pens and pixels (`pen.ts`, `ui/desk/board/`).
 */
import * as Y from 'yjs'
import type { Clock } from '@/protocol/clock'
import type { BoardAsk, BoardState, BoardUpdate } from '@/protocol/desk-messages'
import { fromBase64, toBase64 } from './base64'
import { MAX_TEXT, readMark, unpackPoints, type BoardColor, type Mark, type PhotoMark, type Point, type StrokeMark, type TextMark } from './marks'
import { MENDED } from './mended'
import type { HelpMessage } from './names'
import { Outbox } from './outbox'

export interface Stroke {
  id: string
  color: BoardColor
  width: number
  points: Point[]
}
/** A mark that is shown as an element: text, formula, photo. */
export type Placed = TextMark | PhotoMark
/** `grown`: strokes have new points or are new. `changed`: anything else; all is to be drawn again. */
export type BoardChange = 'grown' | 'changed'

/** After these the page's document is not the server's: it is fetched anew. */
const REFUSED: ReadonlySet<string> = new Set(['board_update_bad', 'board_full', 'text_blocked', 'text_too_long'])

const REMOTE = Symbol('remote')
const LOCAL = Symbol('local')
/** So many updates unconfirmed: the server is asked how far it is. */
const CONFIRM_AFTER = 100
/** An answer that does not come: the board may be asked for too often. */
const ANSWER_MS = 4_000
const AGAIN_MS = 600
/** Still behind after so many tries: somebody is gone who had what ours builds on. */
const MAX_TRIES = 4

export interface BoardOptions {
  session: number
  clock: Clock
  send(message: BoardAsk | BoardUpdate): boolean
}

export class Board {
  strokes = new Map<string, Stroke>()
  placed: readonly Placed[] = []
  /** False until the server's document is here. */
  isReady = false
  /** Where somebody else has drawn or written last. */
  elsewhere: { x: number; y: number } | null = null
  /** The stroke that is being drawn here; its last points may not be in the document yet. */
  live: Stroke | null = null

  private doc = new Y.Doc()
  private marks = this.doc.getArray<unknown>('marks')
  private history = this.makeHistory()
  private entries: (Mark | null)[] = []
  private readonly outbox: Outbox
  private readonly listeners = new Set<(change: BoardChange) => void>()
  private cancelWait: (() => void) | null = null
  private asked: number | null = null
  private tries = 0
  /** So much of our own the server had when it was last asked. */
  private arrivedAt = 0
  private isClosed = false

  constructor(private readonly options: BoardOptions) {
    const { clock, session } = options
    this.outbox = new Outbox({
      clock,
      send: (update) => options.send({ type: 'board_update', session, update: toBase64(update) }),
    })
    this.follow()
  }

  /** Fetches the board. */
  start(): void {
    this.ask()
  }

  close(): void {
    this.isClosed = true
    this.cancelWait?.()
    this.outbox.clear()
    this.doc.destroy()
    this.listeners.clear()
  }

  /** Hears of changes; returns what stops it. */
  listen(listener: (change: BoardChange) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  handle(message: HelpMessage): void {
    if (this.isClosed) return
    switch (message.type) {
      case 'welcome':
        // What was on its way when the line went may be lost.
        this.outbox.close()
        this.asked = null
        this.ask()
        break
      case 'board_update':
        if (message.session === this.options.session) this.take(fromBase64(message.update))
        break
      case 'board_state':
        if (message.session === this.options.session) this.answered(message)
        break
      case 'error':
        this.refused(message.code, message.retry_after_s)
        break
      default:
        break
    }
  }

  // ---- drawing ----------------------------------------------------------------------------

  /** Begins something that `undo` takes back as one. */
  begin(): void {
    this.history.stopCapturing()
  }

  add(...marks: readonly Mark[]): void {
    this.doc.transact(() => this.marks.push([...marks]), LOCAL)
  }

  /** Takes these away, and puts others in their place if there are any. */
  erase(ids: ReadonlySet<string>, instead: readonly Mark[] = []): void {
    if (ids.size === 0 && instead.length === 0) return
    this.doc.transact(() => {
      let end = this.entries.length
      // From the back, runs at once: places before them do not move.
      for (let at = end - 1; at >= -1; at -= 1) {
        const mark = at < 0 ? null : this.entries[at]
        if (mark && ids.has(mark.i)) continue
        if (end - at > 1) this.marks.delete(at + 1, end - at - 1)
        end = at
      }
      if (instead.length > 0) this.marks.push([...instead])
    }, LOCAL)
  }

  /** Empties the board; photos stay, they are what one writes on. */
  clear(): void {
    this.begin()
    this.erase(new Set([...this.strokes.keys(), ...this.placed.filter((one) => one.k !== 'p').map((one) => one.i)]))
  }

  undo(): void {
    this.history.undo()
  }

  redo(): void {
    this.history.redo()
  }

  get canUndo(): boolean {
    return this.history.undoStack.length > 0
  }

  get canRedo(): boolean {
    return this.history.redoStack.length > 0
  }

  /** What others drew last has been looked at. */
  seen(): void {
    this.elsewhere = null
  }

  get isEmpty(): boolean {
    return this.strokes.size === 0 && this.placed.length === 0
  }

  /** The live stroke is complete: from here on it is what the document says. */
  settle(): void {
    const live = this.live
    if (live === null) return
    this.live = null
    this.rebuild(new Set([live.id]))
    const isWhole = this.strokes.get(live.id)?.points.length === live.points.length
    this.tell(isWhole ? 'grown' : 'changed')
  }

  // ---- the line ---------------------------------------------------------------------------

  private ask(): void {
    if (this.isClosed) return
    this.cancelWait?.()
    this.cancelWait = this.options.clock.after(ANSWER_MS, () => {
      this.asked = null
      this.ask()
    })
    const vector = this.isReady ? toBase64(Y.encodeStateVector(this.doc)) : ''
    this.asked = this.outbox.mark()
    // Without a line there is no answer either: `welcome` asks again.
    this.options.send({ type: 'board_ask', session: this.options.session, vector })
  }

  private answered({ update, vector }: BoardState): void {
    this.cancelWait?.()
    this.outbox.arrived(this.asked ?? 0)
    this.asked = null
    this.take(fromBase64(update))
    if (!this.isReady) {
      this.isReady = true
      this.tell('changed')
    }
    const missing = this.missing(fromBase64(vector))
    if (missing !== null) this.outbox.replace(missing)
    this.outbox.open()
  }

  /** Returns what the server lacks of our own; null when it lacks nothing. */
  private missing(vector: Uint8Array): Uint8Array | null {
    const { clientID } = this.doc
    const known = Y.decodeStateVector(vector)
    const has = known.get(clientID) ?? 0
    if (has > this.arrivedAt) this.tries = 0
    this.arrivedAt = has
    const own = Y.decodeStateVector(Y.encodeStateVector(this.doc))
    if ((own.get(clientID) ?? 0) <= has && this.outbox.length === 0) return null
    // Only what is ours: nobody sends marks in another one's name.
    own.set(clientID, has)
    return Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(own))
  }

  private take(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, REMOTE)
    // Something between was lost; Yjs keeps this until it is here.
    if (this.doc.store.pendingStructs !== null && this.asked === null) this.ask()
  }

  private refused(code: string, retryAfterS: number): void {
    if (REFUSED.has(code)) {
      this.restart()
      return
    }
    if (!MENDED.has(code) || !code.startsWith('board_')) return
    // Everything after a refused update is refused, too: one question is enough.
    if (code === 'board_behind' && this.asked !== null) return
    this.tries += 1
    if (this.tries > MAX_TRIES) {
      this.restart()
      return
    }
    this.outbox.close()
    this.asked = 0
    this.cancelWait?.()
    this.cancelWait = this.options.clock.after(Math.max(AGAIN_MS, retryAfterS * 1_000), () => this.ask())
  }

  /** Throws the document away and fetches the server's. What is being drawn stays in the hand. */
  private restart(): void {
    this.outbox.clear()
    this.doc.destroy()
    this.doc = new Y.Doc()
    this.marks = this.doc.getArray<unknown>('marks')
    this.history = this.makeHistory()
    this.entries = []
    this.strokes = new Map()
    this.placed = []
    this.isReady = false
    this.tries = 0
    this.arrivedAt = 0
    this.follow()
    this.ask()
  }

  // ---- the document -----------------------------------------------------------------------

  private makeHistory(): Y.UndoManager {
    // What belongs together `begin` says, not a clock.
    return new Y.UndoManager(this.marks, { trackedOrigins: new Set([LOCAL]), captureTimeout: Number.MAX_SAFE_INTEGER })
  }

  private follow(): void {
    const { doc } = this
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === REMOTE || doc !== this.doc) return
      this.outbox.add(update)
      if (this.outbox.length >= CONFIRM_AFTER && this.asked === null) this.ask()
    })
    this.marks.observe((event) => {
      if (doc === this.doc) this.changed(event.changes.delta, event.transaction.origin === REMOTE && this.isReady)
    })
  }

  private changed(delta: readonly { insert?: unknown; delete?: number; retain?: number }[], isOthers: boolean): void {
    let at = 0
    let hasPlaced = false
    let isGrown = false
    const touched = new Set<string>()
    for (const step of delta) {
      at += step.retain ?? 0
      if (step.delete !== undefined) {
        for (const mark of this.entries.splice(at, step.delete)) {
          if (mark?.k === 's') touched.add(mark.i)
          else hasPlaced = true
        }
      }
      if (!Array.isArray(step.insert)) continue
      const marks = step.insert.map(readMark)
      const last = isOthers ? marks.at(-1) : null
      if (last) this.elsewhere = last.k === 's' ? (unpackPoints(last.p).at(-1) ?? null) : { x: last.x, y: last.y }
      const isEnd = at === this.entries.length
      // Spread would overflow the stack with a long board.
      if (isEnd) for (const mark of marks) this.entries.push(mark)
      else this.entries = [...this.entries.slice(0, at), ...marks, ...this.entries.slice(at)]
      at += marks.length
      for (const mark of marks) {
        if (mark?.k !== 's') hasPlaced = true
        else if (!isEnd) touched.add(mark.i)
        else if (!touched.has(mark.i)) {
          isGrown = true
          this.grow(mark)
        }
      }
    }
    if (touched.size > 0) this.rebuild(touched)
    if (hasPlaced) this.placed = this.entries.filter((mark): mark is Placed => mark !== null && mark.k !== 's')
    if (touched.size > 0 || hasPlaced) this.tell('changed')
    else if (isGrown) this.tell('grown')
  }

  private grow(mark: StrokeMark): void {
    if (mark.i === this.live?.id) return
    const points = unpackPoints(mark.p)
    const before = this.strokes.get(mark.i)
    if (before === undefined) this.strokes.set(mark.i, { id: mark.i, color: mark.c, width: mark.w, points })
    else for (const point of points) before.points.push(point)
  }

  /** Makes strokes anew from the document; those that are not in it are gone. */
  private rebuild(ids: ReadonlySet<string>): void {
    for (const id of ids) this.strokes.delete(id)
    for (const mark of this.entries) if (mark?.k === 's' && ids.has(mark.i)) this.grow(mark)
  }

  private tell(change: BoardChange): void {
    for (const listener of [...this.listeners]) listener(change)
  }
}

/** Returns a text as it may be put on the board: no unseen characters, not too long. */
export function tidy(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, '').trim().slice(0, MAX_TEXT)
}
