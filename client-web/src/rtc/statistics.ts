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
