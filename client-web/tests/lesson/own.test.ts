import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useOwn } from '@/lesson/own'
import { usePreferences } from '@/lesson/preferences'
import { saveSwitches } from '@/lesson/switches'
import { Devices, type MediaSource } from '@/rtc/devices'
import { fakeTrack } from '../support/peer'
import { settle } from '../support/time'

/** A question of getUserMedia that the test answers when it wants to. */
interface Question {
  wanted: string
  /** The id of a device that was asked for exactly. */
  id: string
  answer(): void
  fail(name: string): void
}

/** Groups of microphones that are plugged in; the first is what opens where none is named. */
let plugged: string[]
let questions: Question[]
let tracks: MediaStreamTrack[]
let own: ReturnType<typeof useOwn>

function opened(kind: 'audio' | 'video', id: string): MediaStreamTrack {
  const state: { readyState: MediaStreamTrackState } = { readyState: 'live' }
  const groupId = id === '' ? plugged[0] : id
  const settings = kind === 'audio' && groupId !== undefined ? { getSettings: () => ({ groupId }) } : {}
  const made = Object.assign(fakeTrack(kind), state, settings)
  const track = Object.assign(made, { stop: () => { made.readyState = 'ended' } })
  tracks.push(track)
  return track
}
function streamOf(kinds: readonly ('audio' | 'video')[], id: string): MediaStream {
  const made = kinds.map((kind) => opened(kind, id))
  const of = (kind: string) => () => made.filter((one) => one.kind === kind)
  return { getTracks: () => made, getVideoTracks: of('video'), getAudioTracks: of('audio') } as unknown as MediaStream
}
function ask(kinds: readonly ('audio' | 'video')[], id: string): Promise<MediaStream> {
  return new Promise((resolve, reject) => {
    questions.push({
      wanted: kinds.join('+'),
      id,
      answer: () => resolve(streamOf(kinds, id)),
      fail: (name) => reject(Object.assign(new Error(name), { name })),
    })
  })
}
const source: MediaSource = {
  getUserMedia: (wanted = {}) => {
    const id = /"exact":"([^"]*)"/.exec(JSON.stringify(wanted))?.[1] ?? ''
    return ask([...(wanted.video ? (['video'] as const) : []), ...(wanted.audio ? (['audio'] as const) : [])], id)
  },
  getDisplayMedia: () => ask(['video', 'audio'], 'screen'),
  enumerateDevices: () => Promise.resolve(
    ['default', ...plugged].map((id) =>
      ({ kind: 'audioinput', deviceId: id, groupId: id === 'default' ? plugged[0] : id }) as MediaDeviceInfo),
  ),
}

/** The question that waits for its answer. */
function question(): Question {
  const last = questions.at(-1)
  if (last === undefined) throw new Error('nothing was asked for')
  return last
}
async function answer(): Promise<void> {
  question().answer()
  await settle()
}
const live = (): MediaStreamTrack[] => tracks.filter((one) => one.readyState === 'live')
const both = { camera: true, microphone: true }

async function openBoth(): Promise<void> {
  void own.openDevices(both)
  await answer()
}
/** As when it is pulled out: the browser ends the track. */
function pullOut(track: MediaStreamTrack | null): void {
  track?.stop()
  track?.dispatchEvent(new Event('ended'))
}
function begin(): void {
  setActivePinia(createPinia())
  own = useOwn()
  own.devices = new Devices(source)
}

beforeEach(() => {
  questions = []
  tracks = []
  plugged = []
  begin()
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('devices of a page that has ended', () => {
  it('are stopped when they open late', async () => {
    void own.openDevices(both)
    own.close()
    await answer()
    void own.toggleMicrophone()
    own.close()
    await answer()
    expect(tracks).toHaveLength(3)
    expect(live()).toEqual([])
    expect([own.camera, own.microphone]).toEqual([null, null])
  })

  it('do not come back by themselves', async () => {
    await openBoth()
    pullOut(own.camera)
    expect(own.interrupted.camera).toBe(true)
    void own.recover()
    own.close()
    await answer()
    expect(live()).toEqual([])
    const asked = questions.length
    await own.recover()
    expect(questions).toHaveLength(asked)
    expect(own.interrupted).toEqual({ camera: false, microphone: false })
  })

  it('are not asked for once more when their question was refused', async () => {
    void own.openDevices(both)
    own.close()
    question().fail('NotAllowedError')
    await settle()
    expect(questions).toHaveLength(1)
  })

  it('are stopped although the other one still waits', async () => {
    void own.openDevices(both)
    question().fail('NotAllowedError')
    await settle()
    await answer()
    expect(own.camera).not.toBeNull()
    expect(question().wanted).toBe('audio')
    own.close()
    expect(live()).toEqual([])
  })

  it('show no screen that was chosen late', async () => {
    const shared = own.shareScreen()
    own.close()
    await answer()
    expect(await shared).toBe(false)
    expect(live()).toEqual([])
    expect(own.screen).toBeNull()
  })

  it('open again for whoever comes back', async () => {
    await openBoth()
    own.close()
    await openBoth()
    expect(live()).toEqual([own.camera, own.microphone])
  })
})

describe('devices', () => {
  it('open alone where one of them takes the other with it', async () => {
    void own.openDevices(both)
    question().fail('NotFoundError')
    await settle()
    question().fail('NotFoundError')
    await settle()
    await answer()
    expect(own.cameraProblem).toBe('missing')
    expect(live()).toEqual([own.microphone])
  })

  it('come back once, however often the system tells that they changed', async () => {
    await openBoth()
    pullOut(own.camera)
    void own.recover()
    void own.recover()
    for (const one of questions.slice(1)) one.answer()
    await settle()
    expect(questions).toHaveLength(3)
    expect(live()).toEqual([own.microphone, own.camera])
  })
})

describe('the microphone of a class', () => {
  const group = (): string | undefined => own.microphone?.getSettings().groupId

  beforeEach(async () => {
    plugged = ['usb', 'laptop']
    await openBoth()
    expect(group()).toBe('usb')
    plugged = ['laptop']
    pullOut(own.microphone)
    void own.recover()
    await settle()
    await answer()
    expect(group()).toBe('laptop')
  })

  it('is taken up again when its plug is back, in place of the one that stood in', async () => {
    const asked = questions.length
    await own.recover()
    expect(questions).toHaveLength(asked)
    plugged = ['laptop', 'usb']
    void own.recover()
    await settle()
    expect(question().id).toBe('usb')
    await answer()
    expect(group()).toBe('usb')
    expect(live()).toHaveLength(2)
    await own.recover()
    expect(questions).toHaveLength(asked + 1)
  })

  it('is not, where somebody has chosen another one meanwhile', async () => {
    void own.choose('microphone', 'laptop')
    await answer()
    plugged = ['laptop', 'usb']
    const asked = questions.length
    await own.recover()
    expect(questions).toHaveLength(asked)
    expect(group()).toBe('laptop')
  })
})

describe('another device', () => {
  it('that does not open leaves the one that works, and its choice', async () => {
    usePreferences().remembered.camera = 'first'
    await openBoth()
    const { camera } = own
    const chosen = own.choose('camera', 'second')
    expect(question().id).toBe('second')
    question().fail('NotReadableError')
    expect(await chosen).toBe(false)
    expect(own.camera).toBe(camera)
    expect(live()).toContain(camera)
    expect(own.cameraProblem).toBeNull()
    expect(usePreferences().remembered.camera).toBe('first')
  })

  it('that opens puts the lamp of the former one out', async () => {
    await openBoth()
    const { microphone } = own
    const chosen = own.choose('microphone', 'second')
    await answer()
    expect(await chosen).toBe(true)
    expect(microphone?.readyState).toBe('ended')
    expect(usePreferences().remembered.microphone).toBe('second')
  })

  it('that does not open in place of one that died is a problem', async () => {
    await openBoth()
    own.camera?.stop()
    const chosen = own.choose('camera', 'second')
    question().fail('NotReadableError')
    expect(await chosen).toBe(true)
    expect(own.camera).toBeNull()
    expect(own.cameraProblem).toBe('busy')
  })

  it('is the one that was chosen last, also when the one before opens later', async () => {
    usePreferences().remembered.camera = 'first'
    await openBoth()
    void own.choose('camera', 'second')
    const second = question()
    const chosen = own.choose('camera', 'third')
    question().fail('NotReadableError')
    expect(await chosen).toBe(false)
    second.answer()
    await settle()
    expect(usePreferences().remembered.camera).toBe('first')
    expect(live()).toEqual([own.camera, own.microphone])
  })
})

describe('the switch of the camera', () => {
  it('counts while the camera is still being opened', async () => {
    await openBoth()
    await own.toggleCamera()
    void own.toggleCamera()
    await own.toggleCamera()
    await answer()
    expect(own.cameraOn).toBe(false)
    expect(own.camera).toBeNull()
    expect(live()).toEqual([own.microphone])
    expect(questions).toHaveLength(2)
  })

  it('leaves one camera open when it is pressed fast', async () => {
    await openBoth()
    await own.toggleCamera()
    void own.toggleCamera()
    void own.toggleCamera()
    void own.toggleCamera()
    for (const one of questions.slice(1)) one.answer()
    await settle()
    expect(own.cameraOn).toBe(true)
    expect(live()).toEqual([own.microphone, own.camera])
  })

  it('tries a camera again that did not open', async () => {
    void own.openDevices({ camera: true, microphone: false })
    question().fail('NotReadableError')
    await settle()
    expect(own.cameraProblem).toBe('busy')
    void own.toggleCamera()
    await answer()
    expect(own.cameraReport).toBe('on')
  })
})

describe('after a reload', () => {
  const kept = new Map<string, string>()
  beforeEach(() => {
    kept.clear()
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => kept.set(key, text),
      removeItem: (key: string) => kept.delete(key),
    })
  })

  it('what was off is off, and no camera opens by itself', async () => {
    saveSwitches({ camera: false, microphone: false })
    begin()
    void own.openDevices(both)
    expect(question().wanted).toBe('audio')
    await answer()
    expect([own.cameraReport, own.microphoneReport]).toEqual(['off', 'off'])
    expect(await own.choose('camera', 'second')).toBe(true)
    own.interrupted.camera = true
    await own.recover()
    expect(questions).toHaveLength(1)
    void own.toggleCamera()
    expect(question()).toMatchObject({ wanted: 'video', id: 'second' })
    await answer()
    expect(own.cameraReport).toBe('on')
  })

  it('both are on where nothing is kept, or nothing can be', () => {
    begin()
    expect([own.cameraOn, own.microphoneOn]).toEqual([true, true])
    kept.set('twinclass.switches', 'null')
    begin()
    expect([own.cameraOn, own.microphoneOn]).toEqual([true, true])
    vi.stubGlobal('sessionStorage', { getItem: () => { throw new Error('refused') }, setItem: () => { throw new Error('refused') } })
    saveSwitches({ camera: false, microphone: false })
    begin()
    expect([own.cameraOn, own.microphoneOn]).toEqual([true, true])
  })

  it('they are forgotten together with the seat', async () => {
    vi.stubGlobal('navigator', { userAgent: 'test' })
    const { browser } = await import('@/ui/browser')
    saveSwitches({ camera: false, microphone: true })
    browser.resume.save({ session: 's', secret: 'x', lastSeq: 0, nextCommand: 1 })
    begin()
    expect(own.cameraOn).toBe(false)
    browser.resume.save(null)
    begin()
    expect(own.cameraOn).toBe(true)
  })
})
