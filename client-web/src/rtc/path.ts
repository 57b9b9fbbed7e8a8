/** The path a connection uses now, read from `getStats()`. */
import type { StatsEntry } from './statistics'

/** How media goes: straight, over TCP, or over the relay (TURN); empty while there is no path. */
export type Route = '' | 'udp' | 'tcp' | 'relay'

export interface PathReading {
  /** Packets or bytes that came, whatever they were; -1 before there is a path. */
  received: number
  /** Answers to connectivity checks on the path. */
  responses: number
  pair: string
  /** Pairs that have answered a check, but for the chosen one. */
  others: readonly string[]
  route: Route
}

const NOTHING: PathReading = { received: -1, responses: 0, pair: '', others: [], route: '' }

const number = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** What `stats` say of the chosen candidate pair; Firefox has no transport entries. */
export function readPath(stats: readonly StatsEntry[]): PathReading {
  const byId = new Map(stats.map((one) => [one['id'], one]))
  const transport = stats.find((one) => one.type === 'transport')
  const pair =
    byId.get(transport?.['selectedCandidatePairId']) ??
    stats.find((one) => one.type === 'candidate-pair' && one['nominated'] === true && one['state'] === 'succeeded')
  // Some browsers count packets on a transport, all count bytes.
  const received = transport?.['packetsReceived'] ?? transport?.['bytesReceived'] ?? pair?.['bytesReceived']
  if (pair === undefined) return { ...NOTHING, received: typeof received === 'number' ? received : -1 }
  const local = byId.get(pair['localCandidateId'])
  return {
    received: number(received),
    responses: number(pair['responsesReceived']),
    pair: String(pair['id']),
    others: stats.filter((one) => one !== pair && isAnswered(one)).map((one) => String(one['id'])),
    route: routeOf(local),
  }
}

function isAnswered(one: StatsEntry): boolean {
  return one.type === 'candidate-pair' && one['state'] === 'succeeded' && number(one['responsesReceived']) > 0
}

function routeOf(local: StatsEntry | undefined): Route {
  if (local?.['candidateType'] === 'relay') return 'relay'
  return local?.['protocol'] === 'tcp' ? 'tcp' : local?.['protocol'] === 'udp' ? 'udp' : ''
}

/** The interface of a local candidate (Chromium numbers them), empty when it is not told. */
export function networkOf(candidate: string): string {
  return /network-id (\d+)/.exec(candidate)?.[1] ?? ''
}
