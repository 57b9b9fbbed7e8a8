/**
 * Sound and picture of live help, for as long as one is in it.
 *
 * Theory of operation. The server opens media when the session begins and ends it by `media_lost`;
 * a downlink that it offers meanwhile begins anew. This page may have come into the session after
 * the first offer, so it asks for one when none comes. Everybody is heard; a camera is sent when its
 * person wants it, a screen by the tutor alone.
 */
import { defineStore } from 'pinia'
import { computed, effectScope, ref, shallowRef, watch, type EffectScope } from 'vue'
import { useLine } from '@/lesson/line'
import { useOwn } from '@/lesson/own'
import { usePictures } from '@/lesson/pictures'
import { every, type Clock } from '@/protocol/clock'
import type { ClientMessage, Quality, Role } from '@/protocol/desk-messages'
import type { Source } from '@/protocol/names'
import type { CreatePeerConnection } from '@/rtc/connection'
import type { DeviceProblem } from '@/rtc/devices'
import { Downlink, type SlotTrack } from '@/rtc/downlink'
import { Relay } from '@/rtc/relay'
import type { StatsEntry } from '@/rtc/statistics'
import { Uplink } from '@/rtc/uplink'
import type { HelpMessage } from './names'

/** An offer that was made before this page listened: it is asked for again. */
const OFFER_MS = 600
/** A picture without a new frame for so long is none: its camera is off. */
const STILL_MS = 1_500

/** What each may send; the server says so again with every welcome. */
export const MAY_PUBLISH: Readonly<Partial<Record<Role, readonly Source[]>>> = {
  tutor: ['microphone', 'camera', 'screen'],
  pupil: ['microphone', 'camera'],
  moderator: ['microphone'],
}

/** What the page shows of it. */
export const useHelp = defineStore('help', () => {
  const pictures = usePictures()
  const quality = ref<Quality | null>(null)
  /** Seats that speak now. */
  const speakers = ref<readonly string[]>([])
  /** Whether the person was asked for her microphone, and what came of it. */
  const voice = ref<'unasked' | 'asking' | 'on' | 'listening'>('unasked')
  /** M-lines whose picture moves; a camera that is off stays in its slot. */
  const moving = shallowRef<ReadonlySet<string>>(new Set())
  /** The downlink carries something: one hears, or would. */
  const isConnected = ref(false)
  const mayPublish = shallowRef<readonly Source[]>(['microphone', 'camera'])

  /** Seats with a place in the downlink; one's own is not among them. */
  const seats = computed(() => {
    const found = new Set<string>()
    for (const { slot } of pictures.slots) if (slot.participant !== null) found.add(slot.participant)
    return [...found]
  })
  const screen = computed<SlotTrack | undefined>(() => pictures.taken('screen'))

  return { quality, speakers, voice, moving, isConnected, mayPublish, seats, screen }
})

export interface HelpOptions {
  clock: Clock
  send(message: ClientMessage): boolean
  createPeerConnection: CreatePeerConnection
  sendVideoCodecs(): readonly RTCRtpCodec[]
}

export class HelpMedia {
  private readonly relay: Relay
  private readonly uplink: Uplink
  private readonly downlink: Downlink
  private readonly scope: EffectScope = effectScope(true)
  private readonly own = useOwn()
  private readonly pictures = usePictures()
  private readonly help = useHelp()
  private readonly line = useLine()
  private cancelWait: (() => void) | null = null
  private cancelLook: (() => void) | null = null
  private frames = new Map<string, number>()
  private isClosed = false

  constructor(private readonly options: HelpOptions) {
    const { clock, createPeerConnection: create } = options
    this.relay = new Relay({ clock, send: (message) => options.send(message) })
    this.uplink = new Uplink({
      create,
      clock,
      send: (message) => options.send(message),
      relay: this.relay,
      onRoute: (route) => {
        this.line.uplinkRoute = route
      },
      videoCodecs: () => options.sendVideoCodecs(),
      onSending: (source, sending) => {
        this.own.open = { ...this.own.open, [source]: sending }
      },
    })
    this.downlink = new Downlink({
      create,
      clock,
      send: (message) => options.send(message),
      relay: this.relay,
      onRoute: (route) => {
        this.line.downlinkRoute = route
      },
      onSlots: (slots) => {
        this.pictures.slots = slots
      },
      onConnected: () => {
        this.help.isConnected = true
      },
    })
  }

  /** Comes into the media of the session. */
  start(mayPublish: readonly Source[]): void {
    const { own, help } = this
    help.mayPublish = mayPublish
    help.isConnected = false
    // A pupil is seen when she wants to, and not because a camera was on elsewhere.
    own.cameraOn = false
    own.microphoneOn = true
    this.scope.run(() => {
      watch(
        () => [own.camera, own.microphone, own.screen, own.cameraOn, own.microphoneOn],
        () => this.publishAll(),
        { flush: 'post' },
      )
    })
    this.waitForOffer()
    this.publishAll()
    this.cancelLook = every(this.options.clock, STILL_MS, () => void this.look())
  }

  /** Asks the person for her microphone; a refusal leads to listening only. */
  async speak(): Promise<DeviceProblem | 'lost' | null> {
    this.help.voice = 'asking'
    this.own.microphoneOn = true
    await this.own.openDevices({ camera: false, microphone: true })
    this.help.voice = this.own.microphone === null ? 'listening' : 'on'
    return this.own.microphoneProblem
  }

  listenOnly(): void {
    this.help.voice = 'listening'
  }

  handle(message: HelpMessage): void {
    if (this.isClosed) return
    switch (message.type) {
      case 'welcome':
        this.welcome(message.resumed, message.may_publish)
        break
      case 'publish_answer':
        void this.uplink.handleAnswer(message)
        break
      case 'publish_wishes':
        this.uplink.handleWishes(message)
        break
      case 'subscribe_offer':
        this.cancelWait?.()
        void this.downlink.handleOffer(message)
        break
      case 'slots':
        this.downlink.handleSlots(message.slots)
        break
      case 'speakers':
        this.help.speakers = message.participants
        break
      case 'quality':
        this.help.quality = message
        break
      case 'relay':
        this.relay.handleServers(message)
        break
      case 'media_lost':
        if (message.uplink) this.uplink.renew()
        if (message.downlink) {
          this.downlink.drop()
          this.help.isConnected = false
          this.waitForOffer()
        }
        break
      case 'error':
        if (!message.code.startsWith('board_')) this.uplink.handleProblem(message.retry_after_s)
        break
      case 'board_update':
      case 'board_state':
        break
    }
  }

  /** Leaves: the lamp beside the lens goes out. */
  close(): void {
    this.isClosed = true
    this.cancelWait?.()
    this.cancelLook?.()
    this.scope.stop()
    this.uplink.close()
    this.downlink.close()
    this.own.close()
    this.own.open = {}
    this.help.voice = 'unasked'
    this.help.speakers = []
    this.help.quality = null
    this.help.moving = new Set()
    this.help.isConnected = false
  }

  private welcome(isResumed: boolean, mayPublish: readonly Source[]): void {
    this.help.mayPublish = mayPublish
    if (!isResumed) {
      this.downlink.drop()
      this.uplink.drop()
      this.waitForOffer()
    } else if (this.downlink.exists) {
      this.uplink.lineBack()
      this.downlink.lineBack()
    } else this.waitForOffer()
    this.publishAll()
  }

  /** Asks where no offer comes by itself; from then on the downlink repeats it. */
  private waitForOffer(): void {
    this.cancelWait?.()
    this.cancelWait = this.options.clock.after(OFFER_MS, () => {
      if (!this.downlink.exists) this.downlink.renew()
    })
  }

  /** Notes which pictures have had a frame since the last look. */
  private async look(): Promise<void> {
    const before = this.frames
    this.frames = videoFrames(await this.downlink.statistics())
    const moving = [...this.frames].filter(([mid, count]) => count > (before.get(mid) ?? 0)).map(([mid]) => mid)
    const { help } = this
    if (this.isClosed || (moving.length === help.moving.size && moving.every((mid) => help.moving.has(mid)))) return
    help.moving = new Set(moving)
  }

  private publishAll(): void {
    const { own } = this
    this.publish('microphone', own.microphone, own.microphoneOn)
    this.publish('camera', own.camera, own.cameraOn)
    this.publish('screen', own.screen, true)
  }

  private publish(source: Source, track: MediaStreamTrack | null, on: boolean): void {
    if (!this.help.mayPublish.includes(source)) return
    // As in lessons: camera and microphone keep their m-line while they are off.
    if (track !== null || source === 'screen') void this.uplink.setTrack(source, track)
    this.uplink.setEnabled(source, on && track !== null)
  }
}

function videoFrames(stats: readonly StatsEntry[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const { type, kind, mid, framesReceived } of stats) {
    if (type === 'inbound-rtp' && kind === 'video' && typeof mid === 'string' && typeof framesReceived === 'number') found.set(mid, framesReceived)
  }
  return found
}
