import { healthPathPattern } from './pathRules.ts'
import { refuse } from './shapes/refusal.ts'
import { text } from './shapes/text.ts'

export const healthPath = text({
  expects: 'a path that starts with /',
  schema: { pattern: healthPathPattern.source },
  check: (written) => {
    if (healthPathPattern.test(written)) return written
    if (!written.startsWith('/')) return refuse('a path starts with /', written.length < 100 ? `/${written}` : null)
    return refuse('the path contains blanks or other characters that no request has, or is longer than 1024 characters')
  },
})
