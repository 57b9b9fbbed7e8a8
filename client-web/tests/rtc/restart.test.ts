import { describe, expect, it } from 'vitest'
import { OwnRestarts } from '@/rtc/restart'

const sdp = (ufrag: string): string =>
  `a=ice-ufrag:${ufrag}\r\na=candidate:1 1 udp 2130000255 10.0.0.1 7800 typ host\r\n` +
  'a=candidate:2 1 tcp 1530000255 10.0.0.1 7800 typ host tcptype passive\r\n'
const priorities = (text: string): number[] => [...text.matchAll(/ (\d{10}) /g)].map((one) => Number(one[1]))

describe('restarts of our own', () => {
  it('leave a description as it is before the first', () => {
    const restarts = new OwnRestarts()
    expect(restarts.apply(sdp('abc'))).toBe(sdp('abc'))
  })

  it('mark the fragment and raise all priorities, less than the server does', () => {
    const restarts = new OwnRestarts()
    const before = priorities(restarts.apply(sdp('abc')))
    for (let times = 1; times <= 7; times += 1) {
      expect(restarts.begin()).toBe(true)
      const now = restarts.apply(sdp('abc'))
      expect(now).toContain(`a=ice-ufrag:abc+${times}\r\n`)
      expect(now).not.toBe(sdp('abc'))
      for (const [index, value] of priorities(now).entries()) {
        expect(value).toBe((before[index] ?? 0) + times * 2048)
        expect(value - (before[index] ?? 0)).toBeLessThan(64 << 8)
      }
    }
    expect(restarts.begin()).toBe(false)
  })

  it('begin anew with each of the server', () => {
    const restarts = new OwnRestarts()
    restarts.apply(sdp('abc'))
    restarts.begin()
    expect(restarts.apply(sdp('xyz'))).toBe(sdp('xyz'))
    expect(restarts.begin()).toBe(true)
  })

  it('need a description first', () => {
    expect(new OwnRestarts().begin()).toBe(false)
  })
})
