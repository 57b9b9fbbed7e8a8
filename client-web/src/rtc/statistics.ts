/** Reading of `getStats()`; only what the client itself decides on. */

export type StatsEntry = Record<string, unknown> & { type: string }

/** All entries of a report as plain objects. */
export function entries(report: RTCStatsReport): StatsEntry[] {
  const found: StatsEntry[] = []
  report.forEach((entry: StatsEntry) => found.push(entry))
  return found
}

/** Bytes of pictures and sound received, without reports and checks, which never cease. */
export function mediaBytes(stats: readonly StatsEntry[]): number {
  return stats.reduce((sum, one) => sum + (one.type === 'inbound-rtp' ? Number(one['bytesReceived'] ?? 0) : 0), 0)
}

/** Bytes received by the connection, -1 when it has no transport yet. */
export function bytesReceived(stats: readonly StatsEntry[]): number {
  let total = -1
  for (const entry of stats) {
    const bytes = entry['bytesReceived']
    // Firefox has no transport entries, its candidate pairs count the same.
    const counts =
      entry.type === 'transport' || (entry.type === 'candidate-pair' && entry['nominated'] === true)
    if (counts && typeof bytes === 'number') total = Math.max(total, bytes)
  }
  return total
}
