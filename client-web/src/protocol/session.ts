/** The session of one page with `/signal`: a lesson's events, and seats that others may take. */
import type { ClientMessage, Command, Resume, ServerMessage } from './messages'
import { Wire, type Protocol, type WireOptions } from './wire'

export interface LessonProtocol extends Protocol {
  command: Command['command']
  sent: ClientMessage
  heard: ServerMessage
}

export interface SessionOptions extends WireOptions<LessonProtocol> {
  /** A room's page comes in beside the room's first device instead of in its place. */
  companion?: boolean
}

/** The session of one page with `/signal`. */
export class Session extends Wire<LessonProtocol> {
  private useHere = true
  private companion: boolean

  constructor(options: SessionOptions) {
    super(options)
    this.companion = options.companion ?? false
  }

  /**
   * Takes the seat back from the device that fenced this one; with `companion` it comes back as a
   * further device of the room instead.
   */
  override takeOver(companion = false): void {
    if (this.state === 'fenced') this.companion = companion
    super.takeOver()
  }

  /** A further device becomes the room's first one: it has the sound, the other is fenced. */
  takeSound(): void {
    if (this.state !== 'live') return
    this.companion = false
    this.useHere = true
    this.lose('takes_sound')
    this.hurry()
  }

  protected override greeting(resume: Resume | null): ClientMessage {
    return {
      type: 'authenticate',
      token: this.options.token,
      client: this.options.client,
      resume,
      last_seq: resume === null ? 0 : this.lastSeq,
      use_here: this.useHere,
      companion: this.companion,
    }
  }

  protected override wanted(): void {
    this.useHere = true
  }

  protected override welcomed = (message: ServerMessage): void => {
    if (message.type === 'welcome') this.lastSeq = message.lesson.seq
    // From now on we come back by ourselves, and only a person may take a seat from another device.
    this.useHere = false
  }

  protected override isNews = (message: ServerMessage): boolean => {
    if (message.type !== 'event') return true
    if (message.seq <= this.lastSeq) return false
    // Numbers may jump: the server leaves out what a role must not see.
    this.lastSeq = message.seq
    return true
  }
}
