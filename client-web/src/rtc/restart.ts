/**
 * ICE restarts that need no answer of the server: with two interfaces the dead one may be the one
 * that carried the signalling too.
 *
 * A server that is ICE-lite sends no checks, so it need not know our new credentials; it only has
 * to answer ours. So what it described last is taken once more as if it had restarted as well: its
 * user fragment with `+1` to `+7` behind it, which a worker takes for the one without (PROTOCOL.md),
 * and its candidates with a higher priority. Without that a browser stays with a silent pair on the
 * interface it likes better until the pair counts as unwritable, 6 s after its last answer (seen
 * in Chromium 156).
 */

/** A server raises its priorities by 64 local preferences with each restart of its own ... */
const STEP = 8 << 8
/** ... and ours must stay below that. */
const MOST = 7

const UFRAG = /^(a=ice-ufrag:)(\S+)/gm
const PRIORITY = /^(a=candidate:\S+ \d+ \S+ )(\d+)/gm

export class OwnRestarts {
  private ufrag = ''
  private times = 0

  /** What to give the browser for a description of the server: with the restarts made since. */
  apply(sdp: string): string {
    const ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? ''
    if (ufrag !== this.ufrag) {
      this.ufrag = ufrag
      this.times = 0
    }
    const { times } = this
    if (times === 0) return sdp
    return sdp
      .replace(UFRAG, (_, name: string, value: string) => `${name}${value}+${times}`)
      .replace(PRIORITY, (_, before: string, value: string) => `${before}${Number(value) + times * STEP}`)
  }

  /** One more restart; false: there were as many as fit below the server's next. */
  begin(): boolean {
    if (this.ufrag === '' || this.times >= MOST) return false
    this.times += 1
    return true
  }
}
