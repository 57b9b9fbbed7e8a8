/** What this browser can decode and in which order it should send (design.md §3.1). */

/** The part of RTCRtpCodec that matters here. */
export interface CodecCapability {
  mimeType: string
  clockRate: number
  channels?: number
  sdpFmtpLine?: string
}

const DECODABLE = ['H264', 'VP8', 'VP9', 'AV1']

const shortName = (codec: CodecCapability): string => codec.mimeType.split('/')[1] ?? ''

/** Registered names of the video codecs among `capabilities`, each once. */
export function videoCodecNames(capabilities: readonly CodecCapability[]): string[] {
  const have = new Set(capabilities.map((codec) => shortName(codec).toUpperCase()))
  return DECODABLE.filter((name) => have.has(name))
}

/** Constrained baseline with packetization-mode=1: what every hardware decoder and HLS take. */
function isPreferredH264(codec: CodecCapability): boolean {
  const line = codec.sdpFmtpLine ?? ''
  return (
    shortName(codec).toUpperCase() === 'H264' &&
    line.includes('packetization-mode=1') &&
    /profile-level-id=42e01f/i.test(line)
  )
}

/**
 * H264 42e01f first, then VP8, then retransmission; the rest is left out, so that the server's
 * answer cannot fall back to a codec that viewers lack.
 *
 * Returns an empty list (the browser's own order) when neither is there.
 */
export function publishPreference<T extends CodecCapability>(capabilities: readonly T[]): T[] {
  const name = (codec: T): string => shortName(codec).toUpperCase()
  const h264 = capabilities.filter(isPreferredH264)
  const vp8 = capabilities.filter((codec) => name(codec) === 'VP8')
  if (h264.length + vp8.length === 0) return []
  return [...h264, ...vp8, ...capabilities.filter((codec) => name(codec) === 'RTX')]
}
