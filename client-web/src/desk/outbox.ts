/**
 * What this page has drawn and the server may not have yet: gathered for a moment, sent in order,
 * and kept until it is known to have arrived.
 */
import { mergeUpdates } from 'yjs'
import type { Clock } from '@/protocol/clock'
import { split } from './split'

/** 20 messages a second while the hand moves: smooth to the eye, and below what the server takes. */
export const GATHER_MS = 50
/** The server's largest update; merging never adds more than a few bytes. */
export const MAX_UPDATE = 48 * 1024 - 256

export interface OutboxOptions {
  clock: Clock
  send(update: Uint8Array): boolean
}

export class Outbox {
  private updates: Uint8Array[] = []
  /** So many of `updates` were sent on this line. */
  private sent = 0
  private isOpen = false
  private cancel: (() => void) | null = null

  constructor(private readonly options: OutboxOptions) {}

  get length(): number {
    return this.updates.length
  }

  add(update: Uint8Array): void {
    this.updates.push(...split(update, MAX_UPDATE))
    if (!this.isOpen) return
    this.cancel ??= this.options.clock.after(GATHER_MS, () => this.flush())
  }

  /** The server is ready for what we have: all of it, if it was not told so before. */
  open(): void {
    this.isOpen = true
    this.flush()
  }

  /** The line is away: what was sent on it may be lost. */
  close(): void {
    this.isOpen = false
    this.sent = 0
    this.cancel?.()
    this.cancel = null
  }

  /** Returns a mark: what `arrived` takes when the server has answered something sent now. */
  mark(): number {
    return this.isOpen ? this.sent : 0
  }

  /** The server has all that was sent before `mark`. */
  arrived(mark: number): void {
    this.updates.splice(0, mark)
    this.sent = Math.max(0, this.sent - mark)
  }

  /** Puts one update in place of all: it says the same, and what the server may have lost. */
  replace(update: Uint8Array): void {
    this.updates = split(update, MAX_UPDATE)
    this.sent = 0
  }

  clear(): void {
    this.close()
    this.updates = []
  }

  private flush(): void {
    this.cancel?.()
    this.cancel = null
    while (this.isOpen && this.sent < this.updates.length) {
      let end = this.sent
      let size = 0
      do {
        size += this.updates[end]?.length ?? 0
        end += 1
      } while (end < this.updates.length && size + (this.updates[end]?.length ?? 0) <= MAX_UPDATE)
      const batch = this.updates.slice(this.sent, end)
      const before = this.sent
      // Counted first: what sending brings about may begin anew.
      this.sent = end
      if (!this.options.send(batch.length === 1 && batch[0] !== undefined ? batch[0] : mergeUpdates(batch))) {
        this.sent = before
        return
      }
    }
  }
}
