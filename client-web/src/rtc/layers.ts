import type { EncodingWish } from '@/protocol/messages'
import type { Source } from '@/protocol/names'

/**
 * Encodings of a camera, lowest first.
 *
 * Chromium sends no third layer below 960x540 however it is asked (webrtc-notes §3), so a small
 * camera offers two.
 */
export function cameraEncodings(width: number, height: number): RTCRtpEncodingParameters[] {
  if (width >= 960 && height >= 540) {
    return [
      { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
      { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
      { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 2_500_000 },
    ]
  }
  return [
    { rid: 'q', scaleResolutionDownBy: 2, maxBitrate: 150_000 },
    { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 600_000 },
  ]
}

/** Sharp text matters more than motion on slides; a camera is the other way round. */
export function contentHint(source: Source): string {
  switch (source) {
    case 'screen':
    case 'document':
      return 'detail'
    case 'camera':
      return 'motion'
    case 'microphone':
      return 'speech'
    case 'screen_audio':
      return 'music'
  }
}

/** `encodings` as the server wishes them; what it does not name stays as it is. */
export function applyWish(
  encodings: readonly RTCRtpEncodingParameters[],
  wish: { open: boolean; encodings: readonly EncodingWish[] },
  enabled: boolean,
): RTCRtpEncodingParameters[] {
  return encodings.map((encoding) => {
    const wanted = wish.encodings.find((one) => one.rid === (encoding.rid ?? ''))
    const next: RTCRtpEncodingParameters & { codec?: RTCRtpCodec } = {
      ...encoding,
      active: enabled && wish.open && (wanted?.active ?? true),
    }
    // The codec is chosen anew each time; without one the first negotiated is sent.
    delete next.codec
    if (wanted !== undefined) {
      // Zero = no limit of the server's; the limit of before must not stay behind.
      if (wanted.max_bitrate > 0) next.maxBitrate = wanted.max_bitrate
      else delete next.maxBitrate
      if (wanted.max_framerate > 0) next.maxFramerate = wanted.max_framerate
      else delete next.maxFramerate
    }
    return next
  })
}
