/**
 * What this page sends. The page offers, the server answers; one offer is in flight and changes
 * that come meanwhile are gathered into the next one. A track is added once and kept: the server's
 * wishes open and close it through the parameters of its encodings, without a new offer.
 *
 * Our candidates are of no use to an ICE-lite server, so an offer leaves at once.
 */
import type { Clock } from '@/protocol/clock'
import type { PublishAnswer, PublishOffer, PublishWishes } from '@/protocol/messages'
import type { Source } from '@/protocol/names'
import { publishPreference } from './codecs'
import { Care, configurationWith, type CreatePeerConnection, type RestartReason } from './connection'
import { applyWish, cameraEncodings, contentHint } from './layers'
import type { Route } from './path'
import type { Relay } from './relay'
import { OwnRestarts } from './restart'
import { entries, type StatsEntry } from './statistics'

export interface UplinkOptions {
  create: CreatePeerConnection
  clock: Clock
  send(message: PublishOffer): boolean
  /** Send capabilities of this browser (RTCRtpSender.getCapabilities('video')). */
  videoCodecs(): readonly RTCRtpCodec[]
  /** True while a wish lets the source through and the person has not switched it off. */
  onSending?(source: Source, sending: boolean): void
  /** Where there is a relay for lines on which nothing else passes. */
  relay?: Relay
  onSilent?(): void
  onRoute?(route: Route): void
  /** What was silent flows again. */
  onRestored?(): void
}

interface Publication {
  track: MediaStreamTrack
  transceiver: RTCRtpTransceiver | null
  /** The person's own switch. */
  enabled: boolean
}

/** No answer after so long: the offer or its answer was lost with a connection. */
const ANSWER_MS = 8_000
const RETRY_MS = 2_000

export class Uplink {
  private connection: RTCPeerConnection | null = null
  private care: Care | null = null
  private readonly publications = new Map<Source, Publication>()
  private readonly wishes = new Map<Source, PublishWishes>()
  /** M-lines of sources that were taken away; used again by the next of the same kind. */
  private readonly spare = new Map<Source, RTCRtpTransceiver>()
  private n = 0
  private scheduled = false
  private unsent = false
  private inFlight = false
  private again = false
  /** Why ICE is to be restarted by the next offer. */
  private restartWanted: RestartReason | null = null
  /** The same of the offer that is under way: repeated with it. */
  private restarting: RestartReason | null = null
  /** The answer that was taken last, as the server made it. */
  private answered = ''
  private restarts = new OwnRestarts()
  private cancelAnswer: (() => void) | null = null
  private settling: Promise<void> = Promise.resolve()

  constructor(private readonly options: UplinkOptions) {}

  get exists(): boolean {
    return this.connection !== null
  }

  /** Sends `track` as `source`, or another track in its place; null takes it away. */
  async setTrack(source: Source, track: MediaStreamTrack | null): Promise<void> {
    const before = this.publications.get(source)
    if (track === null) {
      if (before !== undefined) await this.remove(source, before)
      return
    }
    if ('contentHint' in track) track.contentHint = contentHint(source)
    if (before?.transceiver) {
      // Browsers take their time to replace a track: a louder voice is not to go on meanwhile.
      if (track.kind === 'audio' && before.track !== track) before.track.enabled = false
      before.track = track
      await before.transceiver.sender.replaceTrack(track)
      this.obey(source)
      return
    }
    this.publications.set(source, { track, transceiver: null, enabled: before?.enabled ?? true })
    this.attach(source)
    this.negotiateSoon()
  }

  /** The person's own switch for a source; the connection stays as it is. */
  setEnabled(source: Source, enabled: boolean): void {
    const publication = this.publications.get(source)
    if (publication === undefined) return
    publication.enabled = enabled
    this.obey(source)
  }

  /** Whether the server lets `source` through now. */
  isOpen(source: Source): boolean {
    return this.wishes.get(source)?.open ?? false
  }

  handleWishes(wishes: PublishWishes): void {
    this.wishes.set(wishes.source, wishes)
    this.obey(wishes.source)
  }

  async handleAnswer(answer: PublishAnswer): Promise<void> {
    const connection = this.connection
    if (connection === null || !this.inFlight || answer.n !== this.n) return
    this.cancelAnswer?.()
    try {
      await connection.setRemoteDescription({ type: 'answer', sdp: this.restarts.apply(answer.sdp) })
      this.answered = answer.sdp
    } catch {
      if (connection === this.connection) this.renew()
      return
    }
    if (connection !== this.connection) return
    this.restarting = null
    this.cancelAnswer = null
    this.settled()
  }

  /** An offer has its answer: what was wished meanwhile is obeyed, what has changed is offered. */
  private settled(): void {
    this.inFlight = false
    for (const source of this.publications.keys()) this.obey(source)
    if (this.again) this.negotiateSoon()
  }

  /** The line to the server is gone: an answer may never come, and media goes on without it. */
  lineLost(): void {
    this.cancelAnswer?.()
    this.cancelAnswer = null
    this.care?.lineLost()
  }

  /** The server still holds our connection: what was not answered is offered again on it. */
  lineBack(): void {
    const isOwed = this.inFlight || this.unsent
    this.inFlight = false
    this.care?.lineBack()
    if (isOwed) this.negotiateSoon()
  }

  /** The server could not take an offer; it is made again, not faster than it asks for. */
  handleProblem(retryAfterS: number): void {
    if (!this.inFlight) return
    this.cancelAnswer?.()
    this.cancelAnswer = this.options.clock.after(Math.max(RETRY_MS, retryAfterS * 1_000), () =>
      this.renew(),
    )
  }

  /** Makes a new connection with the same tracks. */
  renew(): void {
    this.drop()
    for (const source of this.publications.keys()) this.attach(source)
    this.negotiateSoon()
  }

  restartIce(reason: RestartReason): void {
    if (this.connection === null) return
    this.restartWanted = reason
    this.negotiateSoon()
  }

  /** Restarts ICE as if the server had answered it; false while an offer waits for its answer. */
  private restartAlone(): boolean {
    const { connection } = this
    if (connection === null || this.inFlight || this.unsent || !this.restarts.begin()) return false
    this.inFlight = true
    void this.answerOurselves(connection).then(() => {
      if (connection !== this.connection) return
      this.settled()
    })
    return true
  }

  private async answerOurselves(connection: RTCPeerConnection): Promise<void> {
    connection.restartIce()
    try {
      await connection.setLocalDescription()
      await connection.setRemoteDescription({ type: 'answer', sdp: this.restarts.apply(this.answered) })
    } catch {
      // More has changed than was answered: what waits is offered to the server as it is.
      if (connection === this.connection) this.again = true
    }
  }

  networkChanged(): void {
    this.care?.networkChanged()
  }

  /** Throws the connection away; the tracks are kept for `renew`. */
  drop(): void {
    this.care?.stop()
    this.care = null
    this.options.onRoute?.('')
    this.cancelAnswer?.()
    this.connection?.close()
    this.connection = null
    this.inFlight = false
    this.again = false
    this.unsent = false
    this.restartWanted = this.restarting = null
    this.spare.clear()
    for (const publication of this.publications.values()) publication.transceiver = null
  }

  close(): void {
    this.drop()
    this.publications.clear()
    this.wishes.clear()
  }

  async statistics(): Promise<StatsEntry[]> {
    return this.connection === null ? [] : entries(await this.connection.getStats())
  }

  private open(): RTCPeerConnection {
    const { clock, relay } = this.options
    const connection = this.options.create(configurationWith(relay))
    this.connection = connection
    this.restarts = new OwnRestarts()
    this.care = new Care(
      connection,
      clock,
      {
        // Without a line the offer waits for it by itself: `lineBack`.
        onRestart: (reason) => {
          this.restartIce(reason)
          return true
        },
        onRestartAlone: () => this.restartAlone(),
        onFailed: () => this.renew(),
        onSilent: () => this.options.onSilent?.(),
        onRoute: (route) => this.options.onRoute?.(route),
        onRestored: () => this.options.onRestored?.(),
      },
      relay,
    )
    return connection
  }

  private attach(source: Source): void {
    const publication = this.publications.get(source)
    if (publication === undefined || publication.transceiver !== null) return
    const connection = this.connection ?? this.open()
    const { track } = publication
    const spare = this.spare.get(source)
    if (spare !== undefined) {
      this.spare.delete(source)
      spare.direction = 'sendonly'
      publication.transceiver = spare
      void spare.sender.replaceTrack(track)
      return
    }
    const init: RTCRtpTransceiverInit = { direction: 'sendonly' }
    if (source === 'camera') {
      const { width = 0, height = 0 } = track.getSettings()
      init.sendEncodings = cameraEncodings(width, height)
    } else if (track.kind === 'video') init.sendEncodings = [{}]
    // Nothing is sent before the server wishes it: 200 homes joining would fill their lines.
    for (const encoding of init.sendEncodings ?? []) encoding.active = false
    const transceiver = connection.addTransceiver(track, init)
    publication.transceiver = transceiver
    if (track.kind === 'video' && 'setCodecPreferences' in transceiver) {
      const preferred = publishPreference(this.options.videoCodecs())
      if (preferred.length > 0) transceiver.setCodecPreferences(preferred)
    }
  }

  private async remove(source: Source, publication: Publication): Promise<void> {
    this.publications.delete(source)
    this.wishes.delete(source)
    const { transceiver } = publication
    if (transceiver === null) return
    transceiver.direction = 'inactive'
    this.spare.set(source, transceiver)
    this.negotiateSoon()
    await transceiver.sender.replaceTrack(null)
  }

  /** Gathers the changes of one turn into one offer. */
  private negotiateSoon(): void {
    if (this.scheduled) return
    this.scheduled = true
    void Promise.resolve().then(() => {
      this.scheduled = false
      return this.negotiate()
    })
  }

  private async negotiate(): Promise<void> {
    const connection = this.connection
    if (connection === null) return
    if (this.inFlight) {
      this.again = true
      return
    }
    this.inFlight = true
    this.again = false
    // Already now: while the browser makes this offer, the answer to one of before does not count.
    this.n += 1
    const { n } = this
    if (this.restartWanted !== null) {
      connection.restartIce()
      this.restarting = this.restartWanted
    }
    this.restartWanted = null
    try {
      await connection.setLocalDescription()
    } catch {
      if (connection === this.connection && n === this.n) this.inFlight = false
      return
    }
    const sdp = connection.localDescription?.sdp
    if (connection !== this.connection || n !== this.n || sdp === undefined) return
    const tracks = [...this.publications].flatMap(([source, { transceiver }]) => {
      const mid = transceiver?.mid ?? null
      return mid === null ? [] : [{ mid, source }]
    })
    if (!this.options.send({ type: 'publish_offer', n, sdp, tracks, restart: this.restarting ?? '' })) {
      // The line to the server is down; media may well go on. `lineBack` offers again.
      this.inFlight = false
      this.unsent = true
      return
    }
    this.unsent = false
    this.cancelAnswer = this.options.clock.after(ANSWER_MS, () => this.renew())
  }

  /** Brings a source's encodings to what the server wishes and the person allows. */
  private obey(source: Source): void {
    const publication = this.publications.get(source)
    if (publication === undefined) return
    const wish = this.wishes.get(source)
    const open = wish?.open ?? false
    const sending = open && publication.enabled
    // A microphone that is not open must not even be heard by our own browser's encoder.
    if (publication.track.kind === 'audio') publication.track.enabled = sending
    this.options.onSending?.(source, sending)
    // Browsers take one change of parameters at a time.
    this.settling = this.settling.then(() => this.setParameters(source))
  }

  private async setParameters(source: Source): Promise<void> {
    const publication = this.publications.get(source)
    const wish = this.wishes.get(source)
    const sender = publication?.transceiver?.sender
    if (publication === undefined || wish === undefined || sender === undefined) return
    // Before the answer the encodings are not settled; the answer obeys again.
    if (this.inFlight) return
    const parameters = sender.getParameters()
    if (parameters.encodings.length === 0) return
    const encodings = applyWish(parameters.encodings, wish, publication.enabled)
    const codec = codecNamed(wish.codec, parameters)
    try {
      await sender.setParameters({
        ...parameters,
        encodings: codec === null ? encodings : encodings.map((one) => ({ ...one, codec })),
      })
    } catch {
      // Browsers without a codec per encoding: the rest of the wish still counts.
      if (codec === null) return
      await sender
        .setParameters({ ...sender.getParameters(), encodings })
        .catch(() => undefined)
    }
  }
}

/** The negotiated codec to ask for; null when it is what would be sent anyway, or is not there. */
function codecNamed(name: string, parameters: RTCRtpSendParameters): RTCRtpCodec | null {
  const mime = `video/${name}`.toLowerCase()
  const first = parameters.codecs[0]
  if (name === '' || first === undefined || first.mimeType.toLowerCase() === mime) return null
  const codec = parameters.codecs.find((one) => one.mimeType.toLowerCase() === mime)
  if (codec === undefined) return null
  const { mimeType, clockRate, channels, sdpFmtpLine } = codec
  return {
    mimeType,
    clockRate,
    ...(channels === undefined ? {} : { channels }),
    ...(sdpFmtpLine === undefined ? {} : { sdpFmtpLine }),
  }
}
