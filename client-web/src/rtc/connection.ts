/**
 * Care for one RTCPeerConnection, the same for both directions: watches what comes and its state,
 * and says when ICE should restart or everything should be made anew.
 *
 * Theory of operation. A restart costs a round trip of signalling and nothing of what still works:
 * media goes on over the old path until a new one has answered. So it is asked for at the first
 * sign. Whether it helped is seen by what comes, or by an answered check. If not, the relay is
 * taken along (TURN, where there is one), and at last the connection is made anew. While the line
 * to the server is down nothing can be asked for: what is owed is asked for when it is back, and
 * the old path is kept meanwhile, for it may come back as it was.
 */
import { every, type Clock } from '@/protocol/clock'
import { networkOf, readPath, type PathReading, type Route } from './path'
import type { Relay } from './relay'
import { entries } from './statistics'
import { Watchdog } from './watchdog'

export type CreatePeerConnection = (configuration: RTCConfiguration) => RTCPeerConnection

/** Why ICE is restarted; told to the server, which counts it. */
export type RestartReason = 'silent' | 'disconnected' | 'network' | 'relay' | 'again'

export interface CareHandlers {
  /** The path looks dead: restart ICE. False: the line to the server is down. */
  onRestart(reason: RestartReason): boolean
  /** Restart ICE without asking anybody; false: it cannot be done now. */
  onRestartAlone?(): boolean
  /** The connection is beyond repair: make a new one. */
  onFailed(): void
  onConnected?(): void
  /** Nothing comes any more: is the line to the server still there? */
  onSilent?(): void
  onRoute?(route: Route): void
  /** What was silent flows again, `ms` after its last packet. */
  onRestored?(ms: number): void
}

/** No server wants our candidates (it is ICE-lite), one path carries everything. */
const CONFIGURATION: RTCConfiguration = { bundlePolicy: 'max-bundle', iceServers: [] }

const SAMPLE_MS = 250
/** A sample so long after the last one tells of this page, not of its line. */
const LATE_MS = 700
/** A connection that does not come up: loopback needs 0.1 s, a poor line 2 s. */
const SETUP_MS = 10_000
/** Straight over UDP or TCP takes two round trips and 125 ms; from here on the relay is tried too. */
const RELAY_MS = 1_500
/** A restart that brought nothing by then is repeated ... */
const AGAIN_MS = 4_000
/** ... and after this the connection is made anew. */
const ANEW_MS = 8_000
/** With a second interface a restart finds a living path at once: the first sign is enough. */
const SECOND_PATH_LEAST_MS = 600
/** A browser stays with a silent pair on an interface that it likes better, for 3.5 s and more. */
const STUCK_MS = 1_500
/** Restarts of different reasons that are one event: a cable pulled is told thrice. */
const SAME_MS = 1_000

export function configurationWith(relay: Relay | undefined): RTCConfiguration {
  return { ...CONFIGURATION, iceServers: [...(relay?.known ?? [])] }
}

/** A restart that has not helped yet, and what had come when it was ordered. */
interface Restart {
  since: number
  askedAt: number
  before: PathReading
  again: boolean
  /** Since when another pair answers and the silent one is kept. */
  stuckSince: number | null
  relayed: boolean
}

export class Care {
  private readonly watchdog = new Watchdog()
  private readonly networks = new Set<string>()
  private readonly cancels: (() => void)[] = []
  private last: PathReading = { received: -1, responses: 0, pair: '', others: [], route: '' }
  private restart: Restart | null = null
  /** What could not be asked for. */
  private owed: RestartReason | null = null
  private isLineUp = true
  private isRelayAsked = false
  private hasFailed = false
  private sampledAt = 0
  private wasSilent = false
  private over = false

  constructor(
    private readonly connection: RTCPeerConnection,
    private readonly clock: Clock,
    private readonly handlers: CareHandlers,
    private readonly relay?: Relay,
  ) {
    this.cancels.push(every(clock, SAMPLE_MS, () => void this.sample()))
    this.cancels.push(clock.after(RELAY_MS, () => this.setupIsSlow()))
    this.cancels.push(
      clock.after(SETUP_MS, () => {
        if (connection.connectionState !== 'connected') this.fail()
      }),
    )
    this.listen('iceconnectionstatechange', () => {
      if (connection.iceConnectionState === 'disconnected') this.suspect('disconnected')
    })
    this.listen('connectionstatechange', () => {
      if (connection.connectionState === 'connected') handlers.onConnected?.()
      if (connection.connectionState === 'failed') this.browserGaveUp()
    })
    this.listen('icecandidate', (event) => {
      const network = networkOf((event as RTCPeerConnectionIceEvent).candidate?.candidate ?? '')
      if (network !== '') this.networks.add(network)
      this.watchdog.leastMs = this.networks.size > 1 ? SECOND_PATH_LEAST_MS : 1_000
    })
  }

  /** The device is on another network, says the browser. */
  networkChanged(): void {
    this.suspect('network')
  }

  /** The line to the server is down: nothing can be asked for. */
  lineLost(): void {
    this.isLineUp = false
    if (this.restart !== null) this.owed = 'again'
  }

  /** The line to the server is back; what was asked for on the old one may never have arrived. */
  lineBack(): void {
    this.isLineUp = true
    const reason = this.owed ?? (this.restart === null ? null : 'again')
    this.restart = null
    if (this.hasFailed) this.handlers.onFailed()
    else if (reason !== null) this.order(reason)
  }

  stop(): void {
    this.over = true
    for (const cancel of this.cancels) cancel()
  }

  private listen(type: string, listener: (event: Event) => void): void {
    const guarded = (event: Event): void => {
      if (!this.over) listener(event)
    }
    this.connection.addEventListener(type, guarded)
    this.cancels.push(() => this.connection.removeEventListener(type, guarded))
  }

  private async sample(): Promise<void> {
    const begunAt = this.clock.now()
    const isLate = this.sampledAt > 0 && begunAt - this.sampledAt > LATE_MS
    this.sampledAt = begunAt
    let reading: PathReading
    try {
      reading = readPath(entries(await this.connection.getStats()))
    } catch {
      return // A closed connection has no statistics; its end is told elsewhere.
    }
    if (this.over) return
    const now = this.clock.now()
    // A busy machine looks late: then it was not the line that was silent.
    if (isLate && reading.received === this.last.received) this.watchdog.excuse(now)
    if (reading.route !== this.last.route) this.handlers.onRoute?.(reading.route)
    const silentMs = this.watchdog.silentMs(now)
    const grew = reading.received > this.last.received
    const moved = reading.pair !== this.last.pair
    this.last = reading
    if (grew && this.wasSilent) {
      this.wasSilent = false
      this.handlers.onRestored?.(silentMs)
    }
    if (this.watchdog.observe(now, reading.received, moved)) {
      this.wasSilent = true
      this.handlers.onSilent?.()
      this.suspect('silent')
    }
    this.follow(reading, now)
  }

  private suspect(reason: RestartReason): void {
    if (this.over || this.connection.connectionState === 'new') return
    if (this.restart !== null && this.clock.now() - this.restart.askedAt < SAME_MS) return
    this.order(reason)
  }

  private order(reason: RestartReason): void {
    const now = this.clock.now()
    const isAlone = this.hasElsewhere(reason) && this.handlers.onRestartAlone?.() === true
    const isUnderWay = isAlone || (this.isLineUp && this.handlers.onRestart(reason))
    this.owed = isUnderWay ? null : reason
    this.restart = {
      since: this.restart?.since ?? now,
      askedAt: now,
      before: this.last,
      again: this.restart !== null,
      stuckSince: null,
      relayed: this.restart?.relayed ?? false,
    }
  }

  /** Whether there is, or may be, another interface to go over to. */
  private hasElsewhere(reason: RestartReason): boolean {
    return this.restart === null && (reason === 'network' || this.networks.size > 1)
  }

  private browserGaveUp(): void {
    const { restart } = this
    // A restart is under way; `follow` says when it has not helped.
    if (restart !== null && this.owed === null && this.clock.now() - restart.askedAt < AGAIN_MS) return
    // Refused everywhere at once: the relay is what is left.
    if (restart === null && this.last.route === '' && this.relay !== undefined && !this.isRelayAsked) this.takeRelay()
    else this.fail()
  }

  private fail(): void {
    // What cannot be made anew is kept: it may come back as it was.
    if (this.isLineUp) this.handlers.onFailed()
    else this.hasFailed = true
  }

  /** Looks whether a restart has helped, and goes on to the next means if it has not. */
  private follow(reading: PathReading, now: number): void {
    const { restart } = this
    if (restart === null) return
    const { before } = restart
    const answered = reading.pair !== before.pair || reading.responses > before.responses
    if (reading.received > Math.max(0, before.received) || (answered && reading.pair !== '')) {
      this.restart = null
      this.owed = null
      this.hasFailed = false
      return
    }
    // Nobody would answer; the line tells when it is back.
    if (this.owed !== null) return
    if (reading.others.some((one) => !before.others.includes(one))) restart.stuckSince ??= now
    const passed = now - restart.since
    const isStuck = restart.stuckSince !== null && now - restart.stuckSince >= STUCK_MS
    if (passed >= ANEW_MS || isStuck) {
      this.restart = null
      this.fail()
    } else if (passed >= RELAY_MS && !restart.relayed) {
      restart.relayed = true
      this.takeRelay()
    } else if (passed >= AGAIN_MS && !restart.again) this.order('again')
  }

  private setupIsSlow(): void {
    if (this.connection.iceConnectionState === 'checking' && !this.isRelayAsked) this.takeRelay()
  }

  private takeRelay(): void {
    this.isRelayAsked = true
    this.relay?.ask((servers) => {
      if (this.over || this.last.route !== '' && this.restart === null) return
      this.connection.setConfiguration({ ...CONFIGURATION, iceServers: [...servers] })
      this.order('relay')
    })
  }
}
