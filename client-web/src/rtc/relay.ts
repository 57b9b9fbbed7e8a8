/**
 * The relay (TURN), for lines on which nothing else passes. It is asked for when a connection does
 * not come up without it: whoever does not need it makes no allocation there and waits for nothing.
 * Its passwords are good for minutes, so they are fetched when they are used and not before.
 */
import type { Clock } from '@/protocol/clock'
import type { RelayAsk, RelayServers } from '@/protocol/messages'

export interface RelayOptions {
  clock: Clock
  send(message: RelayAsk): boolean
}

/** Not used in their last seconds: an allocation takes some round trips. */
const MARGIN_MS = 10_000

export class Relay {
  private servers: readonly RTCIceServer[] = []
  private goodUntil = -Infinity
  private waiting: ((servers: readonly RTCIceServer[]) => void)[] = []

  constructor(private readonly options: RelayOptions) {}

  /** What a new connection begins with: nothing, until this line has needed the relay once. */
  get known(): readonly RTCIceServer[] {
    return this.options.clock.now() < this.goodUntil ? this.servers : []
  }

  /** Calls back with the relay's addresses once they are there; never, where there is no relay. */
  ask(callback: (servers: readonly RTCIceServer[]) => void): void {
    if (this.known.length > 0) {
      callback(this.known)
      return
    }
    this.waiting = [callback, ...this.waiting].slice(0, 2)
    this.options.send({ type: 'relay_ask' })
  }

  handleServers(message: RelayServers): void {
    const { servers, ttl_s: ttlS } = message
    this.servers = servers.map(({ urls, username, credential }) => ({ urls: [...urls], username, credential }))
    this.goodUntil = this.options.clock.now() + ttlS * 1_000 - MARGIN_MS
    const { waiting } = this
    this.waiting = []
    if (servers.length > 0) for (const callback of waiting) callback(this.servers)
  }
}
