/** What keys of the page do with the question in hand. */
export interface Editor {
  write(): void
  live(): void
  giveBack(): void
}
