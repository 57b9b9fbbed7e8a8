/** The level of a microphone and a test tone; both for the device check only. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** Level of `track`, 0..1, with a slow fall so that eyes can follow. */
export function useLevel(track: Ref<MediaStreamTrack | null>): Ref<number> {
  const level = ref(0)
  let stop: (() => void) | null = null

  function start(source: MediaStreamTrack): () => void {
    const context = new AudioContext()
    const analyser = context.createAnalyser()
    analyser.fftSize = 1024
    context.createMediaStreamSource(new MediaStream([source])).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      let sum = 0
      for (const sample of samples) sum += sample * sample
      const decibel = 10 * Math.log10(sum / samples.length + 1e-12)
      // -60 dB is a quiet room, -12 dB a loud voice.
      const now = Math.min(1, Math.max(0, (decibel + 60) / 48))
      level.value = Math.max(now, level.value - 0.06)
    }, 60)
    return () => {
      clearInterval(timer)
      void context.close()
    }
  }

  watch(
    track,
    (next) => {
      stop?.()
      level.value = 0
      stop = next === null ? null : start(next)
    },
    { immediate: true },
  )
  onScopeDispose(() => stop?.())
  return level
}

/** Plays two soft notes on `speaker` ('' = the system's). */
export async function playTone(speaker: string): Promise<void> {
  const context = new AudioContext()
  try {
    if (speaker !== '' && 'setSinkId' in context) {
      await (context as AudioContext & { setSinkId(id: string): Promise<void> })
        .setSinkId(speaker)
        .catch(() => undefined)
    }
    await context.resume()
    const gain = context.createGain()
    gain.connect(context.destination)
    gain.gain.value = 0
    const at = context.currentTime
    for (const [index, frequency] of [523.25, 659.25].entries()) {
      const note = context.createOscillator()
      note.frequency.value = frequency
      note.connect(gain)
      note.start(at + index * 0.45)
      note.stop(at + index * 0.45 + 0.4)
      gain.gain.setTargetAtTime(0.2, at + index * 0.45, 0.02)
      gain.gain.setTargetAtTime(0, at + index * 0.45 + 0.3, 0.04)
    }
    await new Promise((resolve) => setTimeout(resolve, 1_100))
  } finally {
    await context.close()
  }
}
