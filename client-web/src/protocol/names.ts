/** Names for the small unions that the messages spell out inline. */
import type {
  ChildView,
  Command,
  HelpView,
  PublishedTrack,
  PulseView,
  Quality,
  QuizView,
  Report,
  Role,
  Slot,
} from './messages'

export type { Role }
export type Source = PublishedTrack['source']
export type SlotUse = Slot['use']
export type QualityLevel = Quality['level']
export type ClientCommand = Command['command']
export type DeviceReport = NonNullable<Report['camera']>
export type SoundReport = NonNullable<Report['sound']>
export type PulseKind = PulseView['kind']
export type QuizKind = QuizView['kind']
export type HelpKind = HelpView['kind']
export type AttendanceMode = ChildView['mode']
