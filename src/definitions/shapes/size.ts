import { refuse } from './refusal.ts'
import { scalar, type Shape } from './shape.ts'
import { clip } from './text.ts'

const unitBytes: Record<string, number> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }
const form = /^(\d{1,9}(?:\.\d{1,3})?)([KMGT])$/

/** A size with its unit in powers of 1024 (`512M`, `1.5G`), read as bytes. */
export function size(leastBytes: number): Shape<number> {
  return scalar<number>({
    expects: 'a size such as 512K, 512M or 1G',
    blank: leastBytes,
    schema: { type: 'string', pattern: form.source, examples: ['512M', '1G'] },
    kept: { kind: 'number', whole: true, least: leastBytes, most: Number.MAX_SAFE_INTEGER },
    parse(written, type) {
      const match = type === 'string' ? form.exec(written) : null
      if (!match) return refuse(`"${clip(written)}" is not a size such as 512K, 512M or 1G`, repair(written))
      const bytes = Math.round(Number(match[1]) * (unitBytes[match[2] ?? ''] ?? Number.NaN))
      if (bytes < leastBytes) return refuse(`${written} is too small; the least is ${leastBytes / 1024}K`)
      if (!Number.isSafeInteger(bytes)) return refuse(`${written} is larger than anything that can be counted`)
      return bytes
    },
  })
}

/**
 * `512MB`, `512 MiB`, `512m` and a bare `512` all become `512M`; a bare number of bytes is converted to its largest
 * whole unit.
 */
function repair(written: string): string | null {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)\s*(?:([kmgt])i?b?|b)?$/i.exec(written.trim())
  if (!match) return null
  const [, count = '', unit] = match
  if (unit !== undefined) return `${count}${unit.toUpperCase()}`
  const bytes = Number(count)
  const whole = ['G', 'M', 'K'].find((letter) => bytes > 0 && bytes % (unitBytes[letter] ?? 1) === 0)
  return whole === undefined ? `${count}M` : `${bytes / (unitBytes[whole] ?? 1)}${whole}`
}
