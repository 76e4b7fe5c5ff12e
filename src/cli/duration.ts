const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
type Unit = keyof typeof units

/** Milliseconds of `10m`, `1h30m`, `500ms`; `null` if `text` is not a duration. */
export function parseDuration(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text)) return null
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    total += Number(amount) * units[unit as Unit] // the expression matches only these units
  }
  return Number.isFinite(total) ? total : null
}

/** Parses a past time, given as a duration before now or as a date. Returns ISO 8601, or `null` if it is neither. */
export function parseSince(text: string, now: number): string | null {
  const ago = parseDuration(text)
  if (ago !== null) return ago > now ? new Date(0).toISOString() : new Date(now - ago).toISOString()
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return null
  const at = new Date(text).getTime()
  return Number.isNaN(at) ? null : new Date(at).toISOString()
}

/** Seconds as a rollout shows them: `0.12 s`, `3.4 s`, `2m 05s`. */
export function showSeconds(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 1) return `${seconds.toFixed(2)} s`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`
}

/** Age in the largest unit that is still precise enough: `now`, `12s`, `5m`, `3h`, `2d`. */
export function showAge(at: string | null, now: number): string {
  if (at === null) return '-'
  const ms = now - Date.parse(at)
  if (Number.isNaN(ms)) return '-'
  if (ms < 1_500) return 'now'
  if (ms < 90_000) return `${Math.round(ms / 1000)}s`
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)}m`
  if (ms < 36 * 3_600_000) return `${Math.round(ms / 3_600_000)}h`
  return `${Math.round(ms / 86_400_000)}d`
}
