import { entries } from '../shapes/entries.ts'
import { refuse, type Refusal } from '../shapes/refusal.ts'
import { scalar } from '../shapes/shape.ts'

const namePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/
const mostFields = 20
const longestValue = 1024
/** Fields that say where a request ends or how the connection goes on: a probe sets them itself, or must not have them. */
const own = ['connection', 'content-length', 'expect', 'te', 'trailer', 'transfer-encoding', 'upgrade']

const checkValue = (written: string): string | Refusal => {
  if (written.length > longestValue) return refuse(`is longer than ${longestValue} characters`)
  if (!/^[\u0020-\u007e]*$/.test(written)) return refuse('holds a character other than printable ASCII')
  return written.trim() === written ? written : refuse('begins or ends with a blank')
}

const value = scalar<string>({
  expects: 'a text',
  blank: '',
  schema: { type: ['string', 'number', 'boolean'] },
  kept: {
    ...{ kind: 'text' as const, least: 0, most: longestValue },
    refuse: (stored: string) => (checkValue(stored) === stored ? null : 'is not the value of a header field'),
  },
  parse: checkValue,
})

function refuseField(name: string): string | null {
  if (!namePattern.test(name)) return `"${name.slice(0, 60)}" is not the name of a header field`
  if (name.toLowerCase() === 'host') return 'write the host under `health.host`'
  return own.includes(name.toLowerCase()) ? `a probe cannot send ${name}` : null
}

/** Header fields that a probe sends, by name. */
export const headerShape = entries(value, {
  ...{ what: 'a map of header fields', least: 1, most: mostFields },
  ...{ pattern: namePattern, refuseKey: refuseField },
})
