/** One page at the desk: the session, and what comes of it in the stores. */
import { useLine } from '@/lesson/line'
import type { Clock } from '@/protocol/clock'
import type { ClientMessage, ServerMessage } from '@/protocol/desk-messages'
import { DeskSession } from '@/protocol/desk-session'
import { CommandError, type ResumeStore, type Socket, type SocketHandlers } from '@/protocol/wire'
import { DeskApi, type Origin } from './api'
import { Contents } from './contents'
import { useDesk } from './desk'
import { MENDED } from './mended'
import type { DeskCommand, HelpMessage } from './names'

/** What the browser gives; `ui/desk/browser.ts` fills it. */
export interface DeskBrowser {
  clock: Clock
  openSocket(handlers: SocketHandlers): Socket
  resume: ResumeStore
  userAgent: string
  /** What live help may be received in; the server chooses among them. */
  videoCodecs: readonly string[]
}

export class DeskClient {
  readonly session: DeskSession
  readonly api: DeskApi
  readonly contents: Contents
  /** Moments of lessons that questions come from. */
  readonly origins: Contents<Origin>
  private readonly desk = useDesk()
  private readonly line = useLine()
  private readonly listeners = new Set<(message: HelpMessage) => void>()

  constructor(readonly token: string, browser: DeskBrowser) {
    this.api = new DeskApi(token)
    this.contents = new Contents((content, question) => this.api.content(content, question), () => browser.clock.now())
    this.origins = new Contents((origin, question) => this.api.origin(origin, question), () => browser.clock.now())
    this.session = new DeskSession({
      token,
      clock: browser.clock,
      client: { video_codecs: browser.videoCodecs, user_agent: browser.userAgent.slice(0, 400) },
      openSocket: (handlers) => browser.openSocket(handlers),
      resume: browser.resume,
      onState: (state, reason) => this.line.setState(state, reason),
      onMessage: (message) => this.handle(message),
    })
  }

  start(): void {
    this.session.start()
  }

  /** Asks for a change of the desk; what goes wrong is told to the person. */
  async command(command: DeskCommand): Promise<boolean> {
    try {
      await this.session.command(command)
      return true
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      this.line.tell(error.text)
      return false
    }
  }

  /** Sends a message of the board or of media; says whether it could. */
  send(message: ClientMessage): boolean {
    return this.session.send(message)
  }

  /**
   * Hears what belongs to the board and the media of live help, and every `welcome`, after which
   * both must look whether the server still has theirs. Returns what stops it.
   */
  listen(listener: (message: HelpMessage) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): void {
    this.session.close()
  }

  private handle(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.line.setServerTime(message.server_time)
        this.desk.welcome(message)
        this.tell(message)
        break
      case 'view':
        this.line.setServerTime(message.server_time)
        this.desk.show(message.view, message.server_time)
        break
      case 'pong':
        this.line.setServerTime(message.server_time)
        break
      case 'error':
        // Answers to commands are told where they were asked for; a board that has to catch up does
        // so by itself.
        if (message.id === null) {
          this.tell(message)
          if (!MENDED.has(message.code)) this.line.tell(message.text)
        }
        break
      case 'quality':
        this.line.quality = message
        this.tell(message)
        break
      case 'board_update':
      case 'board_state':
      case 'publish_answer':
      case 'publish_wishes':
      case 'subscribe_offer':
      case 'slots':
      case 'speakers':
      case 'relay':
      case 'media_lost':
        this.tell(message)
        break
      case 'ack':
      case 'fenced':
      case 'goodbye':
        break
    }
  }

  private tell(message: HelpMessage): void {
    for (const listener of [...this.listeners]) listener(message)
  }
}
