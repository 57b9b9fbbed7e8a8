import { describe, expect, it } from 'vitest'
import { DeviceError, Devices, problemOf, speakerToUse, type MediaSource } from '@/rtc/devices'

const named = (name: string): Error => Object.assign(new Error(name), { name })

function source(fails: (constraints: MediaStreamConstraints) => string | null): MediaSource {
  return {
    getUserMedia: (constraints = {}) => {
      const name = fails(constraints)
      if (name !== null) return Promise.reject(named(name))
      const tracks = [
        ...(constraints.video ? [{ kind: 'video' }] : []),
        ...(constraints.audio ? [{ kind: 'audio' }] : []),
      ]
      return Promise.resolve({
        getTracks: () => tracks,
        getVideoTracks: () => tracks.filter((one) => one.kind === 'video'),
        getAudioTracks: () => tracks.filter((one) => one.kind === 'audio'),
      } as unknown as MediaStream)
    },
    getDisplayMedia: () => Promise.reject(named('NotAllowedError')),
    enumerateDevices: () => Promise.resolve([]),
  }
}

describe('devices', () => {
  it('say in one word why they do not open', () => {
    expect(problemOf(named('NotAllowedError'))).toBe('refused')
    expect(problemOf(named('NotFoundError'))).toBe('missing')
    expect(problemOf(named('NotReadableError'))).toBe('busy')
    expect(problemOf(named('TypeError'))).toBe('failed')
    expect(problemOf('what')).toBe('failed')
  })

  it('explain an insecure page', async () => {
    const devices = new Devices(undefined)
    expect(devices.available).toBe(false)
    expect(await devices.openBoth({ camera: '', microphone: '' })).toEqual({
      camera: 'insecure', microphone: 'insecure',
    })
    await expect(devices.openScreen()).rejects.toMatchObject({ problem: 'insecure' })
  })

  it('open together with one question', async () => {
    const both = await new Devices(source(() => null)).openBoth({ camera: '', microphone: '' })
    expect(both).toMatchObject({ camera: { kind: 'video' }, microphone: { kind: 'audio' } })
  })

  it('are to be opened alone when one of them fails', async () => {
    const devices = new Devices(source((constraints) => (constraints.video ? 'NotFoundError' : null)))
    expect(await devices.openBoth({ camera: 'x', microphone: 'y' })).toBeNull()
    await expect(devices.openCamera('x')).rejects.toMatchObject({ problem: 'missing' })
    expect(await devices.openMicrophone('y')).toMatchObject({ kind: 'audio' })
  })

  const asksFor = (constraints: MediaStreamConstraints, id: string): boolean =>
    JSON.stringify(constraints).includes(`"deviceId":{"exact":"${id}"}`)

  it('open the one that was chosen, not only rather that one', async () => {
    const asked: MediaStreamConstraints[] = []
    const devices = new Devices(source((constraints) => (asked.push(constraints), null)))
    await devices.openCamera('second')
    expect(asked).toHaveLength(1)
    expect(asksFor(asked[0] ?? {}, 'second')).toBe(true)
  })

  it('open another one in place of a remembered one that is gone', async () => {
    const gone = source((constraints) => (asksFor(constraints, 'gone') ? 'OverconstrainedError' : null))
    expect(await new Devices(gone).openCamera('gone')).toMatchObject({ kind: 'video' })
    expect(await new Devices(gone).openMicrophone('gone')).toMatchObject({ kind: 'audio' })
  })

  it('take a closed chooser as a change of mind', async () => {
    const error: unknown = await new Devices(source(() => null)).openScreen().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DeviceError)
    expect(error).toMatchObject({ problem: 'cancelled' })
  })
})

describe('the speaker', () => {
  const found = (...ids: string[]): MediaDeviceInfo[] =>
    ids.map((deviceId) => ({ kind: 'audiooutput', deviceId, groupId: '', label: '', toJSON: () => null }))

  it('is the chosen one, and the system\'s own while that one is not there', () => {
    expect(speakerToUse('desk', found('default', 'desk'))).toBe('desk')
    expect(speakerToUse('desk', found('default', 'wall'))).toBe('')
    expect(speakerToUse('', found('default', 'wall'))).toBe('')
  })

  it('is tried where the browser names none', () => {
    expect(speakerToUse('desk', found(''))).toBe('desk')
    expect(speakerToUse('desk', [])).toBe('desk')
  })
})
