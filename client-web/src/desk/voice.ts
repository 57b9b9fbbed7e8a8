/**
 * A spoken question: recorded for up to a minute, heard again, sent or thrown away.
 *
 * The microphone is open only while it records; the lamp of the device goes out with the last word.
 */
import { every, type Clock } from '@/protocol/clock'

/** The server takes no more; what takes longer is better said to a tutor. */
export const MAX_SECONDS = 60
const MAX_BYTES = 2 * 1024 * 1024
/** Speech is clear at this rate; a minute is 240 kB. */
export const BITS_PER_SECOND = 32_000
/** Shorter is a slip of the thumb. */
const LEAST_SECONDS = 0.6

export interface Recording { sound: Blob; seconds: number }
export type VoiceProblem = 'refused' | 'missing' | 'unsupported' | 'too_short' | 'failed'
export type VoiceState =
  | { state: 'idle'; problem: VoiceProblem | null }
  | { state: 'opening' }
  | { state: 'recording'; seconds: number }
  | { state: 'done'; recording: Recording }

/** A microphone that is being recorded; the page makes it of MediaRecorder. */
export interface Recorder {
  /** Ends the recording and resolves with it; the microphone is closed then. */
  stop(): Promise<Blob>
  /** Closes the microphone; nothing is kept. */
  cancel(): void
}

export interface VoiceSource {
  /** Rejects with a DOMException's name as browsers give it. */
  open(): Promise<Recorder>
}

export class Voice {
  current: VoiceState = { state: 'idle', problem: null }
  private recorder: Recorder | null = null
  private startedAt = 0
  private stopTicking: (() => void) | null = null
  private attempt = 0

  constructor(
    private readonly source: VoiceSource | null,
    private readonly clock: Clock,
    private readonly onChange: (state: VoiceState) => void,
  ) {}

  async start(): Promise<void> {
    if (this.current.state === 'opening' || this.current.state === 'recording') return
    if (this.source === null) {
      this.become({ state: 'idle', problem: 'unsupported' })
      return
    }
    this.attempt += 1
    const mine = this.attempt
    this.become({ state: 'opening' })
    let recorder: Recorder
    try {
      recorder = await this.source.open()
    } catch (error) {
      if (mine === this.attempt) this.become({ state: 'idle', problem: problemOf(error) })
      return
    }
    if (mine !== this.attempt) {
      // Thrown away while the browser asked.
      recorder.cancel()
      return
    }
    this.recorder = recorder
    this.startedAt = this.clock.now()
    this.become({ state: 'recording', seconds: 0 })
    this.stopTicking = every(this.clock, 200, () => {
      const seconds = this.seconds
      if (seconds >= MAX_SECONDS) void this.stop()
      else this.become({ state: 'recording', seconds })
    })
  }

  async stop(): Promise<void> {
    const { recorder } = this
    if (recorder === null) return
    const seconds = Math.min(MAX_SECONDS, this.seconds)
    const mine = this.attempt
    this.rest()
    try {
      const sound = await recorder.stop()
      if (mine !== this.attempt) return
      if (seconds < LEAST_SECONDS || sound.size === 0) this.become({ state: 'idle', problem: 'too_short' })
      else if (sound.size > MAX_BYTES) this.become({ state: 'idle', problem: 'failed' })
      else this.become({ state: 'done', recording: { sound, seconds } })
    } catch {
      if (mine === this.attempt) this.become({ state: 'idle', problem: 'failed' })
    }
  }

  /** Throws away what there is and closes the microphone. */
  discard(): void {
    this.attempt += 1
    this.recorder?.cancel()
    this.rest()
    this.become({ state: 'idle', problem: null })
  }

  private get seconds(): number {
    return (this.clock.now() - this.startedAt) / 1000
  }

  private rest(): void {
    this.stopTicking?.()
    this.stopTicking = null
    this.recorder = null
  }

  private become(state: VoiceState): void {
    this.current = state
    this.onChange(state)
  }
}

function problemOf(error: unknown): VoiceProblem {
  const name = error instanceof Error ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing'
  if (name === 'NotSupportedError') return 'unsupported'
  return 'failed'
}
