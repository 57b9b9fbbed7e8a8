/**
 * Care for one RTCPeerConnection, the same for both directions: watches its bytes and its state
 * and says when ICE should restart or everything should be made anew.
 */
import { every, type Clock } from '@/protocol/clock'
import { bytesReceived, entries } from './statistics'
import { Watchdog } from './watchdog'

export type CreatePeerConnection = (configuration: RTCConfiguration) => RTCPeerConnection

export interface CareHandlers {
  /** The path looks dead: restart ICE. */
  onRestart(): void
  /** The connection is beyond repair: make a new one. */
  onFailed(): void
  onConnected?(): void
}

/** No server wants our candidates (it is ICE-lite), one path carries everything. */
export const CONFIGURATION: RTCConfiguration = { bundlePolicy: 'max-bundle', iceServers: [] }

const SAMPLE_MS = 1_000
/** A connection that does not come up: loopback needs 0.1 s, a poor line 2 s. */
const SETUP_MS = 10_000

/** Watches `connection` until the returned function is called. */
export function careFor(
  connection: RTCPeerConnection,
  clock: Clock,
  handlers: CareHandlers,
): () => void {
  const watchdog = new Watchdog()
  let over = false
  const cancelSamples = every(clock, SAMPLE_MS, () => {
    connection.getStats().then(
      (report) => {
        if (!over && watchdog.observe(clock.now(), bytesReceived(entries(report)))) {
          handlers.onRestart()
        }
      },
      // A closed connection has no statistics; its end is told elsewhere.
      () => undefined,
    )
  })
  const cancelSetup = clock.after(SETUP_MS, () => {
    if (!over && connection.connectionState !== 'connected') handlers.onFailed()
  })
  const onIce = (): void => {
    if (connection.iceConnectionState === 'disconnected') handlers.onRestart()
  }
  const onState = (): void => {
    if (connection.connectionState === 'connected') handlers.onConnected?.()
    if (connection.connectionState === 'failed') handlers.onFailed()
  }
  connection.addEventListener('iceconnectionstatechange', onIce)
  connection.addEventListener('connectionstatechange', onState)
  return () => {
    over = true
    cancelSamples()
    cancelSetup()
    connection.removeEventListener('iceconnectionstatechange', onIce)
    connection.removeEventListener('connectionstatechange', onState)
  }
}
