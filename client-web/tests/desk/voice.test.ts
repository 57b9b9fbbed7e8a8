import { beforeEach, describe, expect, it } from 'vitest'
import { MAX_SECONDS, Voice, type Recorder, type VoiceState } from '@/desk/voice'
import { FakeClock, settle } from '../support/time'

class Microphone implements Recorder {
  open = true
  constructor(private readonly sound = new Blob(['spoken'], { type: 'audio/webm' })) {}
  stop(): Promise<Blob> { this.open = false; return Promise.resolve(this.sound) }
  cancel(): void { this.open = false }
}

let clock: FakeClock
let states: VoiceState['state'][]
let microphone: Microphone
const make = (open: () => Promise<Recorder>): Voice => new Voice({ open }, clock, (to) => { states.push(to.state) })

beforeEach(() => {
  clock = new FakeClock()
  states = []
  microphone = new Microphone()
})

describe('a spoken question', () => {
  it('is recorded, and the microphone closes with the last word', async () => {
    const voice = make(() => Promise.resolve(microphone))
    await voice.start()
    clock.advance(4_000)
    expect(voice.current).toEqual({ state: 'recording', seconds: 4 })
    await voice.stop()
    expect(voice.current).toMatchObject({ state: 'done', recording: { seconds: 4 } })
    expect(microphone.open).toBe(false)
    expect(clock.waiting).toBe(0)
  })

  it('ends by itself after a minute', async () => {
    const voice = make(() => Promise.resolve(microphone))
    await voice.start()
    clock.advance(MAX_SECONDS * 1000 + 1)
    await settle()
    expect(voice.current).toMatchObject({ state: 'done', recording: { seconds: MAX_SECONDS } })
  })

  it('is thrown away, also while the browser still asks', async () => {
    let answer: (one: Recorder) => void = () => undefined
    const voice = make(() => new Promise((resolve) => { answer = resolve }))
    const started = voice.start()
    voice.discard()
    answer(microphone)
    await started
    expect(microphone.open).toBe(false)
    expect(voice.current).toEqual({ state: 'idle', problem: null })
  })

  it('says why there is none', async () => {
    const refusal = new DOMException('no', 'NotAllowedError')
    const voice = make(() => Promise.reject(refusal))
    await voice.start()
    expect(voice.current).toEqual({ state: 'idle', problem: 'refused' })
    const short = make(() => Promise.resolve(microphone))
    await short.start()
    clock.advance(200)
    await short.stop()
    expect(short.current).toEqual({ state: 'idle', problem: 'too_short' })
    const none = new Voice(null, clock, () => undefined)
    await none.start()
    expect(none.current).toEqual({ state: 'idle', problem: 'unsupported' })
  })
})
