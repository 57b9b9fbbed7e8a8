import { beforeEach, describe, expect, it } from 'vitest'
import type { ClientMessage, Slot, SubscribeOffer } from '@/protocol/messages'
import { Downlink, type SlotTrack } from '@/rtc/downlink'
import { fakeTrack, Peers } from '../support/peer'
import { FakeClock, settle } from '../support/time'

let clock: FakeClock
let peers: Peers
let sent: ClientMessage[]
let shown: readonly SlotTrack[]
let downlink: Downlink

const slot = (mid: string, participant: string | null): Slot => ({
  mid, kind: 'video', use: 'stage', index: Number(mid), participant, source: 'camera',
})
const offer = (n: number, part: Partial<SubscribeOffer> = {}): SubscribeOffer => ({
  type: 'subscribe_offer', n, sdp: `offer ${n}`, slots: [slot('0', 'room-1')], fresh: n === 1, ...part,
})
function track(mid: string): MediaStreamTrack {
  const made = fakeTrack('video')
  peers.last.emit('track', { transceiver: { mid }, track: made })
  return made
}

beforeEach(() => {
  clock = new FakeClock()
  peers = new Peers()
  sent = []
  shown = []
  downlink = new Downlink({
    create: peers.create,
    clock,
    send: (message) => {
      sent.push(message)
      return true
    },
    onSlots: (slots) => {
      shown = slots
    },
  })
})

describe('the downlink', () => {
  it('answers an offer and shows its slots with their tracks', async () => {
    await downlink.handleOffer(offer(1))
    expect(sent).toEqual([{ type: 'subscribe_answer', n: 1, sdp: 'local 0' }])
    expect(shown).toEqual([{ slot: slot('0', 'room-1'), track: null }])
    const made = track('0')
    expect(shown[0]?.track).toBe(made)
  })

  it('follows changes of slots without an offer', async () => {
    await downlink.handleOffer(offer(1))
    const made = track('0')
    downlink.handleSlots([slot('0', null)])
    expect(shown).toEqual([{ slot: slot('0', null), track: made }])
    expect(peers.made).toHaveLength(1)
  })

  it('keeps who was called on while the browser worked on an offer', async () => {
    const answering = downlink.handleOffer(offer(1, { slots: [slot('0', null)] }))
    downlink.handleSlots([slot('0', 'room-1')])
    await answering
    expect(shown.map((one) => one.slot.participant)).toEqual(['room-1'])
  })

  it('works offers off one after another', async () => {
    void downlink.handleOffer(offer(1))
    await downlink.handleOffer(offer(2))
    expect(sent.map((one) => (one.type === 'subscribe_answer' ? one.n : 0))).toEqual([1, 2])
    expect(peers.made).toHaveLength(1)
    expect(peers.last.remote.map((one) => one.sdp)).toEqual(['offer 1', 'offer 2'])
  })

  it('tells the server which offer the browser rejected, and lives on', async () => {
    await downlink.handleOffer(offer(1))
    peers.last.rejectsRemote = true
    await downlink.handleOffer(offer(2, { slots: [slot('0', 'room-2')] }))
    expect(sent.at(-1)).toEqual({ type: 'subscribe_refused', n: 2, reason: 'order of m-lines' })
    expect(shown[0]?.slot.participant).toBe('room-1')
    peers.last.rejectsRemote = false
    await downlink.handleOffer(offer(3))
    expect(sent.at(-1)).toMatchObject({ type: 'subscribe_answer', n: 3 })
  })

  it('makes a new connection for a fresh offer', async () => {
    await downlink.handleOffer(offer(1))
    track('0')
    await downlink.handleOffer(offer(2, { fresh: true }))
    expect(peers.made).toHaveLength(2)
    expect(peers.made[0]?.closed).toBe(true)
    expect(shown[0]?.track).toBeNull()
  })

  it('keeps its layout while a line is lost', async () => {
    await downlink.handleOffer(offer(1))
    const made = track('0')
    downlink.renew()
    expect(sent.at(-1)).toEqual({ type: 'restart_downlink', fresh: true })
    expect(shown[0]?.track).toBe(made)
  })

  it('asks for an ICE restart when a steady flow stops', async () => {
    await downlink.handleOffer(offer(1))
    peers.last.become('connected')
    for (let quarter = 0; quarter < 12; quarter += 1) {
      if (quarter < 5) peers.last.bytes += 1_000
      clock.advance(250)
      await settle()
    }
    expect(sent.slice(1)).toEqual([{ type: 'restart_downlink', fresh: false, reason: 'silent' }])
  })

  it('restarts ICE without the server when the device is on another network', async () => {
    await downlink.handleOffer(offer(1, { sdp: 'a=ice-ufrag:abc' }))
    peers.last.become('connected')
    downlink.networkChanged()
    await settle()
    expect(peers.last.remote.at(-1)).toEqual({ type: 'offer', sdp: 'a=ice-ufrag:abc+1' })
    expect(sent).toHaveLength(1)
    await downlink.handleOffer(offer(2, { sdp: 'a=ice-ufrag:abc' }))
    expect(peers.last.remote.at(-1)?.sdp).toBe('a=ice-ufrag:abc+1')
    await downlink.handleOffer(offer(3, { sdp: 'a=ice-ufrag:new' }))
    expect(peers.last.remote.at(-1)?.sdp).toBe('a=ice-ufrag:new')
  })

  it('is made anew when it failed or never came up', async () => {
    await downlink.handleOffer(offer(1))
    peers.last.become('failed')
    expect(sent.at(-1)).toEqual({ type: 'restart_downlink', fresh: true })
    await downlink.handleOffer(offer(2, { fresh: true }))
    clock.advance(10_000)
    expect(sent.filter((one) => one.type === 'restart_downlink')).toHaveLength(2)
  })

  it('asks again, less and less often, where the offer that it asked for does not come', async () => {
    const asked = (): number => sent.filter((one) => one.type === 'restart_downlink').length
    await downlink.handleOffer(offer(1))
    downlink.renew()
    clock.advance(2_900)
    expect(asked()).toBe(1)
    clock.advance(200)
    expect(asked()).toBe(2)
    clock.advance(60_000)
    expect(asked()).toBeGreaterThan(3)
    expect(asked()).toBeLessThan(8)
    await downlink.handleOffer(offer(2, { fresh: true }))
    const before = asked()
    clock.advance(5_000)
    expect(asked()).toBe(before)
    downlink.renew()
    downlink.close()
    expect(clock.waiting).toBe(0)
  })

  it('does not wait for what a closed connection was asked for', async () => {
    await downlink.handleOffer(offer(1))
    // Browsers never settle it once the connection is closed.
    peers.last.setRemoteDescription = () => new Promise(() => undefined)
    void downlink.handleOffer(offer(2))
    await settle()
    downlink.renew()
    await downlink.handleOffer(offer(3, { fresh: true }))
    expect(sent.at(-1)).toMatchObject({ type: 'subscribe_answer', n: 3 })
  })

  it('shows nothing once closed', async () => {
    await downlink.handleOffer(offer(1))
    track('0')
    downlink.close()
    expect(shown).toEqual([])
    expect(clock.waiting).toBe(0)
  })
})
