/** Errors that the board and the media of live help mend by themselves; nobody is told. */
export const MENDED: ReadonlySet<string> = new Set(['board_behind', 'board_fast', 'not_in_session'])
