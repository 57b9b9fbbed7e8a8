/**
 * Keeps the place in the lesson and what is taken down without a line, and brings it when it is back.
 *
 * Theory of operation. While the line is there the place is written a moment after it changed. When
 * the line is gone for longer than a blink (`OUT_MS`), and pictures and sound with it, pages change to what a room can do alone. What
 * the assistant takes down is on the disk before she is told so. With the next `welcome`, of the old
 * session or a new one, records go one after another, the oldest first and no faster than the server
 * takes them; a key that stands in the view `offline` is done with. An acknowledgement alone is not
 * enough to forget a record: the log's view is.
 */
import { watch } from 'vue'
import type { Clock } from '@/protocol/clock'
import type { BilingualText, Welcome } from '@/protocol/messages'
import { CommandError, type SessionReason, type SessionState } from '@/protocol/wire'
import type { ClientCommand } from '@/protocol/names'
import { useLesson } from '../lesson'
import { useLine } from '../line'
import { useTools } from '../tools'
import { isFresh, keptViews, NO_LOCAL, type Place } from './place'
import {
  FORGET_MS, isPassing, isUndelivered, MAX_KEPT, nextOf, recordOf, refusal, seatOf, settle, type KeptRecord, type OfflineRecord,
} from './records'
import type { Shelf } from './shelf'
import { useOffline } from './store'

/** A line that comes back by itself in this time is no business of anybody's. */
const OUT_MS = 3_000
/** While the lead is still seen and heard (the server is being replaced) nothing has to go on alone. */
const MEDIA_MS = 1_000
/** The place is written this long after it changed. */
const SAVE_MS = 1_000
/** A little slower than the server's rate of 5/s, so that none is refused for hurry. */
const PACE_MS = 250
const AGAIN_MS = 3_000

const TOO_LATE: BilingualText = { zh: '课已经结束，没有记入', en: 'The lesson was over; not recorded' }

/** Plain data: what the stores watch cannot be written as it is. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

export interface OfflineOptions {
  token: string
  clock: Clock
  shelf: Shelf
  /** This device's wall clock, ms. */
  wallMs(): number
  newKey(): string
  command(command: ClientCommand): Promise<void>
  isLive(): boolean
  /** Bytes of pictures and sound that came so far. */
  mediaBytes(): Promise<number>
}

export class OfflineDesk {
  private readonly lesson = useLesson()
  private readonly line = useLine()
  private readonly tools = useTools()
  private readonly offline = useOffline()
  private readonly seat: string | null
  private readonly sent = new Set<string>()
  private readonly loaded: Promise<void>
  private place: Place | null = null
  private isBringing = false
  private isOver = false
  private cancels = new Map<string, () => void>()

  constructor(private readonly options: OfflineOptions) {
    this.seat = seatOf(options.token)
    this.loaded = this.load()
  }

  /** Stores -> disk; to be run in the page's effect scope. */
  follow(): void {
    watch(
      () => [this.tools.views, this.offline.local, this.lesson.phase, this.lesson.openedAt, this.line.lostSince],
      () => this.later('save', SAVE_MS, () => void this.save()),
    )
    watch(() => this.tools.views.offline, () => this.reconcile())
    watch(() => this.lesson.phase, (phase) => { if (phase === 'closed') void this.close() })
  }

  /** The session's state has changed. */
  state(state: SessionState, reason: SessionReason | null): void {
    if (state === 'reconnecting') {
      void this.restore()
      if (!this.offline.isOut) this.later('out', OUT_MS, () => void this.watchMedia())
    } else if (state === 'live') {
      this.drop('out')
      this.offline.isOut = false
      this.offline.local = NO_LOCAL
    } else if (reason?.code === 'lesson_closed') void this.close()
  }

  /** The server has welcomed this page: what was taken down is brought. */
  welcome(message: Welcome): void {
    this.sent.clear()
    void this.loaded.then(() => {
      this.reconcile()
      if (message.may_command.includes('offline_record')) void this.bring()
    })
  }

  /** Keeps a command that did not arrive; false when it is none that makes sense afterwards. */
  async keepCommand(command: ClientCommand, error: CommandError, takenAt: number): Promise<boolean> {
    const record = recordOf(command)
    if (record === null || !isUndelivered(error.code) || !this.lesson.may('offline_record')) return false
    return this.take(record, takenAt)
  }

  /** Takes something down; true when it is kept. `takenAt`: server's clock. */
  async take(record: OfflineRecord, takenAt = this.line.serverNow()): Promise<boolean> {
    if (this.seat === null || this.isOver) return false
    if (this.offline.open.length >= MAX_KEPT) {
      this.line.tell({ zh: `这台设备上的离线记录已满（${MAX_KEPT} 条），请记在纸上`, en: `This device holds no more records (${MAX_KEPT}); please use paper` })
      return false
    }
    const kept: KeptRecord = { key: this.options.newKey(), seat: this.seat, takenAt, record, refused: null }
    await this.write(() => this.options.shelf.putRecord(plain(kept)))
    this.offline.records = [...this.offline.records, kept]
    if (this.options.isLive()) void this.bring()
    return true
  }

  /** What became of records has been read. */
  async dismiss(): Promise<void> {
    const refused = this.offline.records.filter((one) => one.refused !== null)
    this.offline.records = this.offline.open
    this.offline.results = []
    for (const one of refused) await this.write(() => this.options.shelf.removeRecord(one.key))
  }

  stop(): void {
    for (const cancel of this.cancels.values()) cancel()
    this.cancels.clear()
  }

  private async load(): Promise<void> {
    const { shelf } = this.options
    if (this.seat === null) return
    try {
      await shelf.sweep(this.options.wallMs() - FORGET_MS)
      this.place = await shelf.place(this.seat)
      const kept = await shelf.records(this.seat)
      this.offline.records = [...kept, ...this.offline.records.filter((one) => !kept.some((other) => other.key === one.key))]
      const told = this.offline.records.flatMap((one) => (one.refused === null ? [] : [refusal(one, one.refused)]))
      this.offline.results = [...this.offline.results, ...told]
    } catch {
      this.offline.isDurable = false
    }
  }

  /** Opened without a server: shows where the lesson was. */
  private async restore(): Promise<void> {
    await this.loaded
    const { place } = this
    const { lesson } = this
    if (place === null || lesson.me !== null || this.options.isLive() || !isFresh(place, this.options.wallMs(), FORGET_MS)) return
    this.line.offsetS = place.offsetS
    this.line.lostSince = place.lostSince ?? place.savedAt
    lesson.restore(place.lesson)
    this.tools.restore(place.views)
    this.offline.local = place.local
    this.goOut()
  }

  /** Goes out once nothing comes any more. */
  private async watchMedia(): Promise<void> {
    const before = await this.options.mediaBytes()
    this.later('out', MEDIA_MS, () => {
      void this.options.mediaBytes().then((after) => {
        if (this.options.isLive()) return
        if (after > before) void this.watchMedia()
        else this.goOut()
      })
    })
  }

  private goOut(): void {
    if (this.lesson.me !== null && this.lesson.phase !== 'closed' && !this.options.isLive()) this.offline.isOut = true
  }

  private async save(): Promise<void> {
    const { lesson, seat } = this
    if (seat === null || this.isOver || lesson.phase === 'closed') return
    const kept = lesson.kept()
    if (kept === null) return
    const place: Place = {
      seat, savedAt: this.options.wallMs(), offsetS: this.line.offsetS, lostSince: this.line.lostSince,
      lesson: kept,
      views: keptViews(this.tools.views), local: this.offline.local,
    }
    await this.write(() => this.options.shelf.savePlace(plain(place)))
  }

  private reconcile(): void {
    const { open, results } = settle(this.offline.records, this.tools.views.offline.records)
    if (results.length === 0) return
    this.offline.records = open
    this.offline.results = [...this.offline.results, ...results]
    for (const one of results) void this.write(() => this.options.shelf.removeRecord(one.key))
  }

  private async bring(): Promise<void> {
    if (this.isBringing) return
    this.isBringing = true
    try {
      for (;;) {
        const next = nextOf(this.offline.records, this.sent)
        if (next === undefined || !this.options.isLive() || !(await this.bringOne(next))) return
        await new Promise<void>((resolve) => this.options.clock.after(PACE_MS, resolve))
      }
    } finally {
      this.isBringing = false
    }
  }

  /** Brings a record; false when it is to be tried again later. */
  private async bringOne(one: KeptRecord): Promise<boolean> {
    const taken_at = Math.min(one.takenAt, this.line.serverNow())
    try {
      await this.options.command({ type: 'offline_record', key: one.key, taken_at, record: one.record })
      this.sent.add(one.key)
      return true
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      if (isPassing(error.code)) {
        this.later('again', AGAIN_MS, () => { if (this.options.isLive()) void this.bring() })
        return false
      }
      await this.refuse(one, error.text)
      return true
    }
  }

  private async refuse(one: KeptRecord, text: BilingualText): Promise<void> {
    const refused: KeptRecord = { ...one, refused: text }
    this.offline.records = this.offline.records.map((other) => (other.key === one.key ? refused : other))
    this.offline.results = [...this.offline.results, refusal(one, text)]
    await this.write(() => this.options.shelf.putRecord(plain(refused)))
  }

  /** The lesson is over: nothing of it stays on this device, except what did not get into its log. */
  private async close(): Promise<void> {
    if (this.isOver) return
    this.isOver = true
    this.drop('save')
    this.drop('out')
    this.offline.isOut = false
    await this.loaded
    const { seat } = this
    if (seat === null) return
    await this.write(() => this.options.shelf.forgetPlace(seat))
    for (const one of this.offline.open) await this.refuse(one, TOO_LATE)
  }

  private async write(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch {
      // Private windows and full disks: it lives as long as this page, and the page says so.
      this.offline.isDurable = false
    }
  }

  private later(name: string, delayMs: number, callback: () => void): void {
    // Attempts to come back follow each other faster than some of these waits end.
    if (this.cancels.has(name)) return
    this.cancels.set(name, this.options.clock.after(delayMs, () => {
      this.cancels.delete(name)
      callback()
    }))
  }

  private drop(name: string): void {
    this.cancels.get(name)?.()
    this.cancels.delete(name)
  }
}
