/** Names for the small unions and views that the desk's messages spell out inline. */
import type {
  Command,
  DutyRow,
  ModeratedSession,
  OwnQuestion,
  OwnSession,
  ServerMessage,
  TutorSession,
  ViewChanged,
} from '@/protocol/desk-messages'

export type DeskCommand = Command['command']
export type DeskView = ViewChanged['view']
export type ViewOf<T extends DeskView['type']> = Extract<DeskView, { type: T }>
export type QuestionState = OwnQuestion['state']
export type QuestionKind = OwnQuestion['kind']
export type Standing = DutyRow['standing']
export type Help = DutyRow['kinds'][number]
/** Live help as whoever is in it sees it: pupil, tutor, or a moderator who has stepped in. */
export type HelpSession = OwnSession | TutorSession | ModeratedSession
/** What belongs to the board and the media of live help, and to nobody else. */
export type HelpMessage = Extract<
  ServerMessage,
  {
    type:
      | 'board_update'
      | 'board_state'
      | 'publish_answer'
      | 'publish_wishes'
      | 'subscribe_offer'
      | 'slots'
      | 'speakers'
      | 'quality'
      | 'media_lost'
      | 'relay'
      | 'welcome'
      | 'error'
  }
>
