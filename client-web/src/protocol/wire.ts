/**
 * The session of one page with the server: who is connected, how often it is tried again, and what
 * is never lost.
 *
 * Theory of operation. One socket at a time. `authenticate` is the first message; it carries the
 * resume secret of before, if there is one. `welcome` brings all that is shown and the next secret.
 * When the socket goes, or is silent for too long, the session waits (jittered) and comes back by
 * itself; the seat is kept for 60 s by the server. Commands that were not answered are sent again
 * after a resume: the server knows their ids. `fenced`, `refused` and `closed` are final until a
 * person acts.
 *
 * `Wire` is that much, for any protocol that has these messages; `Session` is the lesson's, with its
 * numbered events and the further devices of a room. The evening desk's is `DeskSession`.
 *
 * Not handled here: what the messages mean (lesson/, desk/) and media (rtc/).
 */
import { Backoff } from './backoff'
import { every, type Clock } from './clock'
import type {
  BilingualText,
  ClientInfo,
  ErrorMessage,
  Fenced,
  Ping,
  Pong,
  Resume,
} from './messages'

export type SessionState =
  | 'idle'
  | 'connecting'
  | 'authenticating'
  | 'live'
  | 'reconnecting'
  | 'fenced'
  | 'refused'
  | 'closed'

/** From each state, where it may go. Anything else is our mistake. */
export const TRANSITIONS: Readonly<Record<SessionState, readonly SessionState[]>> = {
  idle: ['connecting', 'closed'],
  connecting: ['authenticating', 'reconnecting', 'refused', 'closed'],
  authenticating: ['live', 'reconnecting', 'fenced', 'refused', 'closed'],
  live: ['reconnecting', 'fenced', 'refused', 'closed'],
  reconnecting: ['connecting', 'fenced', 'refused', 'closed'],
  fenced: ['connecting', 'closed'],
  refused: ['connecting', 'closed'],
  closed: ['connecting'],
}

/** Why the session is where it is; shown to people. */
export interface SessionReason {
  code: string
  text?: BilingualText
}

/** A text socket; the page gives a WebSocket. */
export interface Socket {
  send(text: string): void
  close(): void
}

export interface SocketHandlers {
  onOpen(): void
  onText(text: string): void
  onClose(): void
}

/** What survives a reload of the page (sessionStorage in the page). */
export interface ResumeRecord {
  session: string
  secret: string
  lastSeq: number
  nextCommand: number
}

export interface ResumeStore {
  load(): ResumeRecord | null
  save(record: ResumeRecord | null): void
}

/** What one protocol says: what a person may ask for, and the messages of both sides. */
export interface Protocol {
  command: unknown
  sent: { type: string }
  heard: { type: string }
}

/** The messages that every protocol has; `heard` of a `Protocol` includes them. */
type Common =
  | { type: 'welcome'; session: string; secret: string }
  | { type: 'ack'; id: number }
  | { type: 'goodbye'; reason: string; text: BilingualText; reconnect_after_s: number | null }
  | ErrorMessage
  | Fenced
  | Pong

/** A command on its way. */
interface Request<C> {
  type: 'command'
  id: number
  command: C
}

export interface WireOptions<P extends Protocol> {
  token: string
  client: ClientInfo
  clock: Clock
  openSocket(handlers: SocketHandlers): Socket
  resume: ResumeStore
  onState(state: SessionState, reason: SessionReason | null): void
  onMessage(message: P['heard']): void
}

/** A command was refused, or could not be delivered. */
export class CommandError extends Error {
  constructor(
    readonly code: string,
    readonly text: BilingualText,
  ) {
    super(code)
    this.name = 'CommandError'
  }
}

interface Pending<C> {
  request: Request<C>
  resolve(): void
  reject(error: CommandError): void
}

const PING_MS = 2_000
/**
 * A ping without any answer: the socket is dead although nobody has said so. Every answer is at
 * once; a server that is busy for so long is as good as none.
 */
const SILENCE_MS = 5_000
const AUTHENTICATE_MS = 8_000
/**
 * A socket that opens into nothing: TCP repeats its first packet after 1, 3 and 7 s, so an attempt
 * beyond 3 s would only be back later than a new one. Longer with each attempt, for slow servers.
 */
const CONNECT_MS = 3_000
const CONNECT_MORE_MS = 500
/** An attempt younger than this may well succeed. */
const FRESH_MS = 500
const CONNECT_MOST_MS = 8_000
/** After a sleep of the device: an answer comes within a round trip, or the line is gone. */
const CHECK_MS = 2_000
/** Another device holds the seat: the same to a person as being fenced. */
const SEAT_TAKEN: ReadonlySet<string> = new Set(['seat_taken', 'superseded'])
const NOT_DELIVERED: BilingualText = {
  zh: '连接断开，操作没有送达，请再按一次',
  en: 'The line was lost before this arrived; please press again',
}

export abstract class Wire<P extends Protocol> {
  state: SessionState = 'idle'
  reason: SessionReason | null = null
  /** Round trip of the last ping in milliseconds, null before the first answer. */
  pingMs: number | null = null

  private socket: Socket | null = null
  private generation = 0
  private record: ResumeRecord | null
  /** The last event that was applied, 0 before the first and in protocols without events. */
  protected lastSeq = 0
  private nextCommand = 1
  private heardAt = 0
  /** The first ping that nothing has come after; timers may be late, answers are not. */
  private askedAt: number | null = null
  private attempts = 0
  private connectingSince = 0
  private readonly pending = new Map<number, Pending<P['command']>>()
  private readonly backoff: Backoff
  private cancels: (() => void)[] = []
  private cancelCheck: (() => void) | null = null

  constructor(protected readonly options: WireOptions<P>) {
    this.backoff = new Backoff(options.clock)
    this.record = options.resume.load()
    if (this.record !== null) {
      this.lastSeq = this.record.lastSeq
      this.nextCommand = this.record.nextCommand
    }
  }

  /** Returns the first message. */
  protected abstract greeting(resume: Resume | null): P['sent']

  /** Begins, or begins again after `refused` or `closed`. */
  start(): void {
    if (this.state !== 'idle' && this.state !== 'refused' && this.state !== 'closed') return
    this.wanted()
    this.connect()
  }

  /** Takes the seat back from the device that fenced this one. */
  takeOver(): void {
    if (this.state !== 'fenced') return
    this.wanted()
    this.backoff.reset()
    this.connect()
  }

  /**
   * Looks at once whether the line is still there: the device has slept, and a line that died in
   * its sleep would be noticed only seconds later.
   */
  check(withinMs = CHECK_MS): void {
    this.hurry()
    if (this.state !== 'live') return
    const { clock } = this.options
    const asked = clock.now()
    this.cancelCheck?.()
    this.say({ type: 'ping', sent_ms: asked } satisfies Ping)
    this.cancelCheck = clock.after(withinMs, () => {
      this.cancelCheck = null
      if (this.state !== 'live' || this.heardAt >= asked) return
      this.lose('silent')
      this.hurry()
    })
  }

  /** Tries at once instead of waiting: the network came back, or a person pressed "again". */
  hurry(): void {
    if (this.state === 'reconnecting') this.connect()
  }

  /**
   * Something came over the network again: an attempt that began while nothing passed is given up
   * for a new one, because TCP repeats its lost packets ever later.
   */
  pathIsBack(): void {
    const { state } = this
    if (state === 'connecting' && this.options.clock.now() - this.connectingSince > FRESH_MS) this.lose('path_back')
    this.hurry()
  }

  /** Drops the socket and comes back: what the page holds no longer fits the server's. */
  renew(code: string): void {
    if (this.state === 'live') this.lose(code)
  }

  /** Leaves for good. */
  close(code = 'left'): void {
    if (this.state !== 'closed') this.end('closed', { code })
  }

  /** Sends now, or says that it cannot; media messages are not kept for later. */
  send(message: P['sent']): boolean {
    return this.say(message)
  }

  /**
   * Asks for a change and resolves when it is in the log.
   *
   * Rejects with CommandError.
   */
  command(command: P['command']): Promise<void> {
    const request: Request<P['command']> = { type: 'command', id: this.nextCommand, command }
    this.nextCommand += 1
    return new Promise((resolve, reject) => {
      if (this.state !== 'live') {
        reject(new CommandError('not_connected', NOT_DELIVERED))
        return
      }
      this.pending.set(request.id, { request, resolve, reject })
      this.saveRecord()
      this.say(request)
    })
  }

  /** A person wants this connection: she begins it, or takes her seat back. */
  protected wanted(): void {
    // Most protocols do not tell the server.
  }

  /** The server has welcomed this connection; what it brings is the page's. */
  protected welcomed: (message: P['heard']) => void = () => undefined

  /** Whether a message of the protocol is still news. */
  protected isNews: (message: P['heard']) => boolean = () => true

  private say(message: object): boolean {
    if (this.state !== 'live' || this.socket === null) return false
    this.socket.send(JSON.stringify(message))
    return true
  }

  private connect(): void {
    this.generation += 1
    const mine = this.generation
    this.stopTimers()
    this.dropSocket()
    this.transition('connecting', null)
    const patienceMs = Math.min(CONNECT_MOST_MS, CONNECT_MS + CONNECT_MORE_MS * this.attempts)
    this.attempts += 1
    this.connectingSince = this.options.clock.now()
    this.later(patienceMs, () => this.lose('connect_timeout'))
    // Sockets may answer late: only the newest one is listened to.
    const current = (): boolean => mine === this.generation
    this.socket = this.options.openSocket({
      onOpen: () => {
        if (current()) this.authenticate()
      },
      onText: (text) => {
        if (current()) this.receive(text)
      },
      onClose: () => {
        if (current()) this.lose('socket_closed')
      },
    })
  }

  private authenticate(): void {
    this.transition('authenticating', null)
    this.stopTimers()
    this.later(AUTHENTICATE_MS, () => this.lose('authenticate_timeout'))
    const { record } = this
    const message = this.greeting(record === null ? null : { session: record.session, secret: record.secret })
    this.socket?.send(JSON.stringify(message))
  }

  private receive(text: string): void {
    this.heardAt = this.options.clock.now()
    this.askedAt = null
    let whole: P['heard']
    try {
      whole = JSON.parse(text) as P['heard']
    } catch {
      this.lose('malformed')
      return
    }
    const message = whole as Common
    switch (message.type) {
      case 'welcome':
        this.welcome(message, whole)
        break
      case 'ack': {
        this.settle(message.id)?.resolve()
        break
      }
      case 'error':
        this.error(message, whole)
        break
      case 'fenced':
        this.forget()
        this.end('fenced', { code: 'fenced', text: message.text })
        break
      case 'goodbye':
        this.options.onMessage(whole)
        if (message.reconnect_after_s === null) {
          this.forget()
          this.end('closed', { code: message.reason, text: message.text })
        } else this.lose(message.reason, message.reconnect_after_s * 1000)
        break
      case 'pong':
        this.pingMs = this.options.clock.now() - message.sent_ms
        this.options.onMessage(whole)
        break
      default: {
        const before = this.lastSeq
        if (!this.isNews(whole)) return
        if (this.lastSeq !== before) this.saveRecord()
        this.options.onMessage(whole)
      }
    }
  }

  private welcome(message: { session: string; secret: string }, whole: P['heard']): void {
    const same = this.record?.session === message.session
    this.welcomed(whole)
    if (!same) this.nextCommand = 1
    const waiting = [...this.pending.values()]
    if (!same) {
      this.pending.clear()
      for (const one of waiting) one.reject(new CommandError('not_delivered', NOT_DELIVERED))
    }
    this.record = {
      session: message.session,
      secret: message.secret,
      lastSeq: this.lastSeq,
      nextCommand: this.nextCommand,
    }
    this.saveRecord()
    this.stopTimers()
    this.backoff.reset()
    this.attempts = 0
    this.askedAt = null
    this.transition('live', null)
    this.cancels.push(every(this.options.clock, PING_MS, () => this.ping()))
    this.options.onMessage(whole)
    if (same) for (const one of waiting) this.say(one.request)
  }

  private ping(): void {
    const now = this.options.clock.now()
    if (this.askedAt !== null && now - this.askedAt >= SILENCE_MS) this.lose('silent')
    else {
      this.askedAt ??= now
      this.say({ type: 'ping', sent_ms: now } satisfies Ping)
    }
  }

  private error(message: ErrorMessage, whole: P['heard']): void {
    if (message.id !== null) {
      this.settle(message.id)?.reject(new CommandError(message.code, message.text))
    }
    if (message.fatal || this.state === 'authenticating') {
      const reason = { code: message.code, text: message.text }
      if (SEAT_TAKEN.has(message.code)) {
        this.forget()
        this.end('fenced', reason)
      } else if (message.retry_after_s > 0) this.lose(message.code, message.retry_after_s * 1000, message.text)
      else this.end('refused', reason)
      return
    }
    this.options.onMessage(whole)
  }

  private settle(id: number): Pending<P['command']> | undefined {
    const pending = this.pending.get(id)
    this.pending.delete(id)
    return pending
  }

  /** `text`: the server's word on why, for people. */
  protected lose(code: string, atLeastMs = 0, text?: BilingualText): void {
    this.generation += 1
    this.stopTimers()
    this.dropSocket()
    this.transition('reconnecting', text === undefined ? { code } : { code, text })
    this.later(this.backoff.next(atLeastMs), () => this.connect())
  }

  private end(state: 'fenced' | 'refused' | 'closed', reason: SessionReason): void {
    this.generation += 1
    this.stopTimers()
    this.dropSocket()
    for (const one of this.pending.values()) {
      one.reject(new CommandError('not_delivered', NOT_DELIVERED))
    }
    this.pending.clear()
    this.transition(state, reason)
  }

  private transition(state: SessionState, reason: SessionReason | null): void {
    if (!TRANSITIONS[this.state].includes(state)) {
      throw new Error(`session cannot go from ${this.state} to ${state}`)
    }
    this.state = state
    this.reason = reason
    this.options.onState(state, reason)
  }

  private later(delayMs: number, callback: () => void): void {
    this.cancels.push(this.options.clock.after(delayMs, callback))
  }

  private stopTimers(): void {
    for (const cancel of this.cancels) cancel()
    this.cancels = []
    this.cancelCheck?.()
    this.cancelCheck = null
  }

  private dropSocket(): void {
    const socket = this.socket
    this.socket = null
    socket?.close()
  }

  private forget(): void {
    this.record = null
    this.options.resume.save(null)
  }

  private saveRecord(): void {
    if (this.record === null) return
    this.record = { ...this.record, lastSeq: this.lastSeq, nextCommand: this.nextCommand }
    this.options.resume.save(this.record)
  }
}
