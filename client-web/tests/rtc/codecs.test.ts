import { describe, expect, it } from 'vitest'
import { publishPreference, videoCodecNames } from '@/rtc/codecs'

const video = (name: string, sdpFmtpLine?: string) => ({
  mimeType: `video/${name}`,
  clockRate: 90_000,
  ...(sdpFmtpLine === undefined ? {} : { sdpFmtpLine }),
})
const h264 = (profile: string, mode: number) =>
  video('H264', `level-asymmetry-allowed=1;packetization-mode=${mode};profile-level-id=${profile}`)
const chromium = [
  video('VP8'), video('rtx'), h264('42001f', 1), h264('42e01f', 0), h264('42e01f', 1),
  video('AV1'), video('VP9', 'profile-id=0'), video('red'), video('ulpfec'),
]

describe('codecs', () => {
  it('publishes H264 42e01f first, then VP8, with retransmission', () => {
    expect(publishPreference(chromium)).toEqual([h264('42e01f', 1), video('VP8'), video('rtx')])
  })

  it('publishes VP8 where H264 is missing', () => {
    expect(publishPreference([video('VP8'), video('rtx')])).toEqual([video('VP8'), video('rtx')])
  })

  it('leaves the order to a browser that has neither', () => {
    expect(publishPreference([video('AV1')])).toEqual([])
  })

  it('tells the server exact names, each once', () => {
    expect(videoCodecNames(chromium)).toEqual(['H264', 'VP8', 'VP9', 'AV1'])
    expect(videoCodecNames([video('vp8'), video('H265')])).toEqual(['VP8'])
  })
})
