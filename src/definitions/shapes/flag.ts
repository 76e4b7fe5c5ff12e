import { refuse } from './refusal.ts'
import { scalar, type Shape } from './shape.ts'

/** `true` or `false`. */
export function flag(): Shape<boolean> {
  return scalar<boolean>({
    expects: 'true or false',
    blank: false,
    schema: { type: 'boolean' },
    kept: { kind: 'flag' },
    parse(written, type) {
      if (type === 'boolean') return written === 'true'
      const meant = /^(yes|on|1)$/i.test(written) ? 'true' : /^(no|off|0)$/i.test(written) ? 'false' : null
      return refuse(`expected true or false, found ${written}`, meant)
    },
  })
}
