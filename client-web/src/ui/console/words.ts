/** Wall-clock time of a Unix second, as on the classroom's clock. */
export function wallTime(seconds: number): string {
  const at = new Date(seconds * 1000)
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`
}
