import { expect, it } from 'vitest'
import { Backoff } from '@/protocol/backoff'
import { every } from '@/protocol/clock'
import { FakeClock } from '../support/time'

it('spreads each wait over its upper half', () => {
  const waits = (chance: number): number[] => {
    const backoff = new Backoff({ random: () => chance }, 100, 1_000)
    return Array.from({ length: 6 }, () => backoff.next())
  }
  expect(waits(0)).toEqual([50, 100, 200, 400, 500, 500])
  expect(waits(0.5)).toEqual([75, 150, 300, 600, 750, 750])
})

it('spreads what the server asks of all over as long again, 2.5 s at most', () => {
  const wait = (chance: number, atLeastMs: number): number =>
    new Backoff({ random: () => chance }).next(atLeastMs)
  expect([0, 0.25, 0.5, 0.999_999].map((chance) => wait(chance, 1_000))).toEqual([2_000, 1_750, 1_500, 1_000])
  expect([0, 0.5, 0.999_999].map((chance) => wait(chance, 60_000))).toEqual([62_500, 61_250, 60_000])
})

it('waits no less for a server that asks for little', () => {
  const backoff = new Backoff({ random: () => 0.5 }, 100, 1_000)
  expect(Array.from({ length: 5 }, () => backoff.next(10))).toEqual([75, 150, 300, 600, 750])
})

it('repeats until it is cancelled', () => {
  const clock = new FakeClock()
  let count = 0
  const cancel = every(clock, 100, () => {
    count += 1
    if (count === 3) cancel()
  })
  clock.advance(1_000)
  expect(count).toBe(3)
  expect(clock.waiting).toBe(0)
})
