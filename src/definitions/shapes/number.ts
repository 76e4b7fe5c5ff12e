import { refuse } from './refusal.ts'
import { scalar, type Shape } from './shape.ts'
import { clip } from './text.ts'

/** A number between two bounds, both included. */
export function number(about: { whole: boolean; least: number; most: number; what: string }): Shape<number> {
  const { whole, least, most, what } = about
  const expects = `${what}: a ${whole ? 'whole ' : ''}number from ${least} to ${most}`
  return scalar<number>({
    expects,
    blank: least,
    schema: { type: whole ? 'integer' : 'number', minimum: least, maximum: most },
    kept: { kind: 'number', whole, least, most },
    parse(written, type) {
      const value = Number(written)
      if (type !== 'number') {
        const unquoted = written !== '' && Number.isFinite(value) ? written : null
        return refuse(
          `expected ${expects}, found the ${type === 'string' ? 'text' : type} "${clip(written)}"`,
          unquoted,
        )
      }
      if (!Number.isFinite(value) || (whole && !Number.isInteger(value))) {
        return refuse(`${clip(written)} is not ${expects}`)
      }
      if (value < least || value > most) return refuse(`${clip(written)} is out of range; expected ${expects}`)
      return value
    },
  })
}
