/** A microphone made quieter, by Web Audio: browsers have no constraint for it. */
import type { Quietened } from '@/lesson/client'

/**
 * Returns the same sound times `gain`. A browser that does not let a page make sound before a
 * gesture sends silence until then, which against an echo is right as well.
 */
export function quieten(track: MediaStreamTrack, gain: number): Quietened | null {
  if (typeof AudioContext !== 'function') return null
  const context = new AudioContext({ latencyHint: 'interactive' })
  const volume = context.createGain()
  volume.gain.value = gain
  const end = context.createMediaStreamDestination()
  // A copy, as the track itself is closed while another one is sent in its place.
  const heard = track.clone()
  heard.enabled = true
  context.createMediaStreamSource(new MediaStream([heard])).connect(volume).connect(end)
  const made = end.stream.getAudioTracks()[0]
  void context.resume().catch(() => undefined)
  const close = (): void => {
    made?.stop()
    heard.stop()
    void context.close().catch(() => undefined)
  }
  return made === undefined ? null : { track: made, close }
}
