/**
 * Plays a recorded lesson: one media element for each file that belongs to the moment, all of them
 * slaves of one clock. Sound is mixed by playing all of it.
 *
 * An element that is a little early or late is nudged by its rate; one that is far off is set anew.
 */
import type Hls from 'hls.js'
import type { Manifest } from '../manifest'
import { LessonClock } from './clock'
import { isActive, needed, pieces, placeIn, type Piece } from './schedule'

const TICK_MS = 60
/** Below this nobody sees or hears it; elements' own clocks are no better. */
const CLOSE_S = 0.008
const FAR_S = 0.25
/** Nudged by at most this much: nobody hears it. */
const MAX_NUDGE = 0.08
/** How fast a difference is made up for: half a second for most of it. */
const GAIN = 2
/** A seek takes a moment: what the element says meanwhile is not believed. */
const SETTLE_MS = 250

export interface Playing { piece: Piece; element: HTMLVideoElement | HTMLAudioElement }

interface Slave extends Playing { hls: Hls | null; setAt: number; failed: boolean; closed: boolean }

export interface EngineEvents { changed(): void; failed(piece: Piece): void }

export class Engine {
  readonly clock: LessonClock
  private readonly slaves = new Map<string, Slave>()
  private all: Piece[] = []
  private manifest: Manifest
  private timer: ReturnType<typeof setInterval> | null = null
  private volumeNow = 1
  private speaker = ''
  private signature = ''

  constructor(manifest: Manifest, private readonly base: string, private readonly events: EngineEvents) {
    this.manifest = manifest
    this.all = pieces(manifest)
    this.clock = new LessonClock(() => this.manifest.duration_s)
  }

  get time(): number { return this.clock.time(now()) }
  get pieces(): readonly Piece[] { return this.all }

  start(): void { this.timer ??= setInterval(() => this.tick(), TICK_MS); this.tick() }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer)
    this.timer = null
    for (const slave of this.slaves.values()) this.close(slave)
    this.slaves.clear()
  }

  /** A lesson that goes on has grown. */
  update(manifest: Manifest): void {
    this.manifest = manifest
    this.all = pieces(manifest)
    for (const piece of this.all) {
      const slave = this.slaves.get(piece.id)
      if (slave !== undefined) slave.piece = piece
    }
  }

  play(): void { this.clock.play(now()); this.tick() }
  pause(): void { this.clock.pause(now()); this.tick() }
  seek(time: number): void { this.clock.seek(now(), time); this.tick() }
  setRate(rate: number): void { this.clock.setRate(now(), rate); this.tick() }
  setVolume(volume: number): void {
    this.volumeNow = volume
    for (const slave of this.slaves.values()) slave.element.volume = volume
  }

  /** Where it sounds; '' is the system's own speaker. One that is gone is left for it. */
  setSpeaker(id: string): void {
    this.speaker = id
    for (const slave of this.slaves.values()) this.sound(slave.element)
  }

  /** Elements that show or sound now. */
  active(): Playing[] {
    const time = this.time
    return [...this.slaves.values()].filter((slave) => isActive(slave.piece, time))
  }

  /** For tests: where each element is, in lesson time. */
  times(): Record<string, number> {
    return Object.fromEntries(this.active().map(({ piece, element }) => [piece.id, piece.start + element.currentTime]))
  }

  private tick(): void {
    const at = now()
    const time = this.clock.time(at)
    const wanted = new Map(needed(this.all, time).map((piece) => [piece.id, piece]))
    for (const [id, slave] of this.slaves) {
      if (!wanted.has(id)) {
        this.close(slave)
        this.slaves.delete(id)
      }
    }
    for (const [id, piece] of wanted) if (!this.slaves.has(id)) this.slaves.set(id, this.open(piece))
    let isWaiting = false
    for (const slave of this.slaves.values()) isWaiting = this.follow(slave, time) || isWaiting
    this.clock.stall(at, isWaiting)
    if (this.clock.playing && time >= this.manifest.duration_s - 0.01) this.clock.pause(at)
    const signature = this.active().map(({ piece }) => piece.id).join()
    if (signature !== this.signature) {
      this.signature = signature
      this.events.changed()
    }
  }

  /** True while the clock must wait for this element. */
  private follow(slave: Slave, time: number): boolean {
    const { piece, element } = slave
    if (slave.failed) return false
    const wanted = placeIn(piece, time)
    if (!isActive(piece, time)) {
      if (!element.paused) element.pause()
      if (time < piece.start && element.currentTime > FAR_S && element.readyState > 0) element.currentTime = 0
      return false
    }
    const drift = element.currentTime - wanted
    const isSettled = performance.now() - slave.setAt > SETTLE_MS && !element.seeking
    if (isSettled && Math.abs(drift) > FAR_S && element.readyState > 0) {
      slave.setAt = performance.now()
      element.currentTime = wanted
    } else if (isSettled) {
      const nudge = Math.abs(drift) > CLOSE_S ? Math.max(-MAX_NUDGE, Math.min(MAX_NUDGE, drift * GAIN)) : 0
      const rate = this.clock.rate * (1 - nudge)
      if (element.playbackRate !== rate) element.playbackRate = rate
    }
    const isReady = element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA || (element.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && wanted > piece.end - piece.start - 1)
    const shouldPlay = this.clock.playing && !this.clock.stalled
    if (shouldPlay && element.paused && !element.ended) void element.play().catch(() => undefined)
    else if (!shouldPlay && !element.paused) element.pause()
    return !isReady && !element.ended
  }

  private open(piece: Piece): Slave {
    const element = document.createElement(piece.track.kind)
    element.preload = 'auto'
    element.volume = this.volumeNow
    element.preservesPitch = true
    if (element instanceof HTMLVideoElement) {
      element.playsInline = true
      element.muted = true
    }
    this.sound(element)
    const slave: Slave = { piece, element, hls: null, setAt: 0, failed: false, closed: false }
    element.addEventListener('error', () => this.fail(slave))
    const url = this.base + piece.url
    const start = placeIn(piece, this.time)
    if (piece.hls) void this.attach(slave, url, start)
    else {
      element.src = url
      if (start > 0) element.currentTime = start
    }
    return slave
  }

  private sound(element: HTMLMediaElement): void {
    if (element instanceof HTMLAudioElement && 'setSinkId' in element && element.sinkId !== this.speaker) void element.setSinkId(this.speaker).catch(() => undefined)
  }

  private async attach(slave: Slave, url: string, start: number): Promise<void> {
    const { default: HlsPlayer } = await import('hls.js/light')
    if (slave.closed) return
    if (!HlsPlayer.isSupported()) {
      slave.element.src = url // Safari plays it by itself.
      return
    }
    const hls = new HlsPlayer({
      startPosition: start,
      maxBufferLength: 20,
      backBufferLength: 20,
      // The lesson's clock says where we are; a live edge is not chased.
      liveDurationInfinity: false,
      liveSyncDuration: 3600 * 12,
      liveMaxLatencyDuration: 3600 * 24,
      maxBufferHole: 0.3,
    })
    slave.hls = hls
    hls.on(HlsPlayer.Events.ERROR, (_, data) => {
      if (!data.fatal) return
      if (data.type === HlsPlayer.ErrorTypes.NETWORK_ERROR) setTimeout(() => { if (!slave.closed) hls.startLoad() }, 1000)
      else if (data.type === HlsPlayer.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError()
      else this.fail(slave)
    })
    hls.loadSource(url)
    hls.attachMedia(slave.element)
  }

  private fail(slave: Slave): void {
    if (slave.failed || slave.closed) return
    slave.failed = true
    this.events.failed(slave.piece)
  }

  private close(slave: Slave): void {
    slave.closed = true
    slave.hls?.destroy()
    slave.element.pause()
    slave.element.removeAttribute('src')
    slave.element.load()
    slave.element.remove()
  }
}

const now = (): number => performance.now() / 1000
