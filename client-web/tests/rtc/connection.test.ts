import { beforeEach, describe, expect, it } from 'vitest'
import { Care, configurationWith } from '@/rtc/connection'
import { Relay } from '@/rtc/relay'
import type { RelayAsk } from '@/protocol/messages'
import { Peers, type FakePeer } from '../support/peer'
import { FakeClock, settle } from '../support/time'

let clock: FakeClock
let peer: FakePeer
let care: Care
let relay: Relay
let asks: RelayAsk[]
let log: string[]
let lineUp: boolean
let canRestartAlone: boolean

const made = (): RTCPeerConnection => {
  const peers = new Peers()
  const connection = peers.create()
  peer = peers.last
  return connection
}
async function pass(ms: number, flows = false): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    if (flows) peer.bytes += 10_000
    clock.advance(250)
    await settle()
  }
}
/** A connection that carries sound and picture. */
async function flow(): Promise<void> {
  peer.iceConnectionState = 'connected'
  peer.become('connected')
  await pass(2_000, true)
}
function twoInterfaces(): void {
  for (const id of [1, 2]) {
    peer.emit('icecandidate', { candidate: { candidate: `candidate:1 1 udp 1 10.0.0.${id} 9 typ host network-id ${id}` } })
  }
}
const SERVER = { urls: ['turns:relay.example:443'], username: 'u', credential: 'c' }

beforeEach(() => {
  clock = new FakeClock()
  asks = []
  log = []
  lineUp = true
  canRestartAlone = true
  relay = new Relay({
    clock,
    send: (message) => {
      asks.push(message)
      return true
    },
  })
  care = new Care(
    made(),
    clock,
    {
      onRestart: (reason) => {
        log.push(reason)
        return lineUp
      },
      onRestartAlone: () => {
        log.push('alone')
        return canRestartAlone
      },
      onFailed: () => log.push('failed'),
      onSilent: () => log.push('look at the line'),
      onRoute: (route) => log.push(route),
      onRestored: (ms) => log.push(`restored after ${ms}`),
    },
    relay,
  )
})

describe('care for a connection', () => {
  it('restarts ICE after a second of silence and is content when packets come', async () => {
    await flow()
    await pass(1_000)
    expect(log).toEqual(['udp', 'look at the line', 'silent'])
    await pass(20_000, true)
    expect(log).toEqual(['udp', 'look at the line', 'silent', 'restored after 1250'])
  })

  it('is content when checks are answered, though nothing is sent', async () => {
    await flow()
    await pass(1_000)
    peer.responses += 1
    await pass(20_000)
    expect(log.slice(1)).toEqual(['look at the line', 'silent'])
  })

  it('restarts at once when the browser lost the path, and once for one event', async () => {
    await flow()
    peer.iceConnectionState = 'disconnected'
    peer.emit('iceconnectionstatechange')
    care.networkChanged()
    expect(log.slice(1)).toEqual(['disconnected'])
  })

  it('tries again, takes the relay along, then makes the connection anew', async () => {
    await flow()
    await pass(1_000)
    await pass(1_500)
    expect(asks).toHaveLength(1)
    await pass(4_000)
    expect(log.slice(1)).toEqual(['look at the line', 'silent', 'again'])
    await pass(4_000)
    expect(log.at(-1)).toBe('failed')
  })

  it('asks for nothing while the line to the server is down, and for all of it afterwards', async () => {
    await flow()
    await pass(1_000)
    care.lineLost()
    await pass(15_000)
    peer.become('failed')
    expect(log).not.toContain('failed')
    care.lineBack()
    expect(log.at(-1)).toBe('failed')
  })

  it('restarts by itself once the line is back, if nothing came meanwhile', async () => {
    await flow()
    care.lineLost()
    lineUp = false
    await pass(5_000)
    lineUp = true
    care.lineBack()
    expect(log.slice(1)).toEqual(['look at the line', 'silent'])
    await pass(1_000, true)
    expect(log.at(-1)).toMatch('restored')
    care.lineBack()
    expect(log.at(-1)).toMatch('restored')
  })

  it('takes the relay where a connection does not come up, and remembers it', async () => {
    peer.iceConnectionState = 'checking'
    peer.connectionState = 'connecting'
    peer.hasPath = false
    await pass(1_250)
    expect(asks).toEqual([])
    await pass(250)
    expect(asks).toEqual([{ type: 'relay_ask' }])
    expect(configurationWith(relay).iceServers).toEqual([])
    relay.handleServers({ type: 'relay', servers: [SERVER], ttl_s: 300 })
    expect(peer.servers).toEqual([SERVER])
    expect(log.at(-1)).toBe('relay')
    expect(configurationWith(relay).iceServers).toEqual([SERVER])
    clock.advance(291_000)
    expect(configurationWith(relay).iceServers).toEqual([])
  })

  it('takes the relay at once where everything is refused, and waits for it then', async () => {
    peer.hasPath = false
    peer.become('failed')
    expect(asks).toEqual([{ type: 'relay_ask' }])
    relay.handleServers({ type: 'relay', servers: [SERVER], ttl_s: 300 })
    peer.become('failed')
    expect(log).toEqual(['relay'])
    await pass(8_250)
    expect(log.at(-1)).toBe('failed')
  })

  it('goes on without where there is no relay', async () => {
    peer.iceConnectionState = 'checking'
    await pass(1_500)
    relay.handleServers({ type: 'relay', servers: [], ttl_s: 0 })
    expect(log).not.toContain('relay')
    expect(peer.servers).toEqual([])
  })

  it('restarts alone at the first sign when there is a second interface, then with help', async () => {
    twoInterfaces()
    await flow()
    await pass(750)
    expect(log.slice(1)).toEqual(['look at the line', 'alone'])
    await pass(4_000)
    expect(log.slice(2)).toEqual(['alone', 'again'])
  })

  it('needs no line to the server for that', async () => {
    twoInterfaces()
    await flow()
    care.lineLost()
    lineUp = false
    await pass(1_000)
    await pass(1_000, true)
    expect(log.slice(1)).toEqual(['look at the line', 'alone', 'restored after 1250'])
    care.lineBack()
    expect(log).toHaveLength(4)
  })

  it('asks the server where it cannot restart alone', async () => {
    twoInterfaces()
    canRestartAlone = false
    await flow()
    await pass(750)
    expect(log.slice(2)).toEqual(['alone', 'silent'])
  })

  it('restarts alone when the device is on another network', async () => {
    await flow()
    care.networkChanged()
    expect(log.slice(1)).toEqual(['alone'])
  })

  it('says nothing after its end', async () => {
    await flow()
    care.stop()
    await pass(20_000)
    peer.become('failed')
    expect(log).toEqual(['udp'])
  })
})
