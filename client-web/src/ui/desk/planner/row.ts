import type { Help, Standing } from '@/desk/names'

/** A line of the roster as the table shows it; times are minutes of the day. `standing`: tonight's. */
export interface Row {
  tutor: string
  name: string
  subjects: readonly string[]
  grades: readonly number[]
  kinds: readonly Help[]
  starts: number
  ends: number
  standing: Standing | null
}
