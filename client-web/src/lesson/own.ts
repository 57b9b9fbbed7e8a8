/** What this device captures: camera, microphone and screen, and the person's own switches. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { DeviceReport, SoundReport } from '@/protocol/names'
import { DeviceError, type DeviceProblem, type Devices } from '@/rtc/devices'
import { usePreferences } from './preferences'

export type CaptureKind = 'camera' | 'microphone'

export const useOwn = defineStore('own', () => {
  const preferences = usePreferences()
  const devices = shallowRef<Devices | null>(null)
  const camera = shallowRef<MediaStreamTrack | null>(null)
  const microphone = shallowRef<MediaStreamTrack | null>(null)
  const screen = shallowRef<MediaStreamTrack | null>(null)
  const screenAudio = shallowRef<MediaStreamTrack | null>(null)
  const cameraOn = ref(true)
  const microphoneOn = ref(true)
  const cameraProblem = ref<DeviceProblem | 'lost' | null>(null)
  const microphoneProblem = ref<DeviceProblem | 'lost' | null>(null)
  const sound = ref<SoundReport>('off')
  /** What went away while it was in use, and is not back. */
  const interrupted = ref<Record<CaptureKind, boolean>>({ camera: false, microphone: false })
  /** The person is choosing another device. */
  const choosing = ref(false)
  /** A recording of what was missed sounds instead of the lesson. */
  const catchingUp = ref(false)
  /** Whether the server lets a source through now. */
  const open = ref<Record<string, boolean>>({})

  function report(
    track: MediaStreamTrack | null,
    on: boolean,
    problem: DeviceProblem | 'lost' | null,
  ): DeviceReport {
    if (problem === 'refused' || problem === 'insecure') return 'refused'
    if (problem !== null) return 'lost'
    return track !== null && on ? 'on' : 'off'
  }

  const cameraReport = computed(() => report(camera.value, cameraOn.value, cameraProblem.value))
  const microphoneReport = computed(() =>
    report(microphone.value, microphoneOn.value, microphoneProblem.value),
  )

  const of = {
    camera: { track: camera, problem: cameraProblem, on: cameraOn },
    microphone: { track: microphone, problem: microphoneProblem, on: microphoneOn },
  }

  function take(kind: CaptureKind, result: MediaStreamTrack | DeviceProblem): void {
    const { track, problem } = of[kind]
    if (typeof result === 'string') {
      track.value = null
      problem.value = result
      return
    }
    track.value?.stop()
    track.value = result
    problem.value = null
    interrupted.value[kind] = false
    // Pulled out or taken away by the system: 'ended' comes only when we did not stop it.
    result.addEventListener('ended', () => {
      if (track.value !== result) return
      track.value = null
      problem.value = 'lost'
      interrupted.value[kind] = true
    })
  }

  /** Opens what is wanted and not open yet. */
  async function openDevices(want: { camera: boolean; microphone: boolean }): Promise<void> {
    const source = devices.value
    if (source === null) return
    const choice = preferences.remembered
    if (want.camera && want.microphone) {
      const both = await source.openBoth(choice)
      take('camera', both.camera)
      take('microphone', both.microphone)
    } else if (want.camera) await reopen('camera')
    else if (want.microphone) await reopen('microphone')
  }

  async function reopen(kind: CaptureKind): Promise<void> {
    const result = await attempt(kind)
    if (result !== null) take(kind, result)
  }

  async function attempt(kind: CaptureKind): Promise<MediaStreamTrack | DeviceProblem | null> {
    const source = devices.value
    if (source === null) return null
    const id = preferences.remembered[kind]
    try {
      return await (kind === 'camera' ? source.openCamera(id) : source.openMicrophone(id))
    } catch (error) {
      return error instanceof DeviceError ? error.problem : 'failed'
    }
  }

  /**
   * Opens again what was pulled out and may be back. Pulling a device out is itself a change of
   * devices: a failure says nothing new then, and must not end the waiting.
   */
  async function recover(): Promise<void> {
    for (const kind of ['camera', 'microphone'] as const) {
      if (!interrupted.value[kind]) continue
      const result = await attempt(kind)
      if (typeof result === 'object' && result !== null) take(kind, result)
    }
  }

  async function toggleCamera(): Promise<void> {
    if (cameraOn.value && camera.value !== null) {
      cameraOn.value = false
      // Stopped, not only muted: the lamp beside the lens must go out.
      const track = camera.value
      camera.value = null
      track.stop()
      return
    }
    cameraOn.value = true
    await reopen('camera')
  }

  async function toggleMicrophone(): Promise<void> {
    if (microphone.value === null) {
      microphoneOn.value = true
      await reopen('microphone')
    } else microphoneOn.value = !microphoneOn.value
  }

  /** Asks for a screen; false when the person changed their mind. Throws DeviceError. */
  async function shareScreen(): Promise<boolean> {
    if (devices.value === null) return false
    try {
      const stream = await devices.value.openScreen()
      const video = stream.getVideoTracks()[0] ?? null
      screen.value = video
      screenAudio.value = stream.getAudioTracks()[0] ?? null
      video?.addEventListener('ended', () => {
        if (screen.value === video) stopScreen()
      })
      return video !== null
    } catch (error) {
      if (error instanceof DeviceError && error.problem === 'cancelled') return false
      throw error
    }
  }

  function stopScreen(): void {
    screen.value?.stop()
    screenAudio.value?.stop()
    screen.value = null
    screenAudio.value = null
  }

  function close(): void {
    for (const track of [camera, microphone]) {
      const ending = track.value
      track.value = null
      ending?.stop()
    }
    stopScreen()
  }

  return {
    devices, camera, microphone, screen, screenAudio, cameraOn, microphoneOn, cameraProblem,
    microphoneProblem, sound, interrupted, choosing, open, catchingUp, cameraReport, microphoneReport, openDevices, reopen, recover,
    toggleCamera, toggleMicrophone, shareScreen, stopScreen, close,
  }
})
