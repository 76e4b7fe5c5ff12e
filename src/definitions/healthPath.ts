import { refuse } from './shapes/shape.ts'
import { text } from './shapes/text.ts'

/** A request target for probes: a path, with a query if wanted. */
export const healthPathPattern = /^\/[\u0021-\u007e]{0,1023}$/

export const healthPath = text({
  expects: 'a path that starts with /',
  schema: { pattern: healthPathPattern.source },
  check: (written) => {
    if (healthPathPattern.test(written)) return written
    if (!written.startsWith('/')) return refuse('a path starts with /', written.length < 100 ? `/${written}` : null)
    return refuse('the path holds blanks or other signs that no request has, or is longer than 1024 characters')
  },
})
