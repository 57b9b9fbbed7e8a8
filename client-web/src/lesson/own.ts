/** What this device captures: camera, microphone and screen, and the person's own switches. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { DeviceReport, SoundReport } from '@/protocol/names'
import { DeviceError, type DeviceProblem, type Devices } from '@/rtc/devices'
import { usePreferences } from './preferences'
import { loadSwitches } from './switches'

export type CaptureKind = 'camera' | 'microphone'

type Opened = MediaStreamTrack | DeviceProblem

const INPUTS = { camera: 'videoinput', microphone: 'audioinput' } as const
/** Chromium's names for whatever the system prefers at the moment. */
const ALIASES = new Set(['default', 'communications'])

export const useOwn = defineStore('own', () => {
  const preferences = usePreferences()
  const devices = shallowRef<Devices | null>(null)
  const camera = shallowRef<MediaStreamTrack | null>(null)
  const microphone = shallowRef<MediaStreamTrack | null>(null)
  const screen = shallowRef<MediaStreamTrack | null>(null)
  const screenAudio = shallowRef<MediaStreamTrack | null>(null)
  const kept = loadSwitches()
  const cameraOn = ref(kept.camera)
  const microphoneOn = ref(kept.microphone)
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

  /**
   * Raised by each attempt to open something and by whatever makes a pending one unwanted. The
   * browser answers as late as the person does: what comes for a former generation is stopped.
   */
  const generations = { camera: 0, microphone: 0, screen: 0 }

  function current(kind: CaptureKind | 'screen'): () => boolean {
    const mine = generations[kind]
    return () => mine === generations[kind]
  }

  function begin(kind: CaptureKind | 'screen'): () => boolean {
    generations[kind] += 1
    return current(kind)
  }

  /** The choice under which the open track was opened, while another one is tried. */
  const formers: Record<CaptureKind, string | null> = { camera: null, microphone: null }

  /**
   * What was pulled out while it was in use, by its group: Chromium's "default" is no device of its
   * own. Another one may be open meanwhile.
   */
  const missing: Record<CaptureKind, string> = { camera: '', microphone: '' }

  function take(kind: CaptureKind, result: Opened): void {
    const { track, problem } = of[kind]
    const former = track.value
    if (typeof result === 'string') {
      // A device that works is not given up for one that does not.
      if (former?.readyState === 'live') return
      track.value = null
      former?.stop()
      problem.value = result
      return
    }
    track.value = result
    former?.stop()
    formers[kind] = null
    problem.value = null
    interrupted.value[kind] = false
    const { groupId = '' } = result.getSettings()
    if (groupId === missing[kind]) missing[kind] = ''
    // Pulled out or taken away by the system: 'ended' comes only when we did not stop it.
    result.addEventListener('ended', () => {
      if (track.value !== result) return
      track.value = null
      problem.value = 'lost'
      interrupted.value[kind] = true
      if (missing[kind] === '') missing[kind] = groupId
    })
  }

  /** Takes what an attempt has brought; false where nobody waits for it any more. */
  function arrived(kind: CaptureKind, result: Opened | null, isWanted: () => boolean): boolean {
    if (result === null) return false
    if (isWanted()) take(kind, result)
    else if (typeof result !== 'string') result.stop()
    return isWanted()
  }

  /** Opens what is wanted; a camera that the person has switched off stays closed, whoever asks. */
  async function openDevices(want: { camera: boolean; microphone: boolean }): Promise<void> {
    const source = devices.value
    if (source === null) return
    const wantsCamera = want.camera && cameraOn.value
    if (wantsCamera && want.microphone) {
      const isWanted = { camera: begin('camera'), microphone: begin('microphone') }
      const both = await source.openBoth(preferences.remembered)
      for (const kind of ['camera', 'microphone'] as const) {
        if (both !== null) arrived(kind, both[kind], isWanted[kind])
        // Nobody is to be asked on a page that has ended meanwhile.
        else if (isWanted[kind]()) arrived(kind, await attempt(kind), isWanted[kind])
      }
    } else if (wantsCamera) await reopen('camera')
    else if (want.microphone) await reopen('microphone')
  }

  async function reopen(kind: CaptureKind): Promise<boolean> {
    const isWanted = begin(kind)
    return arrived(kind, await attempt(kind), isWanted)
  }

  async function attempt(
    kind: CaptureKind,
    id = preferences.remembered[kind],
  ): Promise<Opened | null> {
    const source = devices.value
    if (source === null) return null
    try {
      return await (kind === 'camera' ? source.openCamera(id) : source.openMicrophone(id))
    } catch (error) {
      return error instanceof DeviceError ? error.problem : 'failed'
    }
  }

  /**
   * Another device in place of the one in use. False when it did not open and the former one goes
   * on: then that one is the choice again.
   */
  async function choose(kind: CaptureKind, id: string): Promise<boolean> {
    const choice = preferences.remembered
    missing[kind] = ''
    // Opened when the person switches it on.
    if (kind === 'camera' && !cameraOn.value) {
      choice.camera = id
      return true
    }
    const { track } = of[kind]
    const former = track.value
    const formerId = (formers[kind] ??= choice[kind])
    choice[kind] = id
    if (!(await reopen(kind))) return true
    formers[kind] = null
    if (former === null || track.value !== former) return true
    choice[kind] = formerId
    return false
  }

  /** The id of what was pulled out, once it is there again. */
  async function plugged(kind: CaptureKind): Promise<string | undefined> {
    const found = await devices.value?.list()
    return found?.find(
      (one) =>
        one.kind === INPUTS[kind] && one.groupId === missing[kind] && !ALIASES.has(one.deviceId),
    )?.deviceId
  }

  /**
   * Opens again what was pulled out and may be back, also in place of another one that was opened
   * meanwhile: a class keeps its good microphone. Pulling a device out is itself a change of
   * devices: a failure says nothing new then, and must not end the waiting.
   */
  async function recover(): Promise<void> {
    for (const kind of ['camera', 'microphone'] as const) {
      if (kind === 'camera' && !cameraOn.value) continue
      const back = missing[kind] === '' ? undefined : await plugged(kind)
      if (!interrupted.value[kind] && back === undefined) continue
      const isCurrent = current(kind)
      const isWanted = (): boolean =>
        isCurrent() && (interrupted.value[kind] || (back !== undefined && missing[kind] !== ''))
      const result = await attempt(kind, back)
      if (typeof result === 'string') continue
      arrived(kind, result, isWanted)
    }
  }

  async function toggleCamera(): Promise<void> {
    // By the switch and not by the track: a camera that is still being opened is switched off as
    // well. One that did not open is tried again.
    if (cameraOn.value && cameraProblem.value === null) {
      cameraOn.value = false
      generations.camera += 1
      // Stopped, not only muted: the lamp beside the lens must go out.
      const track = camera.value
      camera.value = null
      track?.stop()
      return
    }
    cameraOn.value = true
    cameraProblem.value = null
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
    const isWanted = begin('screen')
    try {
      const stream = await devices.value.openScreen()
      if (!isWanted()) {
        for (const track of stream.getTracks()) track.stop()
        return false
      }
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

  /** Ends everything, also what is still being opened or waited for. */
  function close(): void {
    for (const kind of ['camera', 'microphone', 'screen'] as const) generations[kind] += 1
    interrupted.value = { camera: false, microphone: false }
    missing.camera = missing.microphone = ''
    for (const track of [camera, microphone]) {
      const ending = track.value
      track.value = null
      ending?.stop()
    }
    stopScreen()
  }

  return {
    devices, camera, microphone, screen, screenAudio, cameraOn, microphoneOn, cameraProblem,
    microphoneProblem, sound, interrupted, choosing, open, catchingUp, cameraReport, microphoneReport, openDevices, choose, recover,
    toggleCamera, toggleMicrophone, shareScreen, stopScreen, close,
  }
})
