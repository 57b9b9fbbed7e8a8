/**
 * One page in one lesson: brings session, uplink, downlink and stores together.
 *
 * The session's `welcome` decides about media: when the server still holds our connections and we
 * do too, nothing moves; otherwise each direction is made anew by itself.
 */
import { effectScope, watch, type EffectScope } from 'vue'
import type { Clock } from '@/protocol/clock'
import type { ClientMessage, ServerMessage, Welcome } from '@/protocol/messages'
import type { ClientCommand, Source } from '@/protocol/names'
import { Session } from '@/protocol/session'
import { CommandError, type ResumeStore, type Socket, type SocketHandlers } from '@/protocol/wire'
import { videoCodecNames } from '@/rtc/codecs'
import type { CreatePeerConnection } from '@/rtc/connection'
import { Downlink } from '@/rtc/downlink'
import { Relay } from '@/rtc/relay'
import { mediaBytes, type StatsEntry } from '@/rtc/statistics'
import { Uplink } from '@/rtc/uplink'
import { useInk } from './ink'
import { useLesson } from './lesson'
import { useLine } from './line'
import { useOwn } from './own'
import { OfflineDesk } from './offline/desk'
import type { Shelf } from './offline/shelf'
import { usePictures } from './pictures'
import { Pen } from './pen'
import { usePreferences } from './preferences'
import { saveSwitches } from './switches'
import { useTools } from './tools'

/** What the browser gives; `ui/browser.ts` fills it. */
export interface Browser {
  clock: Clock
  openSocket(handlers: SocketHandlers): Socket
  createPeerConnection: CreatePeerConnection
  sendVideoCodecs(): readonly RTCRtpCodec[]
  receiveVideoCodecs(): readonly RTCRtpCodec[]
  userAgent: string
  resume: ResumeStore
  /** The same sound, quieter by a factor; null where this browser cannot now. */
  quieten(track: MediaStreamTrack, gain: number): Quietened | null
  /** This page is a room's: a second device of a room makes no sound. */
  companion?: boolean
  /** What stays on this device while the line is gone; pages without it only wait. */
  offline?: { shelf: Shelf; wallMs(): number; newKey(): string }
}

/** A track that follows another one. */
export interface Quietened {
  track: MediaStreamTrack
  close(): void
}

/** What is taken off a microphone by which an echo comes back, or a loudspeaker that howls: 12 dB. */
export const DUCK = 0.25

/** Media is silent: the line to the server may have died with it. */
const LINE_CHECK_MS = 1_000
/** The first downlink offer comes within a round trip; after this it is asked for. */
const OFFER_MS = 3_000

export class LessonClient {
  readonly session: Session
  private readonly uplink: Uplink
  private readonly downlink: Downlink
  private readonly scope: EffectScope = effectScope(true)
  private readonly relay: Relay
  readonly pen: Pen
  readonly offline: OfflineDesk | null = null
  private readonly lesson = useLesson()
  private readonly tools = useTools()
  private readonly ink = useInk()
  private readonly line = useLine()
  private readonly own = useOwn()
  private readonly pictures = usePictures()
  private readonly preferences = usePreferences()

  private readonly clock: Clock
  private readonly quieten: Browser['quieten']
  private cancelOfferWait: (() => void) | null = null
  /** The microphone as it is sent while an echo comes back by it. */
  private quiet: { of: MediaStreamTrack; made: Quietened | null } | null = null

  constructor(readonly token: string, browser: Browser) {
    this.clock = browser.clock
    this.quieten = (track, gain) => browser.quieten(track, gain)
    const send = (message: ClientMessage): boolean => this.session.send(message)
    this.session = new Session({
      token,
      clock: browser.clock,
      client: {
        video_codecs: videoCodecNames(browser.receiveVideoCodecs()),
        user_agent: browser.userAgent.slice(0, 400),
      },
      openSocket: (handlers) => browser.openSocket(handlers),
      resume: browser.resume,
      companion: browser.companion ?? false,
      onState: (state, reason) => {
        this.line.setState(state, reason)
        this.offline?.state(state, reason)
        if (state === 'reconnecting') {
          this.uplink.lineLost()
          this.downlink.lineLost()
        }
        if (state === 'fenced' || state === 'refused' || state === 'closed') {
          this.stopMedia()
          // The lamp beside the lens goes out; "use here" opens the devices again.
          this.own.close()
        }
      },
      onMessage: (message) => this.handle(message),
    })
    this.relay = new Relay({ clock: browser.clock, send })
    const onSilent = (): void => this.session.check(LINE_CHECK_MS)
    const onRestored = (): void => {
      this.line.restored += 1
      this.session.pathIsBack()
    }
    this.uplink = new Uplink({
      create: browser.createPeerConnection,
      clock: browser.clock,
      send,
      relay: this.relay,
      onSilent,
      onRestored,
      onRoute: (route) => {
        this.line.uplinkRoute = route
        this.sendRoutes()
      },
      videoCodecs: () => browser.sendVideoCodecs(),
      onSending: (source, sending) => {
        this.own.open = { ...this.own.open, [source]: sending }
      },
    })
    this.downlink = new Downlink({
      create: browser.createPeerConnection,
      clock: browser.clock,
      send,
      relay: this.relay,
      onSilent,
      onRestored,
      onRoute: (route) => {
        this.line.downlinkRoute = route
        this.sendRoutes()
      },
      onSlots: (slots) => {
        this.pictures.slots = slots
      },
    })
    this.pen = new Pen({
      clock: browser.clock,
      name: Math.floor(browser.clock.random() * 2 ** 32).toString(36),
      draw: (piece) => {
        const { document, page, stroke, points, color = 'black', width = 30 } = piece
        // Shown before it is sent: a pen that waits for a server does not feel like one.
        this.ink.draw({ document, page, stroke: { stroke, points, color, width } })
        this.session.send(piece)
      },
    })
    if (browser.offline !== undefined) {
      this.offline = new OfflineDesk({
        token, clock: browser.clock, ...browser.offline,
        command: (command) => this.session.command(command),
        isLive: () => this.session.state === 'live',
        mediaBytes: async () => mediaBytes(await this.downlink.statistics()),
      })
    }
    this.scope.run(() => {
      this.follow()
      this.offline?.follow()
    })
  }

  start(): void {
    this.session.start()
  }

  /** The device is on another network: what went over the old one is looked after at once. */
  networkChanged(): void {
    this.session.check(LINE_CHECK_MS)
    this.uplink.networkChanged()
    this.downlink.networkChanged()
  }

  /** Asks for a change of the lesson; what goes wrong is told to the person. */
  async command(command: ClientCommand): Promise<boolean> {
    const pressedAt = this.line.serverNow()
    try {
      await this.session.command(command)
      return true
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      if (await this.offline?.keepCommand(command, error, pressedAt)) return true
      this.line.tell(error.text)
      return false
    }
  }

  async statistics(): Promise<{ uplink: StatsEntry[]; downlink: StatsEntry[] }> {
    const [uplink, downlink] = await Promise.all([
      this.uplink.statistics(),
      this.downlink.statistics(),
    ])
    return { uplink, downlink }
  }

  close(): void {
    this.scope.stop()
    this.offline?.stop()
    this.session.close()
    this.stopMedia()
    this.quiet?.made?.close()
    this.own.close()
  }

  private handle(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.welcome(message)
        break
      case 'event':
        this.lesson.event(message)
        this.tools.event(message)
        break
      case 'presence':
        this.lesson.presence(message)
        break
      case 'tool':
        this.tools.tool(message)
        break
      case 'ink_page':
        this.ink.setPage(message)
        break
      case 'ink_drawn':
        this.ink.draw(message)
        break
      case 'publish_answer':
        void this.uplink.handleAnswer(message)
        break
      case 'publish_wishes':
        this.uplink.handleWishes(message)
        break
      case 'subscribe_offer':
        void this.downlink.handleOffer(message)
        break
      case 'slots':
        this.downlink.handleSlots(message.slots)
        break
      case 'speakers':
        this.lesson.speakers = message.participants
        break
      case 'quality':
        this.line.quality = message
        break
      case 'recorder':
        this.line.recorder = message
        break
      case 'media_lost':
        if (message.uplink) this.uplink.renew()
        if (message.downlink) this.downlink.renew()
        break
      case 'error':
        // Answers to commands are told where they were asked for. A page that is full of ink is
        // a person's business; the rest concerns the uplink and is nobody's.
        if (message.code === 'ink_full') this.line.tell(message.text)
        else if (message.id === null) this.uplink.handleProblem(message.retry_after_s)
        break
      case 'relay':
        this.relay.handleServers(message)
        break
      case 'pong':
        this.line.setServerTime(message.server_time)
        break
      case 'goodbye':
      case 'ack':
      case 'fenced':
        break
    }
  }

  private welcome(message: Welcome): void {
    this.line.setServerTime(message.server_time)
    this.lesson.welcome(message)
    // They are forgotten with a seat; one that is taken again has them still.
    this.keepSwitches()
    this.tools.welcome(message)
    this.offline?.welcome(message)
    // The lamp of a camera that nobody may see is out.
    if (message.companion) this.own.close()
    if (!message.resumed) {
      // The server offers the downlink by itself; ours of before leads nowhere.
      this.downlink.drop()
      this.cancelOfferWait?.()
      this.cancelOfferWait = this.clock.after(OFFER_MS, () => {
        if (this.session.state === 'live' && !this.downlink.exists) this.downlink.renew()
      })
      this.publishAll(true)
    } else {
      if (!this.downlink.exists) this.downlink.renew()
      else this.downlink.lineBack()
      this.uplink.lineBack()
      this.publishAll(!this.uplink.exists)
    }
    this.sendView()
    this.sendReport()
    this.sendRoutes()
  }

  private get tracks(): [Source, MediaStreamTrack | null, boolean][] {
    const { camera, microphone, screen, screenAudio, cameraOn, microphoneOn } = this.own
    return [
      ['camera', camera, cameraOn],
      // What cannot be made quiet is not sent at all.
      ['microphone', this.ducked(microphone), microphoneOn],
      ['screen', screen, true],
      ['screen_audio', screenAudio, true],
    ]
  }

  private ducked(microphone: MediaStreamTrack | null): MediaStreamTrack | null {
    const wanted = this.tools.ownEcho?.trouble === 'echo' ? microphone : null
    if (this.quiet !== null && this.quiet.of !== wanted) {
      this.quiet.made?.close()
      this.quiet = null
    }
    if (wanted === null) return microphone
    this.quiet ??= { of: wanted, made: this.quieten(wanted, DUCK) }
    return this.quiet.made?.track ?? null
  }

  private publishAll(anew: boolean): void {
    if (anew) this.uplink.drop()
    for (const [source, track, on] of this.tracks) this.publish(source, track, on)
  }

  private publish(source: Source, track: MediaStreamTrack | null, on: boolean): void {
    const isSent = on && track !== null
    if (this.session.state !== 'live' || !this.lesson.mayPublish.includes(source)) {
      // Media may go on without the line: what the person switches off is off at once. On again
      // waits for the line.
      if (!isSent) this.uplink.setEnabled(source, false)
      return
    }
    // Camera and microphone keep their m-line while they are off or pulled out, and come back
    // without an offer. More than thrift: Chromium names the layers of a simulcast track (rid)
    // only until the server has answered once, so a track given up and begun again on the same
    // m-line would be anonymous.
    if (track !== null || source === 'screen' || source === 'screen_audio') {
      void this.uplink.setTrack(source, track)
    }
    this.uplink.setEnabled(source, isSent)
  }

  private keepSwitches(): void {
    saveSwitches({ camera: this.own.cameraOn, microphone: this.own.microphoneOn })
  }

  /** Stores -> wire. */
  private follow(): void {
    const { own, preferences } = this
    watch(
      () => [own.camera, own.microphone, own.screen, own.screenAudio, own.cameraOn, own.microphoneOn],
      () => this.publishAll(false),
      { flush: 'post' },
    )
    watch(
      () => [own.cameraOn, own.microphoneOn],
      () => this.keepSwitches(),
      { flush: 'sync' },
    )
    // Within 200 ms of the word: not after the next frame.
    watch(
      () => this.tools.ownEcho?.trouble,
      () => this.publishAll(false),
      { flush: 'sync' },
    )
    watch(
      () => [own.sound, own.cameraReport, own.microphoneReport],
      () => this.sendReport(),
    )
    watch(
      () => [preferences.remembered.audioOnly, preferences.remembered.dataSaver],
      () => this.sendView(),
    )
  }

  private sendReport(): void {
    this.session.send({
      type: 'report',
      sound: this.own.sound,
      camera: this.own.cameraReport,
      microphone: this.own.microphoneReport,
    })
  }

  private sendRoutes(): void {
    const { uplinkRoute: uplink, downlinkRoute: downlink } = this.line
    if (uplink !== '' || downlink !== '') this.session.send({ type: 'routes', uplink, downlink })
  }

  private sendView(): void {
    const { audioOnly, dataSaver } = this.preferences.remembered
    this.session.send({ type: 'view', audio_only: audioOnly, data_saver: dataSaver })
  }

  private stopMedia(): void {
    this.cancelOfferWait?.()
    this.uplink.close()
    this.downlink.close()
  }
}
