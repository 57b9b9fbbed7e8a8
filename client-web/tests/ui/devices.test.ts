import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useOwn } from '@/lesson/own'
import { Devices, type MediaSource } from '@/rtc/devices'

beforeEach(() => {
  setActivePinia(createPinia())
  vi.useFakeTimers()
  vi.stubGlobal('navigator', { userAgent: 'test' })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const both = { camera: true, microphone: true }

function source(ask: () => Promise<MediaStream>): MediaSource {
  return { getUserMedia: ask, getDisplayMedia: ask, enumerateDevices: () => Promise.resolve([]) }
}

async function isOverAfter(ask: () => Promise<MediaStream>, ms: number): Promise<boolean> {
  const { openSoon } = await import('@/ui/devices')
  const own = useOwn()
  own.devices = new Devices(source(ask))
  let isOver = false
  void openSoon(own, both).then(() => {
    isOver = true
  })
  await vi.advanceTimersByTimeAsync(ms)
  return isOver
}

it('waits three seconds for a permission that nobody answers, and no longer', async () => {
  const never = (): Promise<MediaStream> => new Promise(() => undefined)
  expect(await isOverAfter(never, 2_900)).toBe(false)
  expect(await isOverAfter(never, 3_100)).toBe(true)
})

it('goes on at once when the answer is there', async () => {
  const refused = (): Promise<MediaStream> => Promise.reject(new DOMException('no', 'NotAllowedError'))
  expect(await isOverAfter(refused, 0)).toBe(true)
})
