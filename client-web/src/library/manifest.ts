/** A recorded lesson as the server describes it (`twinclass_recordings.manifest`). Times are seconds
 *  of lesson time: 0 is the bell. */
export interface Texts { zh: string; en: string }
export type Source = 'camera' | 'screen' | 'document' | 'microphone' | 'screen_audio'
export interface Part { path: string; start_s: number; duration_s: number; codec: 'h264' | 'vp8' | 'opus'; mime: string; width?: number; height?: number }
export interface Run { id: string; start_s: number; duration_s: number; parts: Part[]; transcoded?: Part[]; playlist?: string }
export type GapCause = 'not_sent' | 'lost' | 'restarted' | 'disk' | 'paused'
export interface Gap { start_s: number; end_s: number; cause: GapCause }
export interface Track { id: string; participant: string; source: Source; kind: 'audio' | 'video'; runs: Run[]; gaps?: Gap[] }
export type ChapterKind = 'phase' | 'slide' | 'stage' | 'quiz' | 'group_work' | 'teaching'
export interface Chapter { start_s: number; end_s: number; kind: ChapterKind; title: Texts; participant?: string; document?: string; page?: number }
export type MarkKind = 'hand' | 'called_on' | 'quiz' | 'take_over' | 'lost' | 'recovered' | 'paused' | 'resumed'
export interface Mark { at_s: number; kind: MarkKind; title: Texts; participant?: string }
export interface Person { id: string; role: string; name: Texts; room?: string }
export interface SlideDocument { document: string; title: string; pages: number; sha256: string }
/** Learner-minutes taught and lost with lines; of rooms: id, seconds, learner-minutes. */
export interface Losses { taught?: number; lost?: number; homes?: number; rooms?: [string, number, number][] }
export interface Manifest {
  lesson: string; title: string; subtitle?: string; origin_unix: number; duration_s: number
  state: 'live' | 'closed'; tracks: Track[]; chapters?: Chapter[]; marks?: Mark[]; people?: Person[]
  documents?: SlideDocument[]; losses?: Losses
}
export interface Span { start_s: number; end_s: number }
