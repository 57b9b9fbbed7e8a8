import { createPinia, setActivePinia } from 'pinia'
import { nextTick } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LessonClient } from '@/lesson/client'
import { useInk } from '@/lesson/ink'
import { useLine } from '@/lesson/line'
import { useOwn } from '@/lesson/own'
import { usePreferences } from '@/lesson/preferences'
import { forgetSwitches, loadSwitches } from '@/lesson/switches'
import { useTools } from '@/lesson/tools'
import { Devices, type MediaSource } from '@/rtc/devices'
import { fakeTrack, Peers } from '../support/peer'
import { FakeServer, MemoryResume, welcome } from '../support/server'
import { FakeClock, settle } from '../support/time'

let clock: FakeClock
let server: FakeServer
let peers: Peers
let client: LessonClient
let quietened: { of: MediaStreamTrack; track: MediaStreamTrack; gain: number; closed: boolean }[]

function listening(kind: 'audio' | 'video'): MediaStreamTrack {
  return Object.assign(fakeTrack(kind), { addEventListener: () => undefined, stop: () => undefined })
}
const source: MediaSource = {
  getUserMedia: (wanted = {}) => {
    const video = wanted.video ? [listening('video')] : []
    const audio = wanted.audio ? [listening('audio')] : []
    return Promise.resolve({
      getTracks: () => [...video, ...audio], getVideoTracks: () => video, getAudioTracks: () => audio,
    } as unknown as MediaStream)
  },
  getDisplayMedia: () => Promise.reject(new Error('none')),
  enumerateDevices: () => Promise.resolve([]),
}

async function turn(): Promise<void> {
  await nextTick()
  await settle()
}
async function join(): Promise<void> {
  const own = useOwn()
  own.devices = new Devices(source)
  await own.openDevices({ camera: true, microphone: true })
  client.start()
  server.line.accept()
  server.line.say(welcome())
  await turn()
}
async function answer(): Promise<void> {
  server.line.say({ type: 'publish_answer', n: server.line.of('publish_offer').at(-1)?.n ?? 0, sdp: 'a' })
  await turn()
}

beforeEach(() => {
  setActivePinia(createPinia())
  clock = new FakeClock()
  server = new FakeServer()
  peers = new Peers()
  quietened = []
  client = new LessonClient('token', {
    clock,
    openSocket: server.open,
    createPeerConnection: peers.create,
    quieten: (of, gain) => {
      const made = { of, track: fakeTrack('audio'), gain, closed: false }
      quietened.push(made)
      return { track: made.track, close: () => { made.closed = true } }
    },
    sendVideoCodecs: () => [],
    receiveVideoCodecs: () => [{ mimeType: 'video/VP8', clockRate: 90_000 }],
    userAgent: 'test',
    resume: new MemoryResume(),
  })
})

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('a page in a lesson', () => {
  it('joins with one offer, its view and its report', async () => {
    await join()
    expect(server.line.of('authenticate')[0]?.client).toMatchObject({ video_codecs: ['VP8'] })
    expect(server.line.of('publish_offer').map((one) => one.tracks.length)).toEqual([2])
    expect(server.line.of('view')).toHaveLength(1)
    expect(server.line.of('report')[0]).toMatchObject({ camera: 'on', microphone: 'on' })
  })

  it('publishes only what its role may', async () => {
    const own = useOwn()
    own.devices = new Devices(source)
    await own.openDevices({ camera: true, microphone: true })
    client.start()
    server.line.accept()
    server.line.say(welcome({ may_publish: [] }))
    await turn()
    expect(peers.made).toHaveLength(0)
  })

  it('switches the camera off and on without an offer', async () => {
    await join()
    await answer()
    const own = useOwn()
    await own.toggleCamera()
    await turn()
    expect(own.camera).toBeNull()
    expect(server.line.of('report').at(-1)?.camera).toBe('off')
    await own.toggleCamera()
    await turn()
    expect(server.line.of('publish_offer')).toHaveLength(1)
    expect(peers.last.transceivers[0]?.sender.track).not.toBeNull()
    expect(server.line.of('report').at(-1)?.camera).toBe('on')
  })

  it('mutes at once while the line is down, and is heard again only with the line', async () => {
    await join()
    await answer()
    const own = useOwn()
    const encodings = [{ rid: '', active: true, max_bitrate: 0, max_framerate: 0 }]
    server.line.say({ type: 'publish_wishes', source: 'microphone', open: true, codec: 'opus', encodings })
    expect(own.microphone?.enabled).toBe(true)
    server.line.drop()
    await own.toggleMicrophone()
    await turn()
    expect(own.microphone?.enabled).toBe(false)
    await own.toggleMicrophone()
    await turn()
    expect(own.microphone?.enabled).toBe(false)
    clock.advance(300)
    server.line.accept()
    server.line.say(welcome({ resumed: true }))
    await turn()
    expect(own.microphone?.enabled).toBe(true)
  })

  it('publishes what opens only after it has joined', async () => {
    const own = useOwn()
    let permit: () => void = () => undefined
    const permission = new Promise<void>((resolve) => { permit = resolve })
    own.devices = new Devices({ ...source, getUserMedia: (wanted) => permission.then(() => source.getUserMedia(wanted)) })
    const opened = own.openDevices({ camera: true, microphone: true })
    client.start()
    server.line.accept()
    server.line.say(welcome())
    await turn()
    expect(server.line.of('publish_offer')).toHaveLength(0)
    permit()
    await opened
    await turn()
    expect(server.line.of('publish_offer').map((one) => one.tracks.length)).toEqual([2])
  })

  it('keeps what was switched off for a reload', async () => {
    const kept = new Map<string, string>()
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => kept.set(key, text),
      removeItem: (key: string) => kept.delete(key),
    })
    await join()
    await useOwn().toggleMicrophone()
    expect(loadSwitches()).toEqual({ camera: true, microphone: false })
    await useOwn().toggleCamera()
    expect(loadSwitches()).toEqual({ camera: false, microphone: false })
    // Forgotten with the seat that another device took, and there again with the seat.
    forgetSwitches()
    server.line.say({ type: 'fenced', text: { zh: '', en: '' } })
    client.session.takeOver()
    server.line.accept()
    server.line.say(welcome())
    expect(loadSwitches()).toEqual({ camera: false, microphone: false })
  })

  it('makes its microphone quiet with the word of an echo, and loud again with the view', async () => {
    await join()
    await answer()
    const own = useOwn()
    const sender = peers.last.transceivers[1]?.sender
    const participant = 'room-1'
    server.line.say({
      type: 'event', seq: 11, at: 1, event: { type: 'echo_found', participant, trouble: 'echo', since: 0, lag_ms: 280, gain_db: -9 },
    })
    // Not a turn later: the room is waiting for it.
    expect(quietened.map(({ of, gain }) => [of, gain])).toEqual([[own.microphone, 0.25]])
    await turn()
    expect(sender?.track).toBe(quietened[0]?.track)
    expect(server.line.of('publish_offer')).toHaveLength(1)
    server.line.say({ type: 'tool', view: { type: 'echo', rows: [] } })
    await turn()
    expect(sender?.track).toBe(own.microphone)
    expect(quietened[0]?.closed).toBe(true)
  })

  it('leaves its microphone as it is when the loudspeaker howls, or another class has the echo', async () => {
    await join()
    await answer()
    const row = { since: 0, state: 'ducked', until: null, suspect: null, suspect_name: '' } as const
    server.line.say({ type: 'tool', view: { type: 'echo', rows: [{ ...row, participant: 'room-1', trouble: 'howl' }, { ...row, participant: 'room-9', trouble: 'echo' }] } })
    await turn()
    expect(quietened).toEqual([])
    expect(peers.last.transceivers[1]?.sender.track).toBe(useOwn().microphone)
  })

  it('keeps both connections over a lost line when the server still has them', async () => {
    await join()
    await answer()
    server.line.say({ type: 'subscribe_offer', n: 1, sdp: 'o', slots: [], fresh: true })
    await turn()
    const made = peers.made.length
    server.line.drop()
    clock.advance(300)
    server.line.accept()
    server.line.say(welcome({ resumed: true }))
    await turn()
    expect(peers.made).toHaveLength(made)
    expect(server.line.of('publish_offer')).toHaveLength(0)
    expect(server.line.of('restart_downlink')).toHaveLength(0)
  })

  it('makes both anew when the server has lost them', async () => {
    await join()
    await answer()
    server.line.say({ type: 'media_lost', uplink: true, downlink: true })
    await turn()
    expect(server.line.of('publish_offer')).toHaveLength(2)
    expect(server.line.of('restart_downlink')).toEqual([{ type: 'restart_downlink', fresh: true }])
  })

  it('asks for a downlink that does not come by itself', async () => {
    await join()
    clock.advance(3_000)
    expect(server.line.of('restart_downlink')).toHaveLength(1)
  })

  it('asks on for a downlink that the server did not have time for', async () => {
    await join()
    await answer()
    server.line.say({ type: 'subscribe_offer', n: 1, sdp: 'o', slots: [], fresh: true })
    await turn()
    clock.advance(3_500)
    server.line.say({ type: 'media_lost', uplink: false, downlink: true })
    const text = { zh: '', en: '' }
    server.line.say({ type: 'error', code: 'rate_limited', text, id: null, retry_after_s: 1, fatal: false })
    expect(server.line.of('restart_downlink')).toHaveLength(1)
    clock.advance(3_000)
    expect(server.line.of('restart_downlink')).toHaveLength(2)
    server.line.say({ type: 'subscribe_offer', n: 2, sdp: 'o', slots: [], fresh: true })
    await turn()
    clock.advance(4_000)
    expect(server.line.of('restart_downlink')).toHaveLength(2)
  })

  it('tells the server how it wants to watch', async () => {
    await join()
    usePreferences().remembered.audioOnly = true
    await turn()
    expect(server.line.of('view').at(-1)).toEqual({ type: 'view', audio_only: true, data_saver: false })
  })

  it('tells a person what a command could not do', async () => {
    await join()
    const done = client.command({ type: 'call_on', participant: 'x' })
    const text = { zh: '不在', en: 'away' }
    server.line.say({ type: 'error', code: 'participant_away', text, id: 1, retry_after_s: 0, fatal: false })
    expect(await done).toBe(false)
    expect(useLine().notice?.text).toEqual(text)
  })

  it('puts the lamp beside the lens out when another device takes the seat', async () => {
    await join()
    server.line.say({ type: 'fenced', text: { zh: '', en: '' } })
    expect(useOwn().camera).toBeNull()
    expect(peers.last.closed).toBe(true)
  })

  it('follows the tools, and draws before the server has heard of it', async () => {
    await join()
    const slides = { type: 'slides' as const, documents: [{ document: 'd', title: '', pages: 2, sha256: '' }], document: 'd', page: 1 }
    server.line.say({ type: 'tool', view: slides })
    server.line.say({ type: 'ink_page', document: 'd', page: 1, strokes: [] })
    expect(useTools().shownDocument?.pages).toBe(2)
    client.pen.down('d', 1, 0.5, 0.5)
    client.pen.up()
    expect(useInk().strokes.size).toBe(1)
    expect(server.line.of('ink').map((one) => one.points)).toEqual([[5_000, 5_000]])
    server.line.say({ type: 'ink_drawn', document: 'd', page: 1, stroke: { stroke: 'x', points: [1, 1], color: 'blue', width: 20 } })
    expect(useInk().strokes.size).toBe(2)
  })

  it('keeps no camera open as a further device of a room', async () => {
    const own = useOwn()
    own.devices = new Devices(source)
    await own.openDevices({ camera: true, microphone: true })
    client.start()
    server.line.accept()
    server.line.say(welcome({ participant: 'room-1.c1', companion: true, may_publish: [], may_command: [] }))
    await turn()
    expect([own.camera, own.microphone]).toEqual([null, null])
  })
})
