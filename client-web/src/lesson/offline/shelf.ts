import type { Place } from './place'
import type { KeptRecord } from './records'

/** What stays on this device when the page is closed or the browser dies; `ui/` has the real one. */
export interface Shelf {
  place(seat: string): Promise<Place | null>
  savePlace(place: Place): Promise<void>
  records(seat: string): Promise<KeptRecord[]>
  /** Resolves when it is on the disk. */
  putRecord(record: KeptRecord): Promise<void>
  removeRecord(key: string): Promise<void>
  /** Forgets the place of a seat. */
  forgetPlace(seat: string): Promise<void>
  /** Forgets all that is older. `beforeMs`: of this device's clock. */
  sweep(beforeMs: number): Promise<void>
}
