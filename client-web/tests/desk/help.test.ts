import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { HelpMedia, MAY_PUBLISH, useHelp } from '@/desk/help'
import type { HelpMessage } from '@/desk/names'
import { useOwn } from '@/lesson/own'
import { usePictures } from '@/lesson/pictures'
import type { ClientMessage } from '@/protocol/desk-messages'
import { Devices, type MediaSource } from '@/rtc/devices'
import { present } from '@/ui/desk/board/people'
import { fakeTrack, Peers } from '../support/peer'
import { FakeClock } from '../support/time'

const slot = { mid: '0', kind: 'audio' as const, use: 'stage' as const, index: 0, participant: 'tutor', source: 'microphone' as const }
const offer = (n: number, fresh = true): HelpMessage => ({ type: 'subscribe_offer', n, sdp: 'offer', slots: [slot], fresh })
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

function devices(microphone: MediaStreamTrack | 'refused'): Devices {
  const getUserMedia = () => microphone === 'refused'
    ? Promise.reject(new DOMException('no', 'NotAllowedError'))
    : Promise.resolve({ getTracks: () => [microphone] } as unknown as MediaStream)
  return new Devices({ getUserMedia } as unknown as MediaSource)
}

describe('media of live help', () => {
  let clock: FakeClock
  let peers: Peers
  let sent: ClientMessage[]
  let media: HelpMedia
  const of = <T extends ClientMessage['type']>(type: T) => sent.filter((one): one is Extract<ClientMessage, { type: T }> => one.type === type)
  beforeEach(() => {
    setActivePinia(createPinia())
    clock = new FakeClock()
    peers = new Peers()
    sent = []
    media = new HelpMedia({
      clock,
      send: (message) => sent.push(message) > 0,
      createPeerConnection: peers.create,
      sendVideoCodecs: () => [],
    })
  })

  it('asks for the offer that was made before it listened, less and less often', () => {
    media.start(MAY_PUBLISH.pupil ?? [])
    clock.advance(500)
    expect(of('restart_downlink')).toHaveLength(0)
    clock.advance(200)
    expect(of('restart_downlink')).toEqual([{ type: 'restart_downlink', fresh: true }])
    clock.advance(60_000)
    expect(of('restart_downlink').length).toBeLessThan(8)
    media.close()
    const asked = sent.length
    clock.advance(60_000)
    expect(sent).toHaveLength(asked)
  })

  it('answers an offer and shows who is heard', async () => {
    media.start(MAY_PUBLISH.pupil ?? [])
    media.handle(offer(4))
    await settled()
    clock.advance(5_000)
    expect(of('restart_downlink')).toHaveLength(0)
    expect(of('subscribe_answer').map((one) => one.n)).toEqual([4])
    expect(useHelp().seats).toEqual(['tutor'])
    media.handle({ type: 'speakers', participants: ['tutor'] })
    expect(useHelp().speakers).toEqual(['tutor'])
  })

  it('sends the microphone once it is given, and no camera', async () => {
    const own = useOwn()
    own.devices = devices(fakeTrack('audio'))
    media.start(MAY_PUBLISH.pupil ?? [])
    expect(await media.speak()).toBeNull()
    await settled()
    expect(useHelp().voice).toBe('on')
    expect(of('publish_offer').map((one) => one.tracks.map((track) => track.source))).toEqual([['microphone']])
    expect(own.camera).toBeNull()
  })

  it('listens only when the microphone is refused', async () => {
    const own = useOwn()
    own.devices = devices('refused')
    media.start(MAY_PUBLISH.pupil ?? [])
    expect(await media.speak()).toBe('refused')
    await settled()
    expect(useHelp().voice).toBe('listening')
    expect(of('publish_offer')).toEqual([])
  })

  it('sends nothing that a role may not', async () => {
    const own = useOwn()
    media.start(MAY_PUBLISH.moderator ?? [])
    own.camera = fakeTrack('video')
    own.screen = fakeTrack('video')
    await settled()
    expect(of('publish_offer')).toEqual([])
  })

  it('begins anew when the server has lost its media', async () => {
    media.start(MAY_PUBLISH.tutor ?? [])
    media.handle(offer(1))
    await settled()
    media.handle({ type: 'media_lost', uplink: true, downlink: true })
    expect(peers.last.closed).toBe(true)
    media.handle(offer(2))
    await settled()
    expect(peers.made).toHaveLength(2)
    expect(of('subscribe_answer').map((one) => one.n)).toEqual([1, 2])
  })

  it('leaves no device open and nobody shown', async () => {
    const own = useOwn()
    own.devices = devices(Object.assign(fakeTrack('audio'), { stop: () => undefined }))
    media.start(MAY_PUBLISH.pupil ?? [])
    media.handle(offer(1))
    await media.speak()
    await settled()
    media.close()
    expect(own.microphone).toBeNull()
    expect(usePictures().slots).toEqual([])
    expect(useHelp().voice).toBe('unasked')
  })
})

describe('who is here', () => {
  const words = { me: 'me', moderator: 'duty', pupil: 'pupil', classmate: 'mate' }
  const common = { session: 1, subject: 'maths', started_at: 0, ends_at: 0, warned: false, moderator_here: false, recorded: true }
  const own = { ...common, kind: 'one_to_one' as const, tutor_name: '示例老师', members: 1, help_is_coming: false }
  const tutors = (...names: string[]) => ({
    ...common, kind: 'one_to_many' as const, grade: 7, points: [], question: null, content: '', may_extend: false,
    members: names.map((given_name) => ({ given_name, class_name: '' })),
  })

  it('names a pupil her tutor and nobody else', () => {
    expect(present(own, 'pupil', ['tutor', 'moderator', 'pupil-2'], words).map((one) => one.name)).toEqual(['示例老师', 'me', 'duty', 'mate'])
  })

  it('names a pupil to the tutor only where there is no doubt who it is', () => {
    expect(present(tutors('小明'), 'tutor', ['pupil-1'], words).map((one) => one.name)).toEqual(['me', '小明'])
    expect(present(tutors('小明', '小红'), 'tutor', ['pupil-2'], words).map((one) => one.name)).toEqual(['me', 'pupil'])
  })
})
