import { longestMs } from './kept.ts'
import { refuse } from './refusal.ts'
import { scalar, type Shape } from './shape.ts'
import { clip } from './text.ts'

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const form = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h)$/

/**
 * A duration with its unit (`100ms`, `2s`, `10m`, `1h`), read as milliseconds, from `leastMs` up to a year. `refuseMs`
 * returns a further problem with it, or `null`.
 */
export function duration(leastMs: number, refuseMs: (ms: number) => string | null = () => null): Shape<number> {
  return scalar<number>({
    expects: 'a duration such as 500ms, 30s, 10m or 1h',
    blank: leastMs,
    schema: { type: 'string', pattern: form.source, examples: ['500ms', '30s', '10m', '1h'] },
    kept: { kind: 'number', whole: true, least: leastMs, most: longestMs, refuse: refuseMs },
    parse(written, type) {
      const match = type === 'string' ? form.exec(written) : null
      if (!match) return refuse(`"${clip(written)}" is not a duration such as 500ms, 30s, 10m or 1h`, repair(written))
      const ms = Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN)
      if (!Number.isInteger(Math.round(ms * 1000) / 1000))
        return refuse(`${written} is not a whole number of milliseconds`)
      if (ms < leastMs) return refuse(`${written} is too short; the least is ${leastMs}ms`)
      if (ms > longestMs) return refuse(`${written} is longer than a year`)
      const refused = refuseMs(Math.round(ms))
      return refused === null ? Math.round(ms) : refuse(refused)
    },
  })
}

const words: Record<string, string> = { msec: 'ms', sec: 's', second: 's', min: 'm', minute: 'm', hr: 'h', hour: 'h' }

/** `30` becomes `30s`, `5 min` becomes `5m`, `1d` becomes `24h`, `1h30m` becomes `90m`. */
function repair(written: string): string | null {
  const compound = /^(\d{1,4})h(\d{1,2})m$/.exec(written)
  if (compound) return `${Number(compound[1]) * 60 + Number(compound[2])}m`
  const match = /^(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]*)$/i.exec(written.trim())
  if (!match) return null
  const [, count = '', unit = ''] = match
  const lower = unit.toLowerCase()
  if (lower === '') return `${count}s`
  if (/^d(ays?)?$/.test(lower)) return `${Number(count) * 24}h`
  const known = lower in unitMs ? lower : words[lower.replace(/s$/, '')]
  return known === undefined ? null : `${count}${known}`
}
