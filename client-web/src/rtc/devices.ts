/** Cameras, microphones and screens: opening them, and saying in one word why it did not work. */

export type DeviceProblem =
  /** The page is not on HTTPS: browsers give no devices at all. */
  | 'insecure'
  /** The person or a policy said no. */
  | 'refused'
  /** Nothing is plugged in. */
  | 'missing'
  /** Another program holds it. */
  | 'busy'
  /** The person closed the browser's chooser. */
  | 'cancelled'
  | 'failed'

export class DeviceError extends Error {
  constructor(readonly problem: DeviceProblem) {
    super(problem)
    this.name = 'DeviceError'
  }
}

export interface DeviceChoice {
  camera: string
  microphone: string
  speaker: string
}

/** The speaker to play on: the chosen one while it is there, else '' for the system's own. */
export function speakerToUse(chosen: string, found: readonly MediaDeviceInfo[]): string {
  const speakers = found.filter((one) => one.kind === 'audiooutput' && one.deviceId !== '')
  // Before a permission browsers name none, and some never do: the chosen one may well be there.
  return speakers.length === 0 || speakers.some((one) => one.deviceId === chosen) ? chosen : ''
}

/** `navigator.mediaDevices`, or what stands for it; undefined on an insecure page. */
export type MediaSource = Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices' | 'getDisplayMedia'>

/** Names the problem behind an exception of getUserMedia or getDisplayMedia. */
export function problemOf(error: unknown): DeviceProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'refused'
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing'
    case 'NotReadableError':
    case 'AbortError':
      return 'busy'
    default:
      return 'failed'
  }
}

/**
 * What a camera is asked for: a class needs 720p to be recognised on a big screen.
 *
 * The device is named exactly: as a mere wish Chromium passes it over and opens its first camera.
 */
export function cameraConstraints(deviceId: string): MediaTrackConstraints {
  return {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30 },
    ...(deviceId === '' ? {} : { deviceId: { exact: deviceId } }),
  }
}

export function microphoneConstraints(deviceId: string): MediaTrackConstraints {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...(deviceId === '' ? {} : { deviceId: { exact: deviceId } }),
  }
}

export class Devices {
  constructor(private readonly source: MediaSource | undefined) {}

  /** False on an insecure page and in browsers without cameras. */
  get available(): boolean {
    return this.source !== undefined
  }

  /**
   * Opens a camera; a remembered one that is gone is replaced by any other.
   *
   * Throws DeviceError.
   */
  async openCamera(deviceId: string): Promise<MediaStreamTrack> {
    return this.open((id) => ({ video: cameraConstraints(id) }), deviceId)
  }

  /** Opens a microphone, in the same way. Throws DeviceError. */
  async openMicrophone(deviceId: string): Promise<MediaStreamTrack> {
    return this.open((id) => ({ audio: microphoneConstraints(id) }), deviceId)
  }

  /**
   * Opens both with one question to the person; null when that failed. One that fails takes the
   * other one with it: each is to be opened alone then.
   */
  async openBoth(choice: Pick<DeviceChoice, 'camera' | 'microphone'>): Promise<{
    camera: MediaStreamTrack | DeviceProblem
    microphone: MediaStreamTrack | DeviceProblem
  } | null> {
    if (this.source === undefined) return { camera: 'insecure', microphone: 'insecure' }
    try {
      const stream = await this.source.getUserMedia({
        video: cameraConstraints(choice.camera),
        audio: microphoneConstraints(choice.microphone),
      })
      return {
        camera: stream.getVideoTracks()[0] ?? 'missing',
        microphone: stream.getAudioTracks()[0] ?? 'missing',
      }
    } catch {
      return null
    }
  }

  /**
   * Asks for a screen and, where the person allows it, its sound.
   *
   * Throws DeviceError with `cancelled` when the chooser was closed.
   */
  async openScreen(): Promise<MediaStream> {
    if (this.source === undefined) throw new DeviceError('insecure')
    try {
      return await this.source.getDisplayMedia({
        video: { frameRate: { ideal: 15, max: 30 } },
        audio: true,
      })
    } catch (error) {
      const problem = problemOf(error)
      throw new DeviceError(problem === 'refused' ? 'cancelled' : problem)
    }
  }

  /** Devices by kind; labels are empty before a permission. */
  async list(): Promise<MediaDeviceInfo[]> {
    if (this.source === undefined) return []
    return this.source.enumerateDevices()
  }

  private async open(
    constraints: (deviceId: string) => MediaStreamConstraints,
    deviceId: string,
  ): Promise<MediaStreamTrack> {
    if (this.source === undefined) throw new DeviceError('insecure')
    let stream: MediaStream
    try {
      stream = await this.source.getUserMedia(constraints(deviceId))
    } catch (error) {
      const problem = problemOf(error)
      if (problem === 'missing' && deviceId !== '') return this.open(constraints, '')
      throw new DeviceError(problem)
    }
    const track = stream.getTracks()[0]
    if (track === undefined) throw new DeviceError('missing')
    return track
  }
}
