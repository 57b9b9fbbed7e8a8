import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { effectScope } from 'vue'
import { useLesson } from '@/lesson/lesson'
import { useLine } from '@/lesson/line'
import { OfflineDesk } from '@/lesson/offline/desk'
import type { Place } from '@/lesson/offline/place'
import { MAX_KEPT, type KeptRecord } from '@/lesson/offline/records'
import type { Shelf } from '@/lesson/offline/shelf'
import { useOffline } from '@/lesson/offline/store'
import { NO_TOOLS, useTools } from '@/lesson/tools'
import type { OfflineRecordView } from '@/protocol/messages'
import type { ClientCommand } from '@/protocol/names'
import { CommandError } from '@/protocol/wire'
import { welcome } from '../support/server'
import { FakeClock, settle } from '../support/time'

const TOKEN = `x.${btoa(JSON.stringify({ lesson: 'demo', sub: 'helper' }))}.y`
const TEXT = { zh: '不', en: 'no' }

/** A disk that forgets nothing when the page is closed. */
class Disk implements Shelf {
  readonly places = new Map<string, Place>()
  readonly kept = new Map<string, KeptRecord>()
  fails = false

  private check(): Promise<void> {
    return this.fails ? Promise.reject(new Error('full')) : Promise.resolve()
  }
  place(seat: string): Promise<Place | null> {
    return this.check().then(() => this.places.get(seat) ?? null)
  }
  savePlace(place: Place): Promise<void> {
    return this.check().then(() => void this.places.set(place.seat, place))
  }
  records(seat: string): Promise<KeptRecord[]> {
    return this.check().then(() => [...this.kept.values()].filter((one) => one.seat === seat))
  }
  putRecord(record: KeptRecord): Promise<void> {
    return this.check().then(() => void this.kept.set(record.key, record))
  }
  removeRecord(key: string): Promise<void> {
    return this.check().then(() => void this.kept.delete(key))
  }
  forgetPlace(seat: string): Promise<void> {
    return this.check().then(() => void this.places.delete(seat))
  }
  sweep(beforeMs: number): Promise<void> {
    for (const one of this.kept.values()) if (one.takenAt * 1000 < beforeMs) this.kept.delete(one.key)
    for (const one of this.places.values()) if (one.savedAt < beforeMs) this.places.delete(one.seat)
    return this.check()
  }
}

/** A page of the assistant, its line under our control. */
class Console {
  readonly sent: ClientCommand[] = []
  readonly logged: OfflineRecordView[] = []
  live = false
  media = 0
  answer: CommandError | null = null
  wallMs = Date.now()
  readonly desk: OfflineDesk

  constructor(readonly disk: Disk, readonly clock: FakeClock, private keys = 0) {
    setActivePinia(createPinia())
    this.desk = new OfflineDesk({
      token: TOKEN, clock, shelf: disk, wallMs: () => this.wallMs, newKey: () => `key-${++this.keys}`,
      isLive: () => this.live, mediaBytes: () => Promise.resolve(this.media),
      command: (command) => {
        this.sent.push(command)
        if (this.answer !== null) return Promise.reject(this.answer)
        if (command.type === 'offline_record') {
          const { key, taken_at, record } = command
          this.logged.push({ key, kind: record.type, taken_at, outcome: 'merged', kept: 0 })
        }
        return Promise.resolve()
      },
    })
    effectScope(true).run(() => this.desk.follow())
  }

  welcome(): void {
    this.live = true
    const base = welcome()
    const message = {
      ...base, may_command: ['offline_record', 'roll_call'], server_time: this.wallMs / 1000,
      lesson: { ...base.lesson, phase: 'live' as const, tools: { ...NO_TOOLS, offline: { type: 'offline' as const, records: this.logged } } },
    }
    useLine().setState('live', null)
    this.desk.state('live', null)
    useLesson().welcome(message)
    useTools().welcome(message)
    this.desk.welcome(message)
  }

  lose(): void {
    this.live = false
    useLine().setState('reconnecting', { code: 'socket_closed' })
    this.desk.state('reconnecting', { code: 'socket_closed' })
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      await settle()
      this.clock.advance(250)
    }
    await settle()
  }
}

describe('a console without a line', () => {
  let disk: Disk
  let page: Console
  beforeEach(async () => {
    disk = new Disk()
    page = new Console(disk, new FakeClock())
    page.welcome()
    await page.pass(2_000)
  })

  it('goes on alone when neither line nor media are there', async () => {
    page.lose()
    await page.pass(2_000)
    expect(useOffline().isOut).toBe(false)
    await page.pass(3_000)
    expect(useOffline().isOut).toBe(true)
    page.welcome()
    expect(useOffline().isOut).toBe(false)
  })

  it('waits while the lead is still seen: the server is being replaced', async () => {
    page.lose()
    for (let second = 0; second < 20; second += 1) {
      page.media += 1_000
      await page.pass(500)
    }
    expect(useOffline().isOut).toBe(false)
    await page.pass(4_000)
    expect(useOffline().isOut).toBe(true)
  })

  it('takes down what was not delivered, with the time of the press', async () => {
    page.lose()
    const lost = new CommandError('not_connected', TEXT)
    expect(await page.desk.keepCommand({ type: 'roll_call', absent: ['a'] }, lost, 77)).toBe(true)
    expect(await page.desk.keepCommand({ type: 'pulse_send', kind: 'done' }, lost, 77)).toBe(false)
    expect(await page.desk.keepCommand({ type: 'roll_call' }, new CommandError('unknown_pupil', TEXT), 77)).toBe(false)
    expect([...disk.kept.values()].map((one) => [one.takenAt, one.record.type])).toEqual([[77, 'roll']])
  })

  it('brings all of it after a new welcome, once, the oldest first, and forgets it when it is logged', async () => {
    page.lose()
    const now = useLine().serverNow()
    for (const back of [30, 50, 40]) await page.desk.take({ type: 'hands', count: back }, now - back)
    page.welcome()
    await page.pass(3_000)
    expect(page.sent.map((one) => (one.type === 'offline_record' && one.record.type === 'hands' ? one.record.count : 0))).toEqual([50, 40, 30])
    expect(disk.kept.size).toBe(3)
    useTools().tool({ type: 'tool', view: { type: 'offline', records: page.logged } })
    await page.pass(500)
    expect(disk.kept.size).toBe(0)
    expect(useOffline().results).toHaveLength(3)
    page.lose()
    page.welcome()
    await page.pass(3_000)
    expect(page.sent).toHaveLength(3)
  })

  it('has it after the browser died, and does not bring what the log has', async () => {
    page.lose()
    await page.desk.take({ type: 'hands', count: 1 })
    await page.desk.take({ type: 'hands', count: 2 })
    await page.pass(2_000)
    const [first] = [...disk.kept.keys()]
    const again = new Console(disk, new FakeClock(), 10)
    await again.pass(500)
    again.lose()
    await again.pass(500)
    expect(useOffline().isOut).toBe(true)
    expect(useLesson().phase).toBe('live')
    expect(useOffline().open).toHaveLength(2)
    again.logged.push({ key: first ?? '', kind: 'hands', taken_at: 1, outcome: 'merged', kept: 0 })
    again.welcome()
    await again.pass(3_000)
    expect(again.sent).toHaveLength(1)
  })

  it('tells what was refused and tries again what only has to wait', async () => {
    page.lose()
    await page.desk.take({ type: 'hands', count: 1 })
    page.answer = new CommandError('rate_limited', TEXT)
    page.welcome()
    await page.pass(1_000)
    expect(page.sent).toHaveLength(1)
    page.answer = new CommandError('offline_time', TEXT)
    await page.pass(4_000)
    expect(page.sent).toHaveLength(2)
    expect(useOffline().results.map((one) => one.outcome)).toEqual(['refused'])
    expect(disk.kept.size).toBe(1)
    await page.desk.dismiss()
    expect(disk.kept.size).toBe(0)
    await page.pass(5_000)
    expect(page.sent).toHaveLength(2)
  })

  it('holds a bounded number, and says so', async () => {
    page.lose()
    for (let n = 0; n < MAX_KEPT; n += 1) expect(await page.desk.take({ type: 'hands', count: 1 })).toBe(true)
    expect(await page.desk.take({ type: 'hands', count: 1 })).toBe(false)
    expect(useLine().notice?.text.en).toContain('paper')
    expect(disk.kept.size).toBe(MAX_KEPT)
  })

  it('goes on in memory where nothing can be stored, and says so', async () => {
    page.lose()
    disk.fails = true
    expect(await page.desk.take({ type: 'hands', count: 1 })).toBe(true)
    expect(useOffline().isDurable).toBe(false)
    disk.fails = false
    page.welcome()
    await page.pass(1_000)
    expect(page.sent).toHaveLength(1)
  })

  it('forgets the lesson at its end, and tells what came too late', async () => {
    expect(disk.places.size).toBe(1)
    page.lose()
    await page.desk.take({ type: 'hands', count: 1 })
    page.desk.state('refused', { code: 'lesson_closed' })
    await page.pass(2_000)
    expect(disk.places.size).toBe(0)
    expect(useOffline().results.map((one) => one.outcome)).toEqual(['refused'])
  })

  it('forgets everything after a day', async () => {
    await page.pass(2_000)
    page.lose()
    await page.desk.take({ type: 'hands', count: 1 })
    disk.places.forEach((one) => { one.savedAt -= 25 * 3600 * 1000 })
    disk.kept.forEach((one) => { one.takenAt -= 25 * 3600 })
    const again = new Console(disk, new FakeClock())
    again.lose()
    await again.pass(5_000)
    expect(useLesson().me).toBeNull()
    expect(disk.kept.size + disk.places.size).toBe(0)
  })

  it('turns its own page and counts down by itself until the line is back', async () => {
    const documents = [{ document: 'd', title: '', pages: 3, sha256: '' }]
    useTools().tool({ type: 'tool', view: { type: 'slides', documents, document: 'd', page: 2 } })
    const offline = useOffline()
    offline.turn(1)
    expect(offline.page).toBe(2)
    page.lose()
    await page.pass(6_000)
    offline.turn(1)
    offline.turn(1)
    expect(offline.page).toBe(3)
    offline.count(60, 1_000)
    expect(offline.countdown?.ends_at).toBe(1_060)
    page.welcome()
    useTools().tool({ type: 'tool', view: { type: 'slides', documents, document: 'd', page: 1 } })
    expect(offline.page).toBe(1)
    expect(offline.countdown).toBeNull()
  })
})
