import { beforeEach, describe, expect, it } from 'vitest'
import type { ClientMessage, PublishOffer, PublishWishes } from '@/protocol/messages'
import { Uplink } from '@/rtc/uplink'
import { fakeTrack, Peers } from '../support/peer'
import { FakeClock, settle } from '../support/time'

let clock: FakeClock
let peers: Peers
let sent: ClientMessage[]
let sending: Record<string, boolean>
let uplink: Uplink
let lineUp: boolean

const offers = (): PublishOffer[] => sent.filter((one) => one.type === 'publish_offer')
const lastOffer = (): PublishOffer => {
  const offer = offers().at(-1)
  if (offer === undefined) throw new Error('no offer was sent')
  return offer
}
async function answer(): Promise<void> {
  await uplink.handleAnswer({ type: 'publish_answer', n: lastOffer().n, sdp: 'answer' })
  await settle()
}
function wish(part: Partial<PublishWishes> = {}): PublishWishes {
  const encodings = ['q', 'h', 'f'].map((rid) => ({ rid, active: true, max_bitrate: 0, max_framerate: 0 }))
  return { type: 'publish_wishes', source: 'camera', open: true, codec: 'H264', encodings, ...part }
}
const microphone = (open: boolean): PublishWishes =>
  wish({ source: 'microphone', open, codec: 'opus', encodings: [{ rid: '', active: open, max_bitrate: 0, max_framerate: 0 }] })

async function publishBoth(): Promise<{ camera: MediaStreamTrack; mic: MediaStreamTrack }> {
  const camera = fakeTrack('video')
  const mic = fakeTrack('audio')
  void uplink.setTrack('camera', camera)
  void uplink.setTrack('microphone', mic)
  await settle()
  return { camera, mic }
}

beforeEach(() => {
  clock = new FakeClock()
  peers = new Peers()
  sent = []
  lineUp = true
  sending = {}
  uplink = new Uplink({
    create: peers.create,
    clock,
    send: (message) => {
      if (lineUp) sent.push(message)
      return lineUp
    },
    videoCodecs: () => [
      { mimeType: 'video/VP8', clockRate: 90_000 },
      { mimeType: 'video/H264', clockRate: 90_000, sdpFmtpLine: 'packetization-mode=1;profile-level-id=42e01f' },
    ],
    onSending: (source, now) => {
      sending[source] = now
    },
  })
})

describe('offering', () => {
  it('names camera and microphone in one offer and sends nothing before it is wished', async () => {
    await publishBoth()
    expect(offers()).toHaveLength(1)
    expect(lastOffer()).toMatchObject({
      n: 1,
      tracks: [{ mid: '0', source: 'camera' }, { mid: '1', source: 'microphone' }],
    })
    const [camera] = peers.last.transceivers
    expect(camera?.sender.parameters.encodings.map((one) => [one.rid, one.active])).toEqual([
      ['q', false], ['h', false], ['f', false],
    ])
    expect(camera?.preferences[0]?.mimeType).toBe('video/H264')
  })

  it('has one offer in flight and gathers what comes meanwhile', async () => {
    await publishBoth()
    void uplink.setTrack('screen', fakeTrack('video'))
    await settle()
    expect(offers()).toHaveLength(1)
    await answer()
    expect(offers()).toHaveLength(2)
    expect(lastOffer().n).toBe(2)
    expect(lastOffer().tracks.map((one) => one.source)).toEqual(['camera', 'microphone', 'screen'])
  })

  it('ignores an answer to an offer of before', async () => {
    await publishBoth()
    await uplink.handleAnswer({ type: 'publish_answer', n: 7, sdp: 'answer' })
    expect(peers.last.remote).toHaveLength(0)
    await answer()
    expect(peers.last.remote).toHaveLength(1)
  })

  it('ignores an answer of before while the browser works on the next offer', async () => {
    await publishBoth()
    uplink.renew()
    const { last } = peers
    const make = last.setLocalDescription.bind(last)
    let go: () => void = () => undefined
    last.setLocalDescription = () => new Promise<void>((resolve) => { go = resolve }).then(make)
    await settle()
    await uplink.handleAnswer({ type: 'publish_answer', n: 1, sdp: 'answer' })
    expect(last.remote).toHaveLength(0)
    go()
    await settle()
    expect(lastOffer().n).toBe(2)
    await answer()
    expect(last.remote).toHaveLength(1)
  })

  it('still has one offer in flight when a connection of before fails late', async () => {
    void uplink.setTrack('camera', fakeTrack('video'))
    let fail: () => void = () => undefined
    peers.last.setLocalDescription = () => new Promise<void>((_, reject) => { fail = () => reject(new Error('closed')) })
    await settle()
    uplink.renew()
    await settle()
    fail()
    await settle()
    void uplink.setTrack('screen', fakeTrack('video'))
    await settle()
    expect(offers()).toHaveLength(1)
    await answer()
    expect(offers()).toHaveLength(2)
  })

  it('changes a track without a new offer', async () => {
    await publishBoth()
    await answer()
    const other = fakeTrack('video')
    await uplink.setTrack('camera', other)
    await settle()
    expect(offers()).toHaveLength(1)
    expect(peers.last.transceivers[0]?.sender.track).toBe(other)
  })

  it('takes a source out and uses its m-line again', async () => {
    await publishBoth()
    await answer()
    void uplink.setTrack('screen', fakeTrack('video'))
    await settle()
    await answer()
    void uplink.setTrack('screen', null)
    await settle()
    expect(lastOffer().tracks.map((one) => one.source)).toEqual(['camera', 'microphone'])
    expect(peers.last.transceivers[2]?.direction).toBe('inactive')
    await answer()
    void uplink.setTrack('screen', fakeTrack('video'))
    await settle()
    expect(peers.last.transceivers).toHaveLength(3)
    expect(peers.last.transceivers[2]?.direction).toBe('sendonly')
    expect(lastOffer().tracks[2]).toEqual({ mid: '2', source: 'screen' })
  })
})

describe('wishes', () => {
  it('open and close a microphone down to its track', async () => {
    const { mic } = await publishBoth()
    await answer()
    expect(mic.enabled).toBe(false)
    uplink.handleWishes(microphone(true))
    expect(mic.enabled).toBe(true)
    expect(sending['microphone']).toBe(true)
    uplink.handleWishes(microphone(false))
    await settle()
    expect(mic.enabled).toBe(false)
    expect(peers.last.transceivers[1]?.sender.parameters.encodings[0]?.active).toBe(false)
  })

  it('that come before the answer are obeyed after it', async () => {
    await publishBoth()
    uplink.handleWishes(wish())
    await settle()
    expect(peers.last.transceivers[0]?.sender.history).toHaveLength(0)
    await answer()
    const encodings = peers.last.transceivers[0]?.sender.parameters.encodings
    expect(encodings?.map((one) => one.active)).toEqual([true, true, true])
  })

  it('do not open what the person has switched off', async () => {
    const { mic } = await publishBoth()
    await answer()
    uplink.setEnabled('microphone', false)
    uplink.handleWishes(microphone(true))
    expect(mic.enabled).toBe(false)
    uplink.setEnabled('microphone', true)
    expect(mic.enabled).toBe(true)
  })

  it('go back to the first codec without naming it', async () => {
    await publishBoth()
    await answer()
    uplink.handleWishes(wish({ codec: 'VP8' }))
    uplink.handleWishes(wish({ codec: 'H264' }))
    await settle()
    expect(peers.last.transceivers[0]?.sender.parameters.encodings[0]).not.toHaveProperty('codec')
  })

  it('choose another codec, and are obeyed without it where a browser cannot', async () => {
    await publishBoth()
    await answer()
    const sender = peers.last.transceivers[0]?.sender
    uplink.handleWishes(wish({ codec: 'VP8' }))
    await settle()
    expect(sender?.parameters.encodings[0]).toMatchObject({ codec: { mimeType: 'video/VP8' } })
    if (sender !== undefined) sender.refusesCodec = true
    uplink.handleWishes(wish({ codec: 'VP8', open: false }))
    await settle()
    expect(sender?.parameters.encodings[0]).toMatchObject({ active: false })
  })
})

describe('repair', () => {
  it('restarts ICE after two silent seconds', async () => {
    await publishBoth()
    await answer()
    peers.last.become('connected')
    for (let second = 0; second < 5; second += 1) {
      peers.last.bytes += 1_000
      clock.advance(1_000)
      await settle()
    }
    expect(peers.last.restarts).toBe(0)
    for (let second = 0; second < 3; second += 1) {
      clock.advance(1_000)
      await settle()
    }
    expect(peers.last.restarts).toBe(1)
    expect(offers()).toHaveLength(2)
  })

  it('answers itself where the device is on another network', async () => {
    await publishBoth()
    await uplink.handleAnswer({ type: 'publish_answer', n: lastOffer().n, sdp: 'a=ice-ufrag:abc' })
    peers.last.become('connected')
    uplink.networkChanged()
    uplink.handleWishes(wish())
    await settle()
    expect(peers.last.restarts).toBe(1)
    expect(peers.last.transceivers[0]?.sender.parameters.encodings[0]).toMatchObject({ active: true })
    expect(peers.last.remote.at(-1)).toEqual({ type: 'answer', sdp: 'a=ice-ufrag:abc+1' })
    expect(offers()).toHaveLength(1)
  })

  it('asks the server instead while an offer waits for its answer', async () => {
    await publishBoth()
    peers.last.become('connected')
    uplink.networkChanged()
    await answer()
    expect(peers.last.restarts).toBe(1)
    expect(offers()).toHaveLength(2)
  })

  it('offers what has changed when it cannot answer itself', async () => {
    await publishBoth()
    await uplink.handleAnswer({ type: 'publish_answer', n: lastOffer().n, sdp: 'a=ice-ufrag:abc' })
    peers.last.become('connected')
    peers.last.rejectsRemote = true
    uplink.networkChanged()
    await settle()
    expect(offers()).toHaveLength(2)
  })

  it('makes a new connection with the same tracks when the old one failed', async () => {
    await publishBoth()
    await answer()
    peers.last.become('failed')
    await settle()
    expect(peers.made).toHaveLength(2)
    expect(peers.made[0]?.closed).toBe(true)
    expect(lastOffer().tracks).toHaveLength(2)
    expect(lastOffer().n).toBe(2)
  })

  it('makes a new connection when an answer does not come or does not fit', async () => {
    await publishBoth()
    clock.advance(8_000)
    await settle()
    expect(peers.made).toHaveLength(2)
    peers.last.rejectsRemote = true
    await answer()
    expect(peers.made).toHaveLength(3)
  })

  it('waits as the server asks before it offers again', async () => {
    await publishBoth()
    uplink.handleProblem(3)
    clock.advance(2_900)
    await settle()
    expect(peers.made).toHaveLength(1)
    clock.advance(200)
    await settle()
    expect(peers.made).toHaveLength(2)
  })

  it('keeps a connection while the line to the server is down, and offers on it afterwards', async () => {
    await publishBoth()
    await answer()
    lineUp = false
    uplink.lineLost()
    uplink.restartIce('silent')
    await settle()
    clock.advance(9_000)
    await settle()
    expect(peers.made).toHaveLength(1)
    lineUp = true
    uplink.lineBack()
    await settle()
    expect(offers()).toHaveLength(2)
    await answer()
    expect(peers.made).toHaveLength(1)
  })

  it('offers again what was not answered when the line went', async () => {
    await publishBoth()
    peers.last.become('connected')
    uplink.lineLost()
    clock.advance(20_000)
    await settle()
    uplink.lineBack()
    await settle()
    expect(offers().map((one) => one.n)).toEqual([1, 2])
  })

  it('leaves no timer behind when closed', async () => {
    await publishBoth()
    uplink.close()
    expect(clock.waiting).toBe(0)
    expect(peers.last.closed).toBe(true)
  })
})
