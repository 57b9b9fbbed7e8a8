/** From a lesson to the evening desk: a link of the desk out of a lesson's link. */
import { ask } from './ask'

/** `opens`, `closes`: Unix seconds, null: not tonight. `url` names the moment that was asked about. */
export interface Carried {
  desk: { id: string; title: string; opens: number | null; closes: number | null; is_open: boolean; utc_offset_min: number }
  url: string
}

/** `t`: seconds from the bell, null: of the whole lesson; with `entry`, of that entry of the library. */
export function carry(token: string, t: number | null, entry: string | null = null): Promise<Carried> {
  return ask(token, 'POST', '/api/desk/carry', { t: t === null ? null : Math.max(0, Math.floor(t)), ...(entry === null ? {} : { entry }) })
}

/** Whether tonight is still to come, or goes on. */
export const isTonight = ({ desk }: Carried, now: number): boolean => desk.closes !== null && now < desk.closes
