/** What one may hold over a board. */
export type Tool = 'pen' | 'eraser' | 'text' | 'formula' | 'hand'

/** In units of the board: a fine pen, and one for what matters. */
export const THIN = 36
export const THICK = 80
/** A marker covers a line of writing. */
export const MARKER = 320
/** Height of letters: a line of thirty Chinese characters fills the width. */
export const LETTERS = 340
/** Reach of the eraser in pixels: the tip of a finger. */
export const REACH = 14
