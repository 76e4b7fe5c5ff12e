/** Times are shown in UTC, so that lists, logs and commands agree; ages only where they matter more than the moment. */

const two = (value: number): string => String(value).padStart(2, '0')

/** `14:02:19`. */
export function clockTime(at: Date | string | number): string {
  const date = new Date(at)
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
}

/** `14:02` of the same day, else `11-28 14:02`. */
export function shortTime(at: Date | string | number, now: number): string {
  const date = new Date(at)
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`
  const isToday = new Date(now).toISOString().slice(0, 10) === date.toISOString().slice(0, 10)
  return isToday ? clock : `${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())} ${clock}`
}

/** `14:02:19` where the reader is. */
export function localClock(at: Date | string | number): string {
  const date = new Date(at)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** `2026-11-29 14:02 UTC`. */
export const utcMinute = (at: Date | string | number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

const months = 'January February March April May June July August September October November December'.split(' ')

/** `28 November`, with the year where it is not this one. */
export function dayOf(at: Date | string | number, now: number): string {
  const date = new Date(at)
  const year = date.getUTCFullYear() === new Date(now).getUTCFullYear() ? '' : ` ${date.getUTCFullYear()}`
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]}${year}`
}

const seconds = { min: 60, h: 3_600, d: 86_400 }

/** How long something lasts or lasted: `0:41`, `14 min`, `6 h`, `12 d`. */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  if (s < 10 * seconds.min) return `${Math.floor(s / 60)}:${two(s % 60)}`
  if (s < 2 * seconds.h) return `${Math.floor(s / seconds.min)} min`
  if (s < 2 * seconds.d) return `${Math.floor(s / seconds.h)} h`
  return `${Math.floor(s / seconds.d)} d`
}
