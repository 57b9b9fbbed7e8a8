import { describe, expect, it } from 'vitest'
import { LookRefused, type Operations } from '@/operations/api'
import { PERIOD_MS, Watch, type Watching } from '@/operations/watch'
import { bytes, duration, hours } from '@/ui/operations/words'

const PICTURE = { at: 1000, needs: [], lessons: [] } as unknown as Operations

/** A clock and a server that are told what to do. */
class Stand {
  now = 1_000_000
  looks = 0
  told: Watching[] = []
  answer: () => Promise<Operations> = () => Promise.resolve(PICTURE)
  private timers = new Map<number, { at: number; call: () => void }>()
  private next = 1
  readonly watch = new Watch({
    look: () => { this.looks += 1; return this.answer() },
    now: () => this.now,
    later: (call, ms) => { this.timers.set(this.next, { at: this.now + ms, call }); return this.next++ },
    cancel: (timer) => { this.timers.delete(timer) },
    tell: (watching) => { this.told.push(watching) },
  })

  async pass(ms: number): Promise<void> {
    await settled()
    this.now += ms
    for (const [id, timer] of [...this.timers]) {
      if (timer.at > this.now) continue
      this.timers.delete(id)
      timer.call()
    }
    await settled()
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

describe('the watch of the operator’s page', () => {
  it('looks at once and then every two seconds', async () => {
    const stand = new Stand()
    stand.watch.start()
    await settled()
    expect(stand.told.at(-1)).toMatchObject({ state: 'seen', seenAt: 1_000_000, clockAheadS: 0 })
    await stand.pass(PERIOD_MS - 1)
    expect(stand.looks).toBe(1)
    await stand.pass(1)
    expect(stand.looks).toBe(2)
  })

  it('keeps the last picture when the server does not answer', async () => {
    const stand = new Stand()
    stand.watch.start()
    await settled()
    stand.answer = () => Promise.reject(new LookRefused(0))
    await stand.pass(PERIOD_MS)
    await stand.pass(PERIOD_MS)
    expect(stand.looks).toBe(3)
    expect(stand.told).toHaveLength(1)
    stand.answer = () => Promise.resolve(PICTURE)
    await stand.pass(PERIOD_MS)
    expect(stand.told.at(-1)).toMatchObject({ state: 'seen', seenAt: stand.now })
  })

  it('says so when nothing has ever come, and goes on trying', async () => {
    const stand = new Stand()
    stand.answer = () => Promise.reject(new LookRefused(502))
    stand.watch.start()
    await settled()
    expect(stand.told.at(-1)).toEqual({ state: 'error' })
    await stand.pass(PERIOD_MS)
    expect(stand.looks).toBe(2)
  })

  it.each([[401, 'stranger'], [403, 'forbidden']] as const)('does not ask again after %s', async (status, state) => {
    const stand = new Stand()
    stand.answer = () => Promise.reject(new LookRefused(status))
    stand.watch.start()
    await settled()
    expect(stand.told.at(-1)).toEqual({ state })
    await stand.pass(10 * PERIOD_MS)
    expect(stand.looks).toBe(1)
  })

  it('asks nothing while nobody looks', async () => {
    const stand = new Stand()
    stand.watch.start()
    await settled()
    stand.watch.stop()
    await stand.pass(100 * PERIOD_MS)
    expect(stand.looks).toBe(1)
    stand.watch.start()
    await settled()
    expect(stand.looks).toBe(2)
  })

  it('tells how far this clock is from the server’s', async () => {
    const stand = new Stand()
    stand.now = 1_042_000
    stand.watch.start()
    await settled()
    expect(stand.told.at(-1)).toMatchObject({ clockAheadS: 42 })
  })
})

describe('figures', () => {
  it('are short', () => {
    expect([0, 1536, 200 * 2 ** 20, 1.5 * 2 ** 40].map(bytes)).toEqual(['0 B', '1.5 KiB', '200 MiB', '1.5 TiB'])
    expect([412.7, 3.46, 0].map(hours)).toEqual(['412', '3.4', '0'])
    expect(duration(90_061)).toEqual({ key: 'day', d: 1, h: 1, m: 1 })
    expect(duration(59)).toMatchObject({ key: 'minute', m: 0 })
  })
})
