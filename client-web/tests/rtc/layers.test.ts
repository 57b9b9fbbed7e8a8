import { describe, expect, it } from 'vitest'
import { applyWish, cameraEncodings } from '@/rtc/layers'

describe('layers', () => {
  it('are three from 960x540 and two below', () => {
    expect(cameraEncodings(1280, 720).map((one) => one.rid)).toEqual(['q', 'h', 'f'])
    expect(cameraEncodings(960, 540).map((one) => one.scaleResolutionDownBy)).toEqual([4, 2, 1])
    expect(cameraEncodings(640, 360).map((one) => one.rid)).toEqual(['q', 'h'])
  })

  const wish = (rid: string, active: boolean, max_bitrate = 0, max_framerate = 0) => ({
    rid, active, max_bitrate, max_framerate,
  })

  it('obey the server encoding by encoding', () => {
    const obeyed = applyWish(
      cameraEncodings(1280, 720),
      { open: true, encodings: [wish('q', true, 60_000, 5), wish('h', false), wish('f', false)] },
      true,
    )
    expect(obeyed.map((one) => one.active)).toEqual([true, false, false])
    expect(obeyed[0]).toMatchObject({ rid: 'q', maxBitrate: 60_000, maxFramerate: 5 })
    expect(obeyed[1]).not.toHaveProperty('maxBitrate')
  })

  it('send nothing while closed, whatever the encodings say', () => {
    const obeyed = applyWish([{}], { open: false, encodings: [wish('', true)] }, true)
    expect(obeyed).toEqual([{ active: false }])
  })

  it('send nothing that the person has switched off', () => {
    const obeyed = applyWish([{ rid: 'q' }], { open: true, encodings: [wish('q', true)] }, false)
    expect(obeyed[0]?.active).toBe(false)
  })
})
