/**
 * What this page receives. The server offers a pool of m-lines; who is in which one changes by
 * `slots` messages without a new offer. The answer is the commit point: when the browser rejects
 * an offer, `subscribe_refused` tells the server to stay with the last good one.
 */
import type { Clock } from '@/protocol/clock'
import type { RestartDownlink, Slot, SubscribeAnswer, SubscribeOffer, SubscribeRefused } from '@/protocol/messages'
import { Care, configurationWith, type CreatePeerConnection } from './connection'
import type { Route } from './path'
import type { Relay } from './relay'
import { OwnRestarts } from './restart'
import { entries, type StatsEntry } from './statistics'

/** A slot and the track that shows it; null until the browser has one. */
export interface SlotTrack {
  slot: Slot
  track: MediaStreamTrack | null
}

export interface DownlinkOptions {
  create: CreatePeerConnection
  clock: Clock
  send(message: SubscribeAnswer | SubscribeRefused | RestartDownlink): boolean
  onSlots(slots: readonly SlotTrack[]): void
  onConnected?(): void
  /** Where there is a relay for lines on which nothing else passes. */
  relay?: Relay
  onSilent?(): void
  onRoute?(route: Route): void
  /** What was silent flows again. */
  onRestored?(): void
}

/** An offer that was asked for comes within a round trip, unless the server had no time for it. */
const OFFER_MS = 3_000
/** No media worker is there, perhaps: asked for less and less often. */
const LONGEST_MS = 20_000

export class Downlink {
  private connection: RTCPeerConnection | null = null
  private care: Care | null = null
  private slots: readonly Slot[] = []
  /** What the server said last, in an offer or after it. */
  private newest: readonly Slot[] = []
  private readonly tracks = new Map<string, MediaStreamTrack>()
  private work: Promise<void> = Promise.resolve()
  /** The offer that was answered last, as the server made it. */
  private offered = ''
  private restarts = new OwnRestarts()
  private cancelWait: (() => void) | null = null

  constructor(private readonly options: DownlinkOptions) {}

  get exists(): boolean {
    return this.connection !== null
  }

  /** Takes an offer; offers are worked off one after another. */
  handleOffer(offer: SubscribeOffer): Promise<void> {
    this.newest = offer.slots
    this.work = this.work.then(() => this.answer(offer))
    return this.work
  }

  handleSlots(slots: readonly Slot[]): void {
    this.newest = slots
    this.slots = slots
    this.publish()
  }

  /** Throws the connection away and asks for a new one, again and again until it is offered. */
  renew(): void {
    this.drop()
    this.ask(OFFER_MS)
  }

  private ask(patienceMs: number): void {
    this.options.send({ type: 'restart_downlink', fresh: true })
    this.cancelWait = this.options.clock.after(patienceMs, () => this.ask(Math.min(LONGEST_MS, patienceMs * 2)))
  }

  /** Throws the connection away; the server offers by itself. */
  drop(): void {
    this.cancelWait?.()
    this.cancelWait = null
    this.care?.stop()
    this.care = null
    this.options.onRoute?.('')
    this.connection?.close()
    this.connection = null
    this.tracks.clear()
    // What a closed connection was asked for never ends: the next offer must not wait for it.
    this.work = Promise.resolve()
    // Slots stay, so that a page keeps its layout and the last picture while it waits.
  }

  /** Ends everything; nothing is shown any more. */
  close(): void {
    this.drop()
    this.newest = []
    this.slots = []
    this.publish()
  }

  lineLost(): void {
    this.care?.lineLost()
  }

  /** The line to the server is back; what was asked for on the old one may be lost. */
  lineBack(): void {
    this.care?.lineBack()
  }

  networkChanged(): void {
    this.care?.networkChanged()
  }

  async statistics(): Promise<StatsEntry[]> {
    return this.connection === null ? [] : entries(await this.connection.getStats())
  }

  private async answer(offer: SubscribeOffer): Promise<void> {
    try {
      if (offer.fresh || this.connection === null) this.open()
      const connection = this.connection
      if (connection === null) return
      await connection.setRemoteDescription({ type: 'offer', sdp: this.restarts.apply(offer.sdp) })
      if (connection !== this.connection) return
      this.offered = offer.sdp
      await connection.setLocalDescription()
      const sdp = connection.localDescription?.sdp
      if (sdp === undefined || connection !== this.connection) return
      this.options.send({ type: 'subscribe_answer', n: offer.n, sdp })
      // Somebody may have been called on while the browser worked on the offer.
      this.slots = this.newest
      this.publish()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.options.send({ type: 'subscribe_refused', n: offer.n, reason: reason.slice(0, 200) })
    }
  }

  /** Restarts ICE as if the server had offered it once more. */
  private restartAlone(): boolean {
    const { connection } = this
    if (connection === null || !this.restarts.begin()) return false
    this.work = this.work.then(async () => {
      if (connection !== this.connection) return
      try {
        await connection.setRemoteDescription({ type: 'offer', sdp: this.restarts.apply(this.offered) })
        await connection.setLocalDescription()
      } catch {
        // What the browser does not take it is asked for again with the server's help.
      }
    })
    return true
  }

  private open(): void {
    this.drop()
    this.restarts = new OwnRestarts()
    const connection = this.options.create(configurationWith(this.options.relay))
    this.connection = connection
    connection.addEventListener('track', (event) => {
      if (connection !== this.connection || event.transceiver.mid === null) return
      this.tracks.set(event.transceiver.mid, event.track)
      // Unmuted by its first packet; whoever shows it may be waiting for just that.
      event.track.addEventListener('unmute', () => {
        if (connection === this.connection) this.publish()
      })
      this.publish()
    })
    const { clock, relay } = this.options
    this.care = new Care(
      connection,
      clock,
      {
        onRestart: (reason) => this.options.send({ type: 'restart_downlink', fresh: false, reason }),
        onRestartAlone: () => this.restartAlone(),
        onFailed: () => this.renew(),
        onConnected: () => this.options.onConnected?.(),
        onSilent: () => this.options.onSilent?.(),
        onRoute: (route) => this.options.onRoute?.(route),
        onRestored: () => this.options.onRestored?.(),
      },
      relay,
    )
  }

  private publish(): void {
    this.options.onSlots(
      this.slots.map((slot) => ({ slot, track: this.tracks.get(slot.mid) ?? null })),
    )
  }
}
